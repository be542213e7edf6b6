import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShop, type Shop } from './support/shop.js';
import { runProgram } from './support/spawned.js';

const PASSWORD = 'cachorro-feliz';
let shop: Shop;
const seed = (password = PASSWORD) => runProgram('seed', { ...shop.environment, SEED_USER_PASSWORD: password });

beforeAll(async () => {
  shop = await openShop();
  const { code, output } = await seed();
  expect(code, output).toBe(0);
});
afterAll(() => shop.close());

async function names(query: Record<string, string | number>): Promise<string[]> {
  const { body } = await shop.api.get('/api/products').query(query).expect(200);
  return body.items.map(({ name }: { name: string }) => name);
}

describe('the seed', () => {
  it('fills a shop of at least 60 products in several categories, with names that are not ASCII', async () => {
    const { body } = await shop.api.get('/api/products').query({ pageSize: 100 }).expect(200);
    expect(body.total).toBeGreaterThanOrEqual(60);
    expect(body.items).toHaveLength(body.total);
    expect(body.categories.length).toBeGreaterThanOrEqual(6);
    expect(body.categories.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(body.total);
    expect(await names({ pageSize: 100 })).toContain('Champú de avena para piel sensible, 500 ml');
  });

  it('makes the demo user, who can log in', async () => {
    const { body } = await shop.api.post('/api/auth/login').send({ email: 'demo@pawpaw.mx', password: PASSWORD }).expect(200);
    expect(body.user).toMatchObject({ email: 'demo@pawpaw.mx' });
  });

  it('again changes nothing: neither ids, nor stock that was sold, nor the password’s hash', async () => {
    const state = () =>
      shop.sql(
        `SELECT (SELECT jsonb_agg(p ORDER BY id) FROM products p) AS products, (SELECT jsonb_agg(s ORDER BY product_id) FROM stock s) AS stock,
           (SELECT jsonb_agg(u) FROM users u) AS users`,
      );
    await shop.sql('UPDATE stock SET on_hand = on_hand - 1 WHERE on_hand > 0');
    const before = await state();
    expect((await seed()).code).toBe(0);
    expect(await state()).toEqual(before);
  });

  it('with another password changes the demo user’s', async () => {
    expect((await seed('otra-clave-larga')).code).toBe(0);
    await shop.api.post('/api/auth/login').send({ email: 'demo@pawpaw.mx', password: 'otra-clave-larga' }).expect(200);
    await shop.api.post('/api/auth/login').send({ email: 'demo@pawpaw.mx', password: PASSWORD }).expect(401);
  });

  it('without a password does not run', async () => {
    const { code, output } = await seed('');
    expect(code).toBe(78);
    expect(output).toContain('SEED_USER_PASSWORD falta o está vacía');
  });
});

describe('the search', () => {
  it.each([
    ['champú', 'Champú de avena para piel sensible, 500 ml'],
    ['CHAMPU avena', 'Champú de avena para piel sensible, 500 ml'],
    ['raton', 'Ratón de yute con hierba gatera'],
    ['pequeña borrego', 'Cama pequeña de borrego'],
    ['borrego pequena', 'Cama pequeña de borrego'],
    ['norten\u0303o', 'Paliacate norteño bordado'],
    ['muertos', 'Disfraz de catrina edición limitada'],
  ])('%s finds %s', async (search, name) => {
    expect(await names({ search })).toContain(name);
  });

  it.each(['%', '_', "'; DROP TABLE products; --", 'dinosaurio'])('%s finds nothing', async (search) => {
    expect(await names({ search })).toEqual([]);
  });

  it('combines with category and species', async () => {
    const all = await names({ search: 'gato', pageSize: 100 });
    const beds = await names({ search: 'gato', category: 'camas', pageSize: 100 });
    expect(beds).toContain('Cueva de fieltro para gato');
    expect(beds.length).toBeLessThan(all.length);
    const fish = (await shop.api.get('/api/products').query({ species: 'pez', pageSize: 100 })).body.items;
    expect(fish.length).toBeGreaterThan(2);
    expect(new Set(fish.map(({ attributes }: { attributes: { especie: string } }) => attributes.especie))).toEqual(new Set(['pez']));
  });

  it('fields that were left blank do not count', async () => {
    expect(await names({ search: '', category: '', species: '' })).toHaveLength(24);
  });
});

describe('the list', () => {
  it('pages through all products without gap or repetition', async () => {
    const first = (await shop.api.get('/api/products').expect(200)).body;
    expect(first).toMatchObject({ page: 1, pageSize: 24, pages: Math.ceil(first.total / 24) });
    const seen: string[] = [];
    for (let page = 1; page <= first.pages; page++) seen.push(...(await names({ page })));
    expect(seen).toHaveLength(first.total);
    expect(new Set(seen).size).toBe(first.total);
    expect(await names({ page: first.pages + 1 })).toEqual([]);
  });

  it.each([{ page: 0 }, { page: 'x' }, { pageSize: 101 }, { search: 'x'.repeat(201) }])('refuses %j in Spanish', async (query) => {
    const { body } = await shop.api.get('/api/products').query(query).expect(400);
    expect(body.error.code).toBe('invalid_request');
    expect(body.error.message).toMatch(/inválid|Demasiado/i);
  });
});

describe('a product', () => {
  it('has all its fields; stock is what nobody has reserved', async () => {
    const [item] = (await shop.api.get('/api/products').query({ search: 'ajolote' })).body.items;
    await shop.sql('UPDATE stock SET on_hand = 10, reserved = 3 WHERE product_id = $1', [item.id]);
    const { body } = await shop.api.get(`/api/products/${item.id}`).expect(200);
    expect(body).toEqual({
      id: item.id,
      sku: 'JUG-004',
      name: 'Peluche de ajolote con chillido',
      description: 'Costuras reforzadas y un ajolote muy mexicano.',
      category: 'juguetes',
      priceCents: 15900,
      stock: 7,
      attributes: { especie: 'perro', color: 'rosa' },
    });
  });

  it('that does not exist is 404; an id that is none, 400', async () => {
    expect((await shop.api.get('/api/products/999999').expect(404)).body.error).toEqual({
      code: 'not_found',
      message: 'No encontramos ese producto.',
    });
    await shop.api.get('/api/products/croqueta').expect(400);
    await shop.api.get('/api/products/99999999999').expect(400);
  });
});
