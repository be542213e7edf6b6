import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokens } from '../src/auth/tokens.js';
import { type Environment, openShop, type Shop, startApp } from './support/shop.js';

let shop: Shop;
let user: string;
beforeAll(async () => {
  shop = await openShop();
  user = (await shop.addUser()).id;
});
afterAll(() => shop.close());

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);
const claims = (changes = {}) => ({ sub: user, iss: 'pawpaw', iat: now(), exp: now() + 600, ...changes });

/** A token by hand: whatever header, claims and key somebody may think of. */
function forge(secret: string, header: object, payload: object = claims(), hash = 'sha256'): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

const statusOf = async (token: string, api = shop.api) => (await api.get('/api/orders').set('Authorization', `Bearer ${token}`)).status;

describe('a token', () => {
  const right = { alg: 'HS256', kid: '1' };

  it('made by hand with the right key is accepted, so that the refusals below are about what they say', async () => {
    expect(await statusOf(forge(shop.environment.JWT_SECRET as string, right))).toBe(200);
  });

  it.each<[string, (secret: string) => string]>([
    ['signed with an empty string', () => forge('', right)],
    ['signed with changeme_jwt_secret', () => forge('changeme_jwt_secret', right)],
    ['of an unknown kid', (secret) => forge(secret, { alg: 'HS256', kid: '2' })],
    ['without kid', (secret) => forge(secret, { alg: 'HS256' })],
    ['of kid __proto__', (secret) => forge(secret, { alg: 'HS256', kid: '__proto__' })],
    ['of alg none', () => `${base64url({ alg: 'none', kid: '1' })}.${base64url(claims())}.`],
    ['of another algorithm', (secret) => forge(secret, { alg: 'HS512', kid: '1' }, claims(), 'sha512')],
    ['that expired', (secret) => forge(secret, right, claims({ exp: now() - 1 }))],
    ['that never expires', (secret) => forge(secret, right, claims({ exp: undefined }))],
    ['without a subject', (secret) => forge(secret, right, claims({ sub: undefined }))],
    ['of another issuer', (secret) => forge(secret, right, claims({ iss: 'somebody' }))],
    ['that is none', () => 'x.y.z'],
  ])('%s is refused', async (_, make) => {
    expect(await statusOf(make(shop.environment.JWT_SECRET as string))).toBe(401);
  });

  it('refused for the orders is refused for the cart too, not taken for an anonymous one', async () => {
    await shop.api
      .get('/api/cart')
      .set('Authorization', `Bearer ${forge('', right)}`)
      .set('X-Cart-Id', user)
      .expect(401);
    await shop.api.get('/api/cart').set('Authorization', 'Basic YQ==').set('X-Cart-Id', user).expect(401);
  });
});

describe('a rotation in three deployments', () => {
  const [OLD, NEW] = [
    { kid: 'old', secret: 'o'.repeat(40) },
    { kid: 'new', secret: 'n'.repeat(40) },
  ];
  const keys = (current: typeof OLD, other?: typeof OLD): Environment => ({
    JWT_SECRET: current.secret,
    JWT_KID: current.kid,
    JWT_PREVIOUS_SECRET: other?.secret ?? '',
    JWT_PREVIOUS_KID: other?.kid ?? '',
  });

  it('never refuses a token of a neighbouring phase, and refuses the old key at the end', async () => {
    const phases = [keys(OLD), keys(OLD, NEW), keys(NEW, OLD), keys(NEW)];
    const apps = await Promise.all(phases.map((phase) => startApp({ ...shop.environment, ...phase })));
    try {
      const tokens = await Promise.all(apps.map((app) => app.tokens.sign(user)));
      const verdicts = await Promise.all(apps.map(({ api }) => Promise.all(tokens.map((token) => statusOf(token, api)))));
      expect(verdicts).toEqual([
        [200, 200, 401, 401],
        [200, 200, 200, 200],
        [200, 200, 200, 200],
        [401, 401, 200, 200],
      ]);
    } finally {
      for (const app of apps) await app.close();
    }
  });

  it('does not accept one key under the name of the other', async () => {
    const mixed = createTokens({ current: { kid: 'old', secret: NEW.secret }, previous: undefined, ttlS: 60 });
    const app = await startApp({ ...shop.environment, ...keys(NEW, OLD) });
    try {
      expect(await statusOf(await mixed.sign(user), app.api)).toBe(401);
    } finally {
      await app.close();
    }
  });
});
