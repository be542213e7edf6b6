import type { Queryable } from '../db/database.js';

export type OrderItem = { productId: number; name: string; unitPriceCents: number; quantity: number; lineTotalCents: number };
export type Order = {
  id: string;
  status: string;
  createdAt: Date;
  shippingAddress: Record<string, unknown>;
  totalCents: number;
  items: OrderItem[];
};

const HISTORY = 100;

const SELECT = `SELECT o.id, o.status, o.created_at AS "createdAt", o.shipping_address AS "shippingAddress", o.total_cents AS "totalCents",
  (SELECT json_agg(json_build_object('productId', i.product_id, 'name', i.name, 'unitPriceCents', i.unit_price_cents,
     'quantity', i.quantity, 'lineTotalCents', i.line_total_cents) ORDER BY i.line_no)
   FROM order_items i WHERE i.order_id = o.id) AS items
  FROM orders o`;

/** The user's newest orders. */
export function listOrders(db: Queryable, userId: string): Promise<Order[]> {
  return db.query<Order>(`${SELECT} WHERE o.user_id = $1 ORDER BY o.created_at DESC, o.id LIMIT ${HISTORY}`, [userId]);
}

export async function findOrder(db: Queryable, userId: string, orderId: string): Promise<Order | undefined> {
  const [order] = await db.query<Order>(`${SELECT} WHERE o.user_id = $1 AND o.id = $2`, [userId, orderId]);
  return order;
}
