import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ADDRESS, openShop, type Shop } from './support/shop.js';
import { spawnServer } from './support/spawned.js';
import { until } from './support/until.js';

let shop: Shop;
let product: number;
let customer: { id: string; authorization: string };
let server: Awaited<ReturnType<typeof spawnServer>>;

beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

beforeEach(async () => {
  product = await shop.addProduct(10);
  customer = await shop.addUser();
  await shop.api.put(`/api/cart/items/${product}`).set('Authorization', customer.authorization).send({ quantity: 2 }).expect(200);
  server = await spawnServer(shop.environment);
});
afterEach(() => void server.child.kill('SIGKILL'));

const order = (api: Shop['api'], key: string) =>
  api.post('/api/orders').set('Authorization', customer.authorization).set('Idempotency-Key', key).send({ shippingAddress: ADDRESS });
const orders = () => shop.sql<{ id: string }>('SELECT id FROM orders WHERE user_id = $1', [customer.id]);
const cart = async () => (await shop.api.get('/api/cart').set('Authorization', customer.authorization).expect(200)).body.items;

/** Sends the order to the process, kills the process when the condition holds, and sees that the client got no answer. */
async function orderAndKillWhen(what: string, condition: () => Promise<unknown>): Promise<void> {
  const lost = order(server.api, 'k').then(
    ({ status }) => `answered ${status}`,
    () => 'no answer',
  );
  await until(what, condition);
  server.child.kill('SIGKILL');
  await server.finished;
  expect(await lost).toBe('no answer');
}

it('a process that dies within the transaction leaves nothing, and the key orders once', async () => {
  const blocker = await shop.db.transaction(async (tx) => {
    await tx.query('SELECT FROM stock WHERE product_id = $1 FOR UPDATE', [product]);
    await orderAndKillWhen('the order waits for the stock', async () => {
      const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE OF s%'`;
      return (await shop.sql(waiting, [shop.database])).length === 1;
    });
    return 'released';
  });
  expect(blocker).toBe('released');

  expect(await orders()).toEqual([]);
  await order(shop.api, 'k').expect(201);
  await order(shop.api, 'k').expect(200);
  expect(await orders()).toHaveLength(1);
  expect(await shop.stockOf(product)).toEqual({ on_hand: 8, reserved: 0 });
});

/** The order is committed; the process dies while it waits for Redis to empty the cart. */
async function dieAfterTheCommit(): Promise<void> {
  await shop.redisServer.admin.client('PAUSE', 60_000, 'WRITE');
  await orderAndKillWhen('the order is committed', async () => (await orders()).length === 1);
  // The command that Redis may hold of the dead process must not run after all.
  await shop.redisServer.admin.client('KILL', 'USER', 'pawpaw_app');
  await shop.redisServer.admin.client('UNPAUSE');
  expect(await cart()).toHaveLength(1);
}

it('a process that dies between the commit and the answer has ordered: the same key gives that order and empties the cart', async () => {
  await dieAfterTheCommit();
  const again = await order(shop.api, 'k').expect(200);
  expect(await orders()).toEqual([{ id: again.body.id }]);
  expect(await cart()).toEqual([]);
  expect(await shop.stockOf(product)).toEqual({ on_hand: 8, reserved: 0 });
});

it('after such a death another key does not order the same cart again', async () => {
  await dieAfterTheCommit();
  const refused = await order(shop.api, 'other').expect(409);
  expect(refused.body.error.code).toBe('cart_already_ordered');
  expect(await orders()).toHaveLength(1);
  expect(await cart()).toEqual([]);
});

it('an order is acknowledged although Redis went away after the commit', async () => {
  await shop.redisServer.admin.client('PAUSE', 60_000, 'WRITE');
  const placed = await order(server.api, 'k').expect(201);
  await shop.redisServer.admin.client('UNPAUSE');
  expect(await orders()).toEqual([{ id: placed.body.id }]);
});
