import type { CartLine } from '../cart/cartStore.js';
import { insufficientStock } from '../cart/reservations.js';
import type { Queryable } from '../db/database.js';
import { ApiError } from '../errors.js';
import type { OrderRequest } from './ledger.js';

type Line = { id: number; name: string; priceCents: number; quantity: number };

/** Writes the order and takes its lines out of the stock, inside the caller's transaction. */
export async function createOrder(tx: Queryable, orderId: string, request: OrderRequest, owner: string, cart: CartLine[]): Promise<void> {
  const lines = await priced(tx, cart);
  await takeStock(tx, owner, lines);
  await tx.query('INSERT INTO orders (id, user_id, total_cents, shipping_address) VALUES ($1, $2, $3, $4)', [
    orderId,
    request.userId,
    lines.reduce((sum, { priceCents, quantity }) => sum + priceCents * quantity, 0),
    request.shippingAddress,
  ]);
  await tx.query(
    `INSERT INTO order_items (order_id, line_no, product_id, name, unit_price_cents, quantity)
     SELECT $1, no, id, name, price, quantity
     FROM unnest($2::integer[], $3::text[], $4::integer[], $5::integer[]) WITH ORDINALITY AS line (id, name, price, quantity, no)`,
    [
      orderId,
      lines.map((line) => line.id),
      lines.map((line) => line.name),
      lines.map((line) => line.priceCents),
      lines.map((line) => line.quantity),
    ],
  );
}

/** Names and prices of now. The stock is locked in one order by all, so that orders with products in common cannot block each other for ever. */
async function priced(tx: Queryable, cart: CartLine[]): Promise<Line[]> {
  const quantities = new Map(cart.map(({ productId, quantity }) => [productId, quantity]));
  const products = await tx.query<Omit<Line, 'quantity'>>(
    `SELECT p.id, p.name, p.price_cents AS "priceCents" FROM products p JOIN stock s ON s.product_id = p.id
     WHERE p.id = ANY ($1) ORDER BY p.id FOR UPDATE OF s`,
    [[...quantities.keys()]],
  );
  if (products.length < quantities.size) {
    throw new ApiError(409, 'cart_changed', 'Un producto de tu carrito ya no está a la venta. Revisa el carrito e inténtalo de nuevo.');
  }
  return products.map((product) => ({ ...product, quantity: quantities.get(product.id) as number }));
}

async function takeStock(tx: Queryable, owner: string, lines: Line[]): Promise<void> {
  const taken = await tx.query<{ product_id: number }>(
    `WITH held AS (DELETE FROM reservations WHERE owner = $1 AND product_id = ANY ($2) RETURNING product_id, quantity)
     UPDATE stock s SET on_hand = s.on_hand - line.quantity, reserved = s.reserved - coalesce(held.quantity, 0)
     FROM unnest($2::integer[], $3::integer[]) AS line (id, quantity) LEFT JOIN held ON held.product_id = line.id
     WHERE s.product_id = line.id AND s.on_hand - (s.reserved - coalesce(held.quantity, 0)) >= line.quantity
     RETURNING s.product_id`,
    [owner, lines.map((line) => line.id), lines.map((line) => line.quantity)],
  );
  const enough = new Set(taken.map(({ product_id }) => product_id));
  const short = lines.filter(({ id }) => !enough.has(id));
  if (short.length > 0) throw insufficientStock(short.map(({ name }) => name));
}
