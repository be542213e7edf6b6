import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { gate } from './support/gate.js';
import { type Environment, openShop, type Shop } from './support/shop.js';
import { spawnServer } from './support/spawned.js';
import { until } from './support/until.js';

let shop: Shop;
let product: number;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());
beforeEach(async () => {
  product = await shop.addProduct(10);
});

/** A server with a request in it that waits for a lock until `release` is called. */
async function serverAtWork(environment: Environment = {}) {
  const server = await spawnServer({ ...shop.environment, ...environment });
  const [held, work] = [gate(), gate()];
  const lock = shop.db.transaction(async (tx) => {
    await tx.query('SELECT FROM stock WHERE product_id = $1 FOR UPDATE', [product]);
    held.open();
    await work.passed;
  });
  await held.passed;
  const { authorization } = await shop.addUser();
  const inFlight = server.api
    .put(`/api/cart/items/${product}`)
    .set('Authorization', authorization)
    .send({ quantity: 1 })
    .then(
      ({ status }) => status,
      () => 'cut',
    );
  await until('the request waits', async () => {
    const rows = await shop.sql(`SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`, [shop.database]);
    return rows.length === 1;
  });
  return { server, inFlight, release: work.open, lock };
}

function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve, reject) => {
    socket.once('connect', () => resolve(false));
    socket.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? resolve(true) : reject(error)));
  }).finally(() => socket.destroy());
}

it('SIGTERM: takes no more, finishes what is in flight, exits 0', async () => {
  const { server, inFlight, release, lock } = await serverAtWork();
  server.child.kill('SIGTERM');
  await until('new connections are refused', () => refuses(server.port));
  expect(server.child.exitCode).toBeNull();
  release();
  await lock;
  expect(await inFlight).toBe(200);
  expect(await server.finished).toMatchObject({ code: 0, signal: null });
  const messages = server.lines().map(({ msg }) => msg);
  expect(messages.at(-1)).toBe('drained');
  expect(await shop.stockOf(product)).toEqual({ on_hand: 10, reserved: 1 });
});

it('SIGTERM with a delay: unready at once, serves until the delay is over', async () => {
  const server = await spawnServer({ ...shop.environment, DRAIN_DELAY_MS: '4000' });
  server.child.kill('SIGTERM');
  await until('it is unready', async () => (await server.api.get('/ready')).status === 503);
  const ready = await server.api.get('/ready').expect(503, { ready: false, reason: 'draining' });
  expect(ready.headers.connection).toBe('close');
  await server.api.get('/api/products').expect(200);
  await server.api.get('/health').expect(200);
  expect(await server.finished).toMatchObject({ code: 0 });
});

it('SIGTERM with a kept-alive connection: closes it when idle', async () => {
  const server = await spawnServer(shop.environment);
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/products`, { headers: { connection: 'keep-alive' } });
  await answer.text();
  expect(answer.headers.get('connection')).toBe('keep-alive');
  const askedAt = Date.now();
  server.child.kill('SIGTERM');
  expect(await server.finished).toMatchObject({ code: 0 });
  expect(Date.now() - askedAt).toBeLessThan(20_000);
});

it('SIGTERM with work that does not end: cuts it at the deadline and says so', async () => {
  const { server, inFlight, release, lock } = await serverAtWork({ DRAIN_TIMEOUT_MS: '300' });
  server.child.kill('SIGTERM');
  expect(await inFlight).toBe('cut');
  release();
  await lock;
  expect(await server.finished).toMatchObject({ code: 1 });
  const last = server.lines().filter(({ level }) => level === 'fatal');
  expect(last).toMatchObject([{ msg: 'requests in flight were cut after 300 ms' }]);
});

it('every line that a server writes is JSON with time, level, service and release, and a request’s has its id', async () => {
  const server = await spawnServer({ ...shop.environment, LOG_LEVEL: 'debug' });
  await server.api.get('/api/products?search=secreto').set('X-Request-Id', 'request-of-this-test').expect(200);
  server.child.kill('SIGTERM');
  await server.finished;
  for (const line of server.lines()) {
    expect(line).toMatchObject({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      level: expect.any(String),
      service: 'backend',
      release: 'test-1',
    });
  }
  const request = server.lines().find(({ request_id }) => request_id === 'request-of-this-test');
  expect(request).toMatchObject({
    msg: 'request',
    method: 'GET',
    path: '/api/products',
    status: 200,
    duration_ms: expect.any(Number),
    aborted: false,
  });
  expect(JSON.stringify(server.lines())).not.toContain('secreto');
});
