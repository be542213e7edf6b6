import type { Request } from 'express';
import { z } from 'zod';
import { userOf } from '../auth/identity.js';
import type { Tokens } from '../auth/tokens.js';
import { invalidRequest } from '../errors.js';
import { parse } from '../http/validate.js';

export const userOwner = (userId: string) => `user:${userId}`;

/** The owner of the browser's own cart, if the request names one. */
export function anonymousOwner(req: Request): string | undefined {
  const id = req.get('x-cart-id');
  return id ? `anon:${parse(z.uuid('X-Cart-Id debe ser un UUID'), id.toLowerCase())}` : undefined;
}

/** Whose cart a request is about: the user's when logged in, else the browser's. */
export async function ownerOf(req: Request, tokens: Tokens): Promise<string> {
  const user = await userOf(req, tokens);
  const owner = user === undefined ? anonymousOwner(req) : userOwner(user);
  if (owner === undefined) throw invalidRequest('Falta el encabezado X-Cart-Id.');
  return owner;
}
