import { setImmediate as turn } from 'node:timers/promises';
import supertest from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { migrateDatabase } from './support/databases.js';
import { asSuperuser, type PostgresServer, startPostgres } from './support/postgres.js';
import { freePort } from './support/serverProcess.js';
import { ADDRESS, openShop, type Shop, startApp } from './support/shop.js';
import { spawnProgram, spawnServer } from './support/spawned.js';
import { until } from './support/until.js';

let postgres: PostgresServer;
let shop: Shop;
let product: number;

beforeAll(async () => {
  postgres = await startPostgres();
  await asSuperuser(postgres, 'postgres', 'CREATE DATABASE shop_template OWNER pawpaw_owner');
  await migrateDatabase(postgres, 'shop_template');
  shop = await openShop(postgres);
  product = await shop.addProduct(1000);
});
afterAll(async () => {
  await shop.close();
  await postgres.remove();
});

const admin = (...statements: string[]) => asSuperuser(postgres, 'postgres', ...statements);
const terminate = (database: string) => `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`;
const recovered = () =>
  until('all is well again', async () => (await shop.api.get('/health')).status === 200 && (await shop.api.get('/ready')).status === 200);

async function expectUnavailable(): Promise<void> {
  const answer = await shop.api.get('/api/products').expect(503);
  expect(answer.body.error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('no está disponible') });
  expect(answer.headers['retry-after']).toBe('1');
}

async function expectUnhealthy(sick: 'database' | 'redis'): Promise<void> {
  const { body } = await shop.api.get('/health').expect(503);
  expect(body.status).toBe('unavailable');
  expect({ database: body.checks.database.ok, redis: body.checks.redis.ok }).toEqual({
    database: sick !== 'database',
    redis: sick !== 'redis',
  });
}

afterEach(recovered);

describe('while a restore swaps the database', () => {
  it('requests are answered 503, then come from the new one', async () => {
    const { database } = shop;
    await shop.api.get('/api/products').expect(200);
    await admin(`CREATE DATABASE ${database}_side OWNER pawpaw_owner TEMPLATE shop_template`);
    await admin(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`, terminate(database));
    await expectUnavailable();
    await expectUnhealthy('database');
    await shop.api.get('/ready').expect(503);
    await admin(`ALTER DATABASE ${database} RENAME TO ${database}_old`);
    await expectUnavailable();
    await admin(`ALTER DATABASE ${database}_side RENAME TO ${database}`);

    await recovered();
    expect((await shop.api.get('/api/products').expect(200)).body.total).toBe(0);

    await admin(terminate(database), `ALTER DATABASE ${database} RENAME TO ${database}_empty`);
    await admin(`ALTER DATABASE ${database}_old ALLOW_CONNECTIONS true`, `ALTER DATABASE ${database}_old RENAME TO ${database}`);
    await recovered();
    expect((await shop.api.get('/api/products').expect(200)).body.total).toBe(1);
  });

  it('no acknowledged order is lost and none is made twice, though sessions are ended again and again under load', async () => {
    const customers = await Promise.all(Array.from({ length: 6 }, () => shop.addUser()));
    const acknowledged: string[] = [];
    let [ended, refused] = [0, 0];
    const load = customers.map(async ({ authorization }) => {
      for (let n = 0; n < 8; n++) {
        const put = () => shop.api.put(`/api/cart/items/${product}`).set('Authorization', authorization).send({ quantity: 1 });
        const order = () =>
          shop.api
            .post('/api/orders')
            .set({ Authorization: authorization, 'Idempotency-Key': `k${n}` })
            .send({ shippingAddress: ADDRESS });
        for (const [call, expected] of [
          [put, [200]],
          [order, [200, 201]],
        ] as const) {
          const answer = await until('the request succeeds', async () => {
            const tried = await call();
            if (tried.status === 503) refused++;
            else expect(expected).toContain(tried.status);
            return tried.status === 503 ? undefined : tried;
          });
          if (call === order) acknowledged.push(answer.body.id);
        }
      }
    });
    const all = Promise.all(load).then(() => 'done');
    while ((await Promise.race([all, turn('running')])) === 'running') ended += (await admin(terminate(shop.database))).length;
    expect(ended).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(0);
    const orders = await until('the tables can be read', () => shop.sql<{ id: string }>('SELECT id FROM orders'));
    expect(orders.map(({ id }) => id).sort()).toEqual(acknowledged.sort());
    expect(orders).toHaveLength(48);
    expect((await shop.stockOf(product))?.on_hand).toBe(1000 - 48);
  });
});

describe('a session that the server ends', () => {
  it('in the middle of a transaction between two statements fails the next one, and the process lives', async () => {
    await expect(
      shop.db.transaction(async (tx) => {
        const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await admin(`SELECT pg_terminate_backend(${own?.pid}, 5000)`);
        await tx.query('SELECT 1');
      }),
    ).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('or that was lost to a conflict is not used again with its transaction open', async () => {
    const app = await startApp({ ...shop.environment, DB_POOL_MAX: '1' });
    try {
      const conflict = `DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = 'serialization_failure'; END $$`;
      await expect(app.db.transaction((tx) => tx.query(conflict))).rejects.toMatchObject({ code: 'unavailable' });
      expect(await app.db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await app.close();
    }
  });

  it('while idle does not end a process of its own', async () => {
    const server = await spawnServer(shop.environment);
    await server.api.get('/api/products').expect(200);
    await admin(terminate(shop.database));
    await until('the loss was logged', () => server.lines().some(({ msg }) => msg === 'database session lost'));
    await until('it serves again', async () => (await server.api.get('/api/products')).status === 200);
    expect(server.child.exitCode).toBeNull();
    server.child.kill('SIGTERM');
    expect((await server.finished).code).toBe(0);
  });
});

describe('while PostgreSQL', () => {
  it('is stopped, requests are answered 503; it comes back by itself', async () => {
    await postgres.stop();
    await expectUnavailable();
    await expectUnhealthy('database');
    await postgres.start();
    await recovered();
    await shop.api.get('/api/products').expect(200);
  });

  it('is frozen, health says so within its own timeout', async () => {
    await shop.api.get('/health').expect(200);
    const [session] = await shop.sql<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'pawpaw-backend' AND query = 'SELECT 1'`,
      [shop.database],
    );
    process.kill(session?.pid as number, 'SIGSTOP');
    try {
      await expectUnhealthy('database');
    } finally {
      process.kill(session?.pid as number, 'SIGCONT');
    }
  });
});

it('while Redis is away, carts are answered 503, the catalogue goes on, and it comes back by itself', async () => {
  const { authorization } = await shop.addUser();
  await shop.redisServer.stop();
  const { body } = await shop.api.get('/api/cart').set('Authorization', authorization).expect(503);
  expect(body.error.code).toBe('unavailable');
  await shop.api.get('/api/products').expect(200);
  await expectUnhealthy('redis');
  await shop.redisServer.start();
  await recovered();
  await shop.api.get('/api/cart').set('Authorization', authorization).expect(200);
});

it('a server that starts while the database is away serves as soon as that is back', async () => {
  await postgres.stop();
  const port = await freePort();
  const server = spawnProgram('server', { ...shop.environment, PORT: String(port) });
  const api = supertest(`http://127.0.0.1:${port}`);
  await until('it listens', () => server.lines().some(({ msg }) => msg === 'listening'));
  await api.get('/ready').expect(503);
  await postgres.start();
  await until('it serves', async () => (await api.get('/api/products')).status === 200);
  server.child.kill('SIGTERM');
  expect((await server.finished).code).toBe(0);
});
