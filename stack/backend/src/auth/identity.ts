import type { Request } from 'express';
import { unauthorized } from '../errors.js';
import type { Tokens } from './tokens.js';

/** The user whose token the request carries, `undefined` without one; throws 401 for a bad token. */
export async function userOf(req: Request, tokens: Tokens): Promise<string | undefined> {
  const header = req.get('authorization');
  if (header === undefined) return undefined;
  const token = /^Bearer (\S+)$/i.exec(header)?.[1];
  if (token === undefined) throw unauthorized();
  return tokens.verify(token);
}

export async function requireUser(req: Request, tokens: Tokens): Promise<string> {
  const user = await userOf(req, tokens);
  if (user === undefined) throw unauthorized();
  return user;
}
