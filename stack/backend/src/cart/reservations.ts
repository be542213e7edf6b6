import type { Queryable } from '../db/database.js';
import { ApiError, notFound } from '../errors.js';
import type { CartLine } from './cartStore.js';

// A reservation holds stock for a cart for a while. It is a courtesy: an order checks the stock itself, with or without one.
// Lock order everywhere: rows of `stock` by product id, then `reservations`.

export const insufficientStock = (names: string[]) =>
  new ApiError(409, 'insufficient_stock', `No hay existencias suficientes de: ${names.join(', ')}.`);

/** Makes the owner hold exactly this quantity. */
export async function reserve(tx: Queryable, owner: string, { productId, quantity }: CartLine, ttlS: number): Promise<void> {
  const [stock] = await tx.query<{ available: number; name: string }>(
    `SELECT s.on_hand - s.reserved AS available, p.name FROM stock s JOIN products p ON p.id = s.product_id
     WHERE s.product_id = $1 FOR UPDATE OF s`,
    [productId],
  );
  if (!stock) throw notFound('ese producto');
  const [held] = await tx.query<{ quantity: number }>('SELECT quantity FROM reservations WHERE owner = $1 AND product_id = $2', [
    owner,
    productId,
  ]);
  const more = quantity - (held?.quantity ?? 0);
  if (more > stock.available) throw insufficientStock([stock.name]);
  await tx.query('UPDATE stock SET reserved = reserved + $2 WHERE product_id = $1', [productId, more]);
  await tx.query(
    `INSERT INTO reservations (owner, product_id, quantity, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
     ON CONFLICT (owner, product_id) DO UPDATE SET quantity = excluded.quantity, expires_at = excluded.expires_at`,
    [owner, productId, quantity, ttlS],
  );
}

export async function release(tx: Queryable, owner: string, productId: number): Promise<void> {
  await lockStock(tx, [productId]);
  await tx.query(
    `WITH gone AS (DELETE FROM reservations WHERE owner = $1 AND product_id = $2 RETURNING product_id, quantity)
     UPDATE stock s SET reserved = s.reserved - gone.quantity FROM gone WHERE s.product_id = gone.product_id`,
    [owner, productId],
  );
}

/** Gives what one owner holds to another; where both hold the same product, the first one's runs out by itself. */
export async function handOver(db: Queryable, from: string, to: string): Promise<void> {
  await db.query(
    `UPDATE reservations r SET owner = $2
     WHERE owner = $1 AND NOT EXISTS (SELECT FROM reservations other WHERE other.owner = $2 AND other.product_id = r.product_id)`,
    [from, to],
  );
}

/** Frees what was held for carts that were not ordered in time. Returns how many reservations ended. */
export async function expireReservations(tx: Queryable): Promise<number> {
  const due = await tx.query<{ product_id: number }>('SELECT DISTINCT product_id FROM reservations WHERE expires_at <= now()');
  const ids = due.map(({ product_id }) => product_id);
  await lockStock(tx, ids);
  const [result] = await tx.query<{ ended: number }>(
    `WITH gone AS (DELETE FROM reservations WHERE product_id = ANY ($1) AND expires_at <= now() RETURNING product_id, quantity),
       freed AS (SELECT product_id, sum(quantity)::integer AS quantity FROM gone GROUP BY product_id),
       updated AS (UPDATE stock s SET reserved = s.reserved - freed.quantity FROM freed WHERE s.product_id = freed.product_id)
     SELECT count(*) AS ended FROM gone`,
    [ids],
  );
  return result?.ended ?? 0;
}

async function lockStock(tx: Queryable, productIds: number[]): Promise<void> {
  await tx.query('SELECT FROM stock WHERE product_id = ANY ($1) ORDER BY product_id FOR UPDATE', [productIds]);
}
