import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expireReservations } from '../src/cart/reservations.js';
import { openShop, type Shop } from './support/shop.js';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

type Who = { 'X-Cart-Id'?: string; Authorization?: string };
const anonymous = (): { 'X-Cart-Id': string } => ({ 'X-Cart-Id': randomUUID() });
const user = async (): Promise<Who> => ({ Authorization: (await shop.addUser()).authorization });
const put = (who: Who, product: number, quantity: number) => shop.api.put(`/api/cart/items/${product}`).set(who).send({ quantity });
const cartOf = (who: Who) => shop.api.get('/api/cart').set(who);

describe.each([
  ['of a browser', async (): Promise<Who> => anonymous()],
  ['of a user', user],
])('a cart %s', (_, owner) => {
  it('starts empty, takes products, changes and forgets them', async () => {
    const who = await owner();
    const [a, b] = [await shop.addProduct(10, 'Champú', 1500), await shop.addProduct(10, 'Correa', 3000)];
    expect((await cartOf(who).expect(200)).body).toEqual({ items: [], totalCents: 0 });
    await put(who, a, 2).expect(200);
    await put(who, b, 1).expect(200);
    const { body } = await put(who, a, 3).expect(200);
    expect(body).toMatchObject({
      totalCents: 7500,
      items: [{ product: { id: a, name: 'Champú' }, quantity: 3, lineTotalCents: 4500 }, { quantity: 1 }],
    });
    expect((await cartOf(who)).body).toEqual(body);
    expect(await shop.stockOf(a)).toEqual({ on_hand: 10, reserved: 3 });
    await shop.api.delete(`/api/cart/items/${a}`).set(who).expect(200);
    const left = await shop.api.delete(`/api/cart/items/${b}`).set(who).expect(200);
    expect(left.body).toEqual({ items: [], totalCents: 0 });
    expect(await shop.stockOf(a)).toEqual({ on_hand: 10, reserved: 0 });
  });

  it('is nobody else’s', async () => {
    await put(await owner(), await shop.addProduct(10), 1).expect(200);
    expect((await cartOf(await owner())).body.items).toEqual([]);
  });
});

describe('a cart', () => {
  it('needs an owner', async () => {
    await shop.api.get('/api/cart').expect(400);
    await cartOf({ 'X-Cart-Id': '../../user' }).expect(400);
  });

  it('of a user does not depend on the browser’s id', async () => {
    const who = await user();
    await put({ ...who, ...anonymous() }, await shop.addProduct(10), 1).expect(200);
    expect((await cartOf({ ...who, ...anonymous() })).body.items).toHaveLength(1);
  });

  it.each([0, 100, 1.5, '2', null])('refuses quantity %j', async (quantity) => {
    const product = await shop.addProduct(10);
    await shop.api.put(`/api/cart/items/${product}`).set(anonymous()).send({ quantity }).expect(400);
  });

  it('refuses a product that does not exist, and more than there is', async () => {
    expect((await put(anonymous(), 999_999, 1).expect(404)).body.error.code).toBe('not_found');
    const who = anonymous();
    const product = await shop.addProduct(3, 'Ratón');
    const refused = await put(who, product, 4).expect(409);
    expect(refused.body.error).toEqual({ code: 'insufficient_stock', message: 'No hay existencias suficientes de: Ratón.' });
    expect((await cartOf(who)).body.items).toEqual([]);
    const { body } = await put(who, product, 3).expect(200);
    expect(body.items[0].product.stock).toBe(3);
    await put(anonymous(), product, 1).expect(409);
  });

  it('ends by itself in thirty days', async () => {
    const who = anonymous();
    await put(who, await shop.addProduct(1), 1).expect(200);
    const ttl = await shop.redisServer.admin.ttl(`pawpaw:cart:anon:${who['X-Cart-Id']}`);
    expect(ttl).toBeGreaterThan(29 * 86_400);
    expect(ttl).toBeLessThanOrEqual(30 * 86_400);
  });
});

describe('logging in with a filled cart', () => {
  const credentials = () => ({ email: `${randomUUID()}@pawpaw.mx`, name: 'Ana', password: 'cachorro-feliz' });

  it('adds it to the user’s own, with its reservations', async () => {
    const account = credentials();
    const browser = anonymous();
    const [a, b] = [await shop.addProduct(200), await shop.addProduct(200)];
    await put(browser, a, 2).expect(200);
    const registered = await shop.api.post('/api/auth/register').set(browser).send(account).expect(201);
    const who = { Authorization: `Bearer ${registered.body.token}` };
    expect((await cartOf(who)).body.items).toMatchObject([{ product: { id: a }, quantity: 2 }]);
    expect((await cartOf(browser)).body.items).toEqual([]);

    await put(browser, a, 98).expect(200);
    await put(browser, b, 1).expect(200);
    await shop.api.post('/api/auth/login').set(browser).send(account).expect(200);
    expect((await cartOf(who)).body.items).toMatchObject([
      { product: { id: a }, quantity: 99 },
      { product: { id: b }, quantity: 1 },
    ]);
    const held = await shop.sql('SELECT quantity FROM reservations WHERE owner = $1 ORDER BY product_id', [
      `user:${registered.body.user.id}`,
    ]);
    expect(held).toEqual([{ quantity: 2 }, { quantity: 1 }]);
  });

  it('without one changes nothing', async () => {
    const account = credentials();
    const registered = await shop.api.post('/api/auth/register').send(account).expect(201);
    const who = { Authorization: `Bearer ${registered.body.token}` };
    await put(who, await shop.addProduct(5), 1);
    await shop.api.post('/api/auth/login').set(anonymous()).send(account).expect(200);
    expect((await cartOf(who)).body.items).toMatchObject([{ quantity: 1 }]);
  });
});

it('reservations that ran out are freed, the others stay, and the cart keeps its products', async () => {
  const [late, fresh] = [anonymous(), anonymous()];
  const product = await shop.addProduct(10);
  await put(late, product, 4).expect(200);
  await put(fresh, product, 3).expect(200);
  await shop.sql(`UPDATE reservations SET expires_at = now() WHERE owner = $1`, [`anon:${late['X-Cart-Id']}`]);
  expect(await shop.db.transaction(expireReservations)).toBe(1);
  expect(await shop.db.transaction(expireReservations)).toBe(0);
  expect(await shop.stockOf(product)).toEqual({ on_hand: 10, reserved: 3 });
  expect((await cartOf(late)).body.items).toMatchObject([{ quantity: 4 }]);
});

it('a cart changed by many requests at once holds as much as the stock counts as reserved', async () => {
  const who = anonymous();
  const product = await shop.addProduct(500);
  await Promise.all(Array.from({ length: 20 }, (_, n) => put(who, product, n + 1)));
  const [held] = await shop.sql<{ quantity: number }>('SELECT quantity FROM reservations WHERE product_id = $1', [product]);
  expect((await shop.stockOf(product))?.reserved).toBe(held?.quantity);
});
