import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userOwner } from '../src/cart/owner.js';
import { ADDRESS, openShop, type Shop, startApp } from './support/shop.js';
import { until } from './support/until.js';

let shop: Shop;
let other: Awaited<ReturnType<typeof startApp>>;
beforeAll(async () => {
  shop = await openShop();
  other = await startApp(shop.environment);
});
afterAll(async () => {
  await other.close();
  await shop.close();
});

type Customer = { id: string; authorization: string };

const put = (customer: Customer, product: number, quantity: number) =>
  shop.api.put(`/api/cart/items/${product}`).set('Authorization', customer.authorization).send({ quantity });

function order(customer: Customer, key: string, { shippingAddress = ADDRESS, api = shop.api } = {}) {
  return api.post('/api/orders').set('Authorization', customer.authorization).set('Idempotency-Key', key).send({ shippingAddress });
}

const cartOf = (customer: Customer) => shop.api.get('/api/cart').set('Authorization', customer.authorization);
const ordersOf = (customer: Customer) => shop.sql('SELECT id FROM orders WHERE user_id = $1', [customer.id]);

describe('an order', () => {
  it('is made from the cart, takes the stock, empties the cart and is in the history', async () => {
    const customer = await shop.addUser();
    const [ball, bed] = [await shop.addProduct(10, 'Pelota', 1500), await shop.addProduct(5, 'Cama pequeña', 20000)];
    await put(customer, ball, 3).expect(200);
    await put(customer, bed, 1).expect(200);

    const placed = await order(customer, 'k').expect(201);

    expect(placed.body).toMatchObject({ status: 'placed', totalCents: 24500, shippingAddress: ADDRESS });
    expect(placed.body.items).toEqual([
      { productId: ball, name: 'Pelota', unitPriceCents: 1500, quantity: 3, lineTotalCents: 4500 },
      { productId: bed, name: 'Cama pequeña', unitPriceCents: 20000, quantity: 1, lineTotalCents: 20000 },
    ]);
    expect(await shop.stockOf(ball)).toEqual({ on_hand: 7, reserved: 0 });
    expect((await cartOf(customer)).body).toEqual({ items: [], totalCents: 0 });
    const one = await shop.api.get(`/api/orders/${placed.body.id}`).set('Authorization', customer.authorization).expect(200);
    expect(one.body).toEqual(placed.body);
    const all = await shop.api.get('/api/orders').set('Authorization', customer.authorization).expect(200);
    expect(all.body).toEqual({ items: [placed.body] });
  });

  it('is seen by its own user only', async () => {
    const [customer, stranger] = [await shop.addUser(), await shop.addUser()];
    await put(customer, await shop.addProduct(1), 1);
    const { id } = (await order(customer, 'k').expect(201)).body;
    await shop.api.get(`/api/orders/${id}`).set('Authorization', stranger.authorization).expect(404);
    await shop.api.get(`/api/orders/${id}`).expect(401);
  });

  it('needs a cart, a key, a whole address and a user that exists', async () => {
    const customer = await shop.addUser();
    expect((await order(customer, 'k').expect(409)).body.error.code).toBe('empty_cart');
    await put(customer, await shop.addProduct(1), 1);
    const call = shop.api.post('/api/orders').set('Authorization', customer.authorization);
    expect((await call.send({ shippingAddress: ADDRESS }).expect(400)).body.error.code).toBe('idempotency_key_required');
    const bad = await order(customer, 'k', { shippingAddress: { ...ADDRESS, postalCode: '27' } }).expect(400);
    expect(bad.body.error).toEqual({ code: 'invalid_request', message: 'shippingAddress.postalCode: debe tener 5 dígitos' });
    const ghost = randomUUID();
    await order({ id: ghost, authorization: `Bearer ${await shop.tokens.sign(ghost)}` }, 'k').expect(401);
    expect(await ordersOf(customer)).toEqual([]);
  });
});

