import { createHash } from 'node:crypto';
import type { Queryable } from '../db/database.js';
import { ApiError } from '../errors.js';

/** A wish to order: the same user and key is the same wish. */
export type OrderRequest = { userId: string; key: string; shippingAddress: Record<string, unknown> };
export type LedgerEntry = { orderId: string; cartId: string };

const hashOf = ({ shippingAddress }: OrderRequest) =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(shippingAddress).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex');

/**
 * Takes key and cart for a new order; false when either was taken. A concurrent request with the same key or cart waits here
 * until the first one's transaction ends, and goes on in its place if that failed.
 */
export async function claim(tx: Queryable, request: OrderRequest, { orderId, cartId }: LedgerEntry): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO order_requests (user_id, idempotency_key, request_hash, order_id, cart_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING order_id`,
    [request.userId, request.key, hashOf(request), orderId, cartId],
  );
  return rows.length === 1;
}

/** What the key has ordered before; throws 422 when it was used for another body. */
export async function entryOfKey(tx: Queryable, request: OrderRequest): Promise<LedgerEntry | undefined> {
  const [row] = await tx.query<LedgerEntry & { hash: string }>(
    `SELECT order_id AS "orderId", cart_id AS "cartId", request_hash AS hash FROM order_requests WHERE user_id = $1 AND idempotency_key = $2`,
    [request.userId, request.key],
  );
  if (row && row.hash !== hashOf(request)) {
    throw new ApiError(422, 'idempotency_key_reused', 'La clave de idempotencia ya se usó con otros datos.');
  }
  return row;
}

/** What the cart was ordered as. */
export async function entryOfCart(tx: Queryable, cartId: string): Promise<LedgerEntry | undefined> {
  const [row] = await tx.query<LedgerEntry>(`SELECT order_id AS "orderId", cart_id AS "cartId" FROM order_requests WHERE cart_id = $1`, [
    cartId,
  ]);
  return row;
}
