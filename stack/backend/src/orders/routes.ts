import type { Router } from 'express';
import { z } from 'zod';
import { requireUser } from '../auth/identity.js';
import type { Tokens } from '../auth/tokens.js';
import type { CartStore } from '../cart/cartStore.js';
import type { Database } from '../db/database.js';
import { ApiError, notFound } from '../errors.js';
import { logOf } from '../http/requestLog.js';
import { parse } from '../http/validate.js';
import { findOrder, listOrders } from './orders.js';
import { placeOrder } from './placeOrder.js';

const text = (max: number) => z.string().trim().min(1).max(max);
const shippingAddress = z.object({
  recipient: text(120),
  street: text(200),
  neighborhood: text(120).optional(),
  city: text(120),
  state: text(120),
  postalCode: z.string().regex(/^\d{5}$/, 'debe tener 5 dígitos'),
  phone: text(30).optional(),
});
const wanted = z.object({ shippingAddress });
const idempotencyKey = /^[\x21-\x7e]{1,128}$/;

type Services = { db: Database; store: CartStore; tokens: Tokens };

export function orderRoutes(router: Router, { db, store, tokens }: Services): void {
  router.post('/api/orders', async (req, res) => {
    const userId = await requireUser(req, tokens);
    const key = req.get('idempotency-key') ?? '';
    if (!idempotencyKey.test(key)) {
      throw new ApiError(400, 'idempotency_key_required', 'Falta el encabezado Idempotency-Key (1 a 128 caracteres ASCII sin espacios).');
    }
    const { created, order } = await placeOrder(db, store, { userId, key, ...parse(wanted, req.body) }, logOf(res));
    res.status(created ? 201 : 200).json(order);
  });

  router.get('/api/orders', async (req, res) => {
    res.json({ items: await listOrders(db, await requireUser(req, tokens)) });
  });

  router.get('/api/orders/:id', async (req, res) => {
    const userId = await requireUser(req, tokens);
    const order = await findOrder(db, userId, parse(z.uuid(), req.params.id));
    if (!order) throw notFound('ese pedido');
    res.json(order);
  });
}