describe('the same key', () => {
  it('makes one order of 50 requests at once at two replicas', async () => {
    const customer = await shop.addUser();
    const product = await shop.addProduct(100);
    await put(customer, product, 2);

    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => order(customer, 'k', { api: n % 2 ? shop.api : other.api })));

    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(49).fill(200), 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await ordersOf(customer)).toHaveLength(1);
    expect(await shop.stockOf(product)).toEqual({ on_hand: 98, reserved: 0 });
  });

  it('answers with its order after the cart was filled again, and leaves that cart alone', async () => {
    const customer = await shop.addUser();
    const product = await shop.addProduct(10);
    await put(customer, product, 1);
    const first = await order(customer, 'k').expect(201);
    await put(customer, product, 4);
    const again = await order(customer, 'k').expect(200);
    expect(again.body).toEqual(first.body);
    expect((await cartOf(customer)).body.items).toMatchObject([{ quantity: 4 }]);
    await order(customer, 'another').expect(201);
    expect(await shop.stockOf(product)).toEqual({ on_hand: 5, reserved: 0 });
  });

  it('is refused with another body', async () => {
    const customer = await shop.addUser();
    await put(customer, await shop.addProduct(1), 1);
    await order(customer, 'k').expect(201);
    const refused = await order(customer, 'k', { shippingAddress: { ...ADDRESS, street: 'Otra 1' } }).expect(422);
    expect(refused.body.error.code).toBe('idempotency_key_reused');
  });

  it('is free for another user, and after a refusal', async () => {
    const [one, two] = [await shop.addUser(), await shop.addUser()];
    const product = await shop.addProduct(2);
    for (const customer of [one, two]) {
      await order(customer, 'k').expect(409);
      await put(customer, product, 1);
      await order(customer, 'k').expect(201);
    }
  });
});

it('one cart is ordered once, whatever the keys', async () => {
  const customer = await shop.addUser();
  const product = await shop.addProduct(100);
  await put(customer, product, 1);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => order(customer, `k${n}`)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  const codes = new Set(answers.filter(({ status }) => status !== 201).map(({ body }) => body.error.code));
  expect([...codes].filter((code) => code !== 'cart_already_ordered' && code !== 'empty_cart')).toEqual([]);
  expect(await shop.stockOf(product)).toEqual({ on_hand: 99, reserved: 0 });
});

describe('the stock', () => {
  it('never goes below zero: 40 carts at once for the last 20 pieces, none of them reserved', async () => {
    const product = await shop.addProduct(20);
    const customers = await Promise.all(Array.from({ length: 40 }, () => shop.addUser()));
    // Straight into Redis, as after reservations ran out.
    for (const { id } of customers) await shop.store.set(userOwner(id), { productId: product, quantity: 1 });

    const answers = await Promise.all(customers.map((customer) => order(customer, 'k')));

    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(20).fill(201), ...Array(20).fill(409)]);
    expect(answers.filter(({ status }) => status === 409).every(({ body }) => body.error.code === 'insufficient_stock')).toBe(true);
    expect(await shop.stockOf(product)).toEqual({ on_hand: 0, reserved: 0 });
  });

  it('that another cart has reserved is not sold, and nothing of the order remains', async () => {
    const [holder, late] = [await shop.addUser(), await shop.addUser()];
    const [scarce, plenty] = [await shop.addProduct(5, 'Catrina'), await shop.addProduct(50)];
    await put(holder, scarce, 4).expect(200);
    await put(late, plenty, 1).expect(200);
    await shop.store.set(userOwner(late.id), { productId: scarce, quantity: 2 });
    const refused = await order(late, 'k').expect(409);
    expect(refused.body.error).toEqual({ code: 'insufficient_stock', message: 'No hay existencias suficientes de: Catrina.' });
    expect(await ordersOf(late)).toEqual([]);
    expect(await shop.stockOf(plenty)).toEqual({ on_hand: 50, reserved: 1 });
    await order(holder, 'k').expect(201);
    expect(await shop.stockOf(scarce)).toEqual({ on_hand: 1, reserved: 0 });
  });

  it('is locked by product id, whatever the order in the table, so that no two orders wait for each other', async () => {
    const customer = await shop.addUser();
    const [first, second] = [await shop.addProduct(10), await shop.addProduct(10)];
    for (const productId of [first, second]) await shop.store.set(userOwner(customer.id), { productId, quantity: 1 });
    // An update writes the row anew, behind the other one.
    await shop.sql('UPDATE stock SET on_hand = on_hand + 1 WHERE product_id = $1', [first]);
    const lock = 'SELECT FROM stock WHERE product_id = $1 FOR UPDATE';
    const placed = await shop.db.transaction(async (tx) => {
      await tx.query(lock, [first]);
      const placing = order(customer, 'k').then(({ status }) => status);
      const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;
      await until('the order waits for the first product', async () => (await shop.sql(waiting, [shop.database])).length === 1);
      await shop.sql(`${lock} NOWAIT`, [second]);
      return { placing };
    });
    expect(await placed.placing).toBe(201);
  });

  it('of a product that is no longer sold stops the order until the cart was looked at', async () => {
    const customer = await shop.addUser();
    const [kept, gone] = [await shop.addProduct(5), await shop.addProduct(5)];
    await put(customer, kept, 1);
    await put(customer, gone, 1);
    await shop.sql('DELETE FROM products WHERE id = $1', [gone]);
    expect((await order(customer, 'k').expect(409)).body.error.code).toBe('cart_changed');
    expect((await cartOf(customer)).body.items).toHaveLength(1);
    await order(customer, 'k').expect(201);
  });
});
