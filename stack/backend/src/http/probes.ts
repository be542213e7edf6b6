import type { Router } from 'express';
import type { Database } from '../db/database.js';
import type { Migration } from '../db/migrations.js';
import { schemaIsCurrent, schemaVersion } from '../db/schema.js';
import { Unavailable } from '../errors.js';
import { type Redis, viaRedis } from '../redis/client.js';
import type { Lifecycle } from './lifecycle.js';

type Services = { db: Database; redis: Redis; lifecycle: Lifecycle; migrations: Migration[]; release: string };

/** Whether it works, and how long it took; not why not, which is for the log. */
async function check(probe: () => Promise<unknown>) {
  const startedAt = performance.now();
  const ok = await probe().then(
    () => true,
    (error: unknown) => {
      if (error instanceof Unavailable) return false;
      throw error;
    },
  );
  return { ok, latencyMs: Math.round(performance.now() - startedAt) };
}

export function probeRoutes(router: Router, { db, redis, lifecycle, migrations, release }: Services): void {
  router.get('/health', async (_req, res) => {
    const [database, cache] = await Promise.all([check(() => db.probe('SELECT 1')), check(() => viaRedis(() => redis.ping()))]);
    const ok = database.ok && cache.ok;
    res.status(ok ? 200 : 503).json({ status: ok ? 'ok' : 'unavailable', release, checks: { database, redis: cache } });
  });

  router.get('/ready', async (_req, res) => {
    const reason = lifecycle.draining ? 'draining' : (await schemaIsCurrent(db, migrations)) ? undefined : 'migrating';
    res.status(reason ? 503 : 200).json({ ready: !reason, reason });
  });

  router.get('/api/version', async (_req, res) => {
    res.json({ release, schemaVersion: await schemaVersion(db) });
  });
}
