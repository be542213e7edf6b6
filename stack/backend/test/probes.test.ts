import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIGRATIONS_FOLDER } from '../src/db/migrations.js';
import { gate } from './support/gate.js';
import { openShop, type Shop } from './support/shop.js';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describe('the probes', () => {
  it('/health names both stores', async () => {
    const { body } = await shop.api.get('/health').expect(200);
    expect(body).toEqual({
      status: 'ok',
      release: 'test-1',
      checks: { database: { ok: true, latencyMs: expect.any(Number) }, redis: { ok: true, latencyMs: expect.any(Number) } },
    });
  });

  it('/health is well while all request sessions are busy', async () => {
    const busy: Promise<unknown>[] = [];
    const work = gate();
    for (let n = 0; n < 10; n++) busy.push(shop.db.transaction(() => work.passed));
    await shop.api.get('/health').expect(200);
    work.open();
    await Promise.all(busy);
  });

  it('/api/version tells release and schema', async () => {
    const { body } = await shop.api.get('/api/version').expect(200);
    expect(body).toEqual({ release: 'test-1', schemaVersion: (await readdir(MIGRATIONS_FOLDER)).length });
  });

  it('/ready only while the schema has all that this release needs; a newer schema is as good', async () => {
    await shop.api.get('/ready').expect(200, { ready: true });
    await shop.sql(`INSERT INTO schema_migrations (version, name, kind, checksum) VALUES (9999, 'next', 'expand', '')`);
    await shop.api.get('/ready').expect(200);
    await shop.sql('UPDATE schema_migrations SET version = 9998 WHERE version = 1');
    await shop.api.get('/ready').expect(503, { ready: false, reason: 'migrating' });
    await shop.sql('UPDATE schema_migrations SET version = 1 WHERE version = 9998');
    await shop.api.get('/ready').expect(200);
  });

  it('/ready on an empty database: migrating', async () => {
    const empty = await openShop(undefined, 'template0');
    try {
      await empty.api.get('/ready').expect(503, { ready: false, reason: 'migrating' });
      await empty.api.get('/api/version').expect(200, { release: 'test-1', schemaVersion: 0 });
    } finally {
      await empty.close();
    }
  });
});

describe('the metrics', () => {
  async function metrics(): Promise<string[]> {
    const { text, headers } = await shop.api.get('/metrics').expect(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    return text.split('\n');
  }

  it('measure requests by method, route and status, in the buckets of the contract', async () => {
    const id = await shop.addProduct(1);
    await shop.api.get(`/api/products/${id}`).expect(200);
    await shop.api.get('/api/products/424242').expect(404);
    await shop.api.get('/wp-login.php').expect(404);
    const lines = (await metrics()).filter((line) => line.startsWith('http_request_duration_seconds'));

    const buckets = lines.filter(
      (line) => line.includes('_bucket') && line.includes('path="/api/products/:id"') && line.includes('status_code="200"'),
    );
    expect(buckets.map((line) => /le="([^"]+)"/.exec(line)?.[1])).toEqual([
      '0.005',
      '0.01',
      '0.025',
      '0.05',
      '0.1',
      '0.25',
      '0.5',
      '1',
      '2.5',
      '5',
      '10',
      '+Inf',
    ]);
    expect(buckets.every((line) => line.includes('method="GET"'))).toBe(true);
    const paths = new Set(lines.map((line) => /path="([^"]*)"/.exec(line)?.[1]));
    expect(paths).toContain('unmatched');
    expect([...paths].filter((path) => path?.includes('424242') || path?.includes('wp-login'))).toEqual([]);
    expect(lines).toContainEqual(expect.stringMatching(/_count\{.*status_code="404".*path="\/api\/products\/:id".*\} 1$/));
  });

  it('have the process’s own, the release, the pool and the jobs, and no series that Prometheus makes itself', async () => {
    const names = new Set((await metrics()).map((line) => line.split(/[{ ]/)[0]));
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'pawpaw_backend_info',
    ]) {
      expect(names).toContain(name);
    }
    expect(names).toContain('pawpaw_db_pool_sessions');
    expect(names).not.toContain('up');
  });
});

describe('every answer', () => {
  it('carries the gateway’s request id, or one of its own when that is none', async () => {
    const given = await shop.api.get('/ready').set('X-Request-Id', 'a1b2c3d4e5f6');
    expect(given.headers['x-request-id']).toBe('a1b2c3d4e5f6');
    for (const bad of ['', 'x', 'a b c d e f g h']) {
      const own = await shop.api.get('/ready').set('X-Request-Id', bad);
      expect(own.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it.each([
    ['an unknown path', () => shop.api.get('/api/nothing'), 404, 'not_found'],
    ['a path that is no UTF-8', () => shop.api.get('/api/products/%ff'), 400, 'invalid_request'],
    ['a body that is no JSON', () => shop.api.post('/api/auth/login').type('json').send('{'), 400, 'invalid_request'],
    ['no body', () => shop.api.post('/api/auth/login'), 400, 'invalid_request'],
    ['a body that is too large', () => shop.api.post('/api/auth/login').send({ email: 'x'.repeat(40_000) }), 413, 'too_large'],
  ])('to %s is of the one shape', async (_, call, status, code) => {
    const { body } = await call().expect(status);
    expect(body).toEqual({ error: { code, message: expect.any(String) } });
  });

  it('to a fault of our own says nothing of it', async () => {
    await shop.sql('ALTER TABLE products RENAME COLUMN sku TO sku_gone');
    const { body } = await shop.api.get('/api/products').expect(500);
    expect(body).toEqual({ error: { code: 'internal', message: 'Algo salió mal de nuestro lado. Inténtalo de nuevo.' } });
    await shop.sql('ALTER TABLE products RENAME COLUMN sku_gone TO sku');
  });
});
