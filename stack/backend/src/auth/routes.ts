import type { Router } from 'express';
import { z } from 'zod';
import type { Cart } from '../cart/cart.js';
import { anonymousOwner, userOwner } from '../cart/owner.js';
import type { Database } from '../db/database.js';
import { ApiError } from '../errors.js';
import { parse } from '../http/validate.js';
import type { LoginThrottle } from './loginThrottle.js';
import { hashPassword, passwordMatches } from './password.js';
import type { Tokens } from './tokens.js';
import { findUser, insertUser, type User } from './users.js';

const email = z.string().trim().toLowerCase().pipe(z.email().max(254));
const password = z.string().min(8).max(200);
const registration = z.object({ email, name: z.string().trim().min(1).max(120), password });
const credentials = z.object({ email, password: z.string().min(1).max(200) });

type Services = { db: Database; tokens: Tokens; throttle: LoginThrottle; cart: Cart };

export function authRoutes(router: Router, { db, tokens, throttle, cart }: Services): void {
  /** What was put into the cart before logging in is not lost by logging in. */
  async function session({ id, email, name }: User, anonymous: string | undefined) {
    if (anonymous) await cart.adopt(anonymous, userOwner(id));
    return { token: await tokens.sign(id), user: { id, email, name } };
  }

  router.post('/api/auth/register', async (req, res) => {
    const wanted = parse(registration, req.body);
    const anonymous = anonymousOwner(req);
    const user = await insertUser(db, wanted, await hashPassword(wanted.password));
    if (!user) throw new ApiError(409, 'email_taken', 'Ya existe una cuenta con ese correo.');
    res.status(201).json(await session(user, anonymous));
  });

  router.post('/api/auth/login', async (req, res) => {
    const given = parse(credentials, req.body);
    const anonymous = anonymousOwner(req);
    const address = req.ip ?? 'unknown';
    await throttle.check(given.email, address);
    const user = await findUser(db, given.email);
    const right = await passwordMatches(given.password, user?.password_hash);
    if (!user || !right) {
      await throttle.recordFailure(given.email, address);
      throw new ApiError(401, 'bad_credentials', 'El correo o la contraseña no son correctos.');
    }
    res.json(await session(user, anonymous));
  });
}
