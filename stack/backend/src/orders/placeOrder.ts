import { randomUUID } from 'node:crypto';
import type { CartStore } from '../cart/cartStore.js';
import { userOwner } from '../cart/owner.js';
import type { Database, Queryable } from '../db/database.js';
import { ApiError, Unavailable, unauthorized } from '../errors.js';
import type { Logger } from '../log.js';
import { createOrder } from './createOrder.js';
import { claim, entryOfCart, entryOfKey, type LedgerEntry, type OrderRequest } from './ledger.js';
import { findOrder, type Order } from './orders.js';

type Outcome = { status: 'created' | 'repeated' | 'cart-taken'; cartId: string; order: Order };

/**
 * Orders the user's cart, once per key and once per cart. The transaction holds ledger, stock and order; the cart is emptied after it,
 * and again by each repetition, in case the process died between.
 */
export async function placeOrder(
  db: Database,
  store: CartStore,
  request: OrderRequest,
  log: Logger,
): Promise<{ created: boolean; order: Order }> {
  const owner = userOwner(request.userId);
  const cart = await store.read(owner);
  const { status, cartId, order } = await db.transaction(async (tx): Promise<Outcome> => {
    // After a restore a token may outlive its user.
    const user = await tx.query('SELECT id FROM users WHERE id = $1 FOR KEY SHARE', [request.userId]);
    if (user.length === 0) throw unauthorized();
    if (cart.id !== undefined && cart.lines.length > 0) {
      const entry = { orderId: randomUUID(), cartId: cart.id };
      if (await claim(tx, request, entry)) {
        await createOrder(tx, entry.orderId, request, owner, cart.lines);
        return { status: 'created', cartId: entry.cartId, order: await orderOf(tx, request, entry) };
      }
    }
    const earlier = await entryOfKey(tx, request);
    if (earlier) return { status: 'repeated', cartId: earlier.cartId, order: await orderOf(tx, request, earlier) };
    const taken = cart.id === undefined ? undefined : await entryOfCart(tx, cart.id);
    if (!taken) throw new ApiError(409, 'empty_cart', 'Tu carrito está vacío.');
    return { status: 'cart-taken', cartId: taken.cartId, order: await orderOf(tx, request, taken) };
  });

  try {
    await store.settle(owner, cartId, order.items);
  } catch (error) {
    // The order stands. The cart's id keeps it from being ordered again until a later request empties it.
    if (!(error instanceof Unavailable)) throw error;
    log.warn({ err: error, order_id: order.id }, 'order placed, cart not emptied yet');
  }
  if (status === 'cart-taken') throw new ApiError(409, 'cart_already_ordered', 'Este carrito ya se pidió. Consulta tus pedidos.');
  return { created: status === 'created', order };
}

async function orderOf(tx: Queryable, { userId }: OrderRequest, { orderId }: LedgerEntry): Promise<Order> {
  const order = await findOrder(tx, userId, orderId);
  if (!order) throw new Error(`the ledger names order ${orderId}, which user ${userId} does not have`);
  return order;
}
