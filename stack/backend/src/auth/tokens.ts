import { errors, jwtVerify, SignJWT } from 'jose';
import type { JwtConfig } from '../config.js';
import { unauthorized } from '../errors.js';

const ISSUER = 'pawpaw';
const ALGORITHM = 'HS256';

export interface Tokens {
  sign(userId: string): Promise<string>;
  /** The user's id; throws 401 for a token that is forged, expired or of an unknown key. */
  verify(token: string): Promise<string>;
}

export function createTokens({ current, previous, ttlS }: JwtConfig): Tokens {
  const encode = (secret: string) => new TextEncoder().encode(secret);
  const keys = new Map([current, ...(previous ? [previous] : [])].map(({ kid, secret }) => [kid, encode(secret)]));
  const signingKey = encode(current.secret);

  return {
    sign: (userId) =>
      new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, kid: current.kid })
        .setSubject(userId)
        .setIssuer(ISSUER)
        .setIssuedAt()
        .setExpirationTime(`${ttlS}s`)
        .sign(signingKey),

    async verify(token) {
      const keyOf = ({ kid }: { kid?: string | undefined }) => {
        const key = keys.get(kid ?? '');
        if (!key) throw unauthorized();
        return key;
      };
      try {
        const { payload } = await jwtVerify(token, keyOf, { algorithms: [ALGORITHM], issuer: ISSUER, requiredClaims: ['sub', 'exp'] });
        return payload.sub as string;
      } catch (error) {
        throw error instanceof errors.JOSEError ? unauthorized() : error;
      }
    },
  };
}
