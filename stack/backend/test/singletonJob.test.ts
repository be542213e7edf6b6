import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSingleton } from '../src/jobs/singleton.js';
import { openShop, type Shop } from './support/shop.js';
import { spawnServer } from './support/spawned.js';
import { until } from './support/until.js';

const HOUR_MS = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

it('three servers expire the reservations once', async () => {
  const product = await shop.addProduct(100);
  await shop.sql('UPDATE stock SET reserved = 30 WHERE product_id = $1', [product]);
  for (let n = 0; n < 10; n++) {
    await shop.sql(`INSERT INTO reservations VALUES ($1, $2, 2, now())`, [`anon:${randomUUID()}`, product]);
  }
  const servers = await Promise.all([1, 2, 3].map(() => spawnServer({ ...shop.environment, JOB_INTERVAL_MS: String(HOUR_MS) })));
  try {
    const attempts = async (server: (typeof servers)[number]) => {
      const { text } = await server.api.get('/metrics').expect(200);
      return [...text.matchAll(/^pawpaw_job_attempts_total\{job="expire-reservations",outcome="([\w-]+)"\} (\d+)$/gm)].map(
        ([, outcome]) => outcome,
      );
    };
    const outcomes = await until('each server has tried', async () => {
      const all = await Promise.all(servers.map(attempts));
      return all.every((one) => one.length > 0) ? all.flat() : undefined;
    });
    expect(outcomes.filter((outcome) => outcome === 'ran')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'failed')).toEqual([]);
    expect(await shop.sql('SELECT name, runs FROM singleton_jobs')).toEqual([{ name: 'expire-reservations', runs: 1 }]);
    // 30 were counted, 20 of them had a reservation: a second decrement would show.
    expect(await shop.stockOf(product)).toEqual({ on_hand: 100, reserved: 10 });
  } finally {
    for (const { child } of servers) child.kill('SIGTERM');
    for (const { finished } of servers) expect((await finished).code).toBe(0);
  }
});

describe('a job', () => {
  it('of twenty attempts at once runs once, and again when it is due', async () => {
    let runs = 0;
    const job = { name: 'count', run: async () => ++runs };
    const attempts = await Promise.all(Array.from({ length: 20 }, () => runSingleton(shop.db, job, HOUR_MS)));
    expect(attempts.filter(({ outcome }) => outcome === 'ran')).toHaveLength(1);
    expect(runs).toBe(1);
    await shop.sql(`UPDATE singleton_jobs SET last_run_at = now() - interval '61 minutes' WHERE name = 'count'`);
    expect(await runSingleton(shop.db, job, HOUR_MS)).toEqual({ outcome: 'ran', affected: 2 });
  });

  it('that is running elsewhere is left alone', async () => {
    const inner = { name: 'slow', run: async () => 1 };
    const outer = { name: 'slow', run: async () => ((await runSingleton(shop.db, inner, 0)).outcome === 'busy' ? 7 : 0) };
    expect(await runSingleton(shop.db, outer, HOUR_MS)).toEqual({ outcome: 'ran', affected: 7 });
  });

  it('that failed has not run: the next attempt does it', async () => {
    const broken = { name: 'fragile', run: () => Promise.reject(new Error('broken')) };
    await expect(runSingleton(shop.db, broken, HOUR_MS)).rejects.toThrow('broken');
    expect(await runSingleton(shop.db, { name: 'fragile', run: async () => 3 }, HOUR_MS)).toEqual({ outcome: 'ran', affected: 3 });
  });

  it('whose database is away is tried again after the interval', async () => {
    const server = await spawnServer({ ...shop.environment, JOB_INTERVAL_MS: '100', DB_NAME: shop.database });
    try {
      await shop.sql('ALTER TABLE singleton_jobs RENAME TO gone');
      await until('an attempt failed', () => server.lines().some(({ msg }) => msg === 'job attempt failed'));
      await shop.sql('ALTER TABLE gone RENAME TO singleton_jobs');
      const failures = server.lines().length;
      await until('an attempt ran', () =>
        server
          .lines()
          .slice(failures)
          .some(({ msg }) => msg === 'job attempt'),
      );
    } finally {
      server.child.kill('SIGTERM');
      expect((await server.finished).code).toBe(0);
    }
  });
});
