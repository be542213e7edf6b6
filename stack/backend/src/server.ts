import { createServer } from 'node:http';
import { createApp } from './app.js';
import { expireReservations } from './cart/reservations.js';
import { logConfig, serverConfig } from './config.js';
import { Database } from './db/database.js';
import { loadMigrations, MIGRATIONS_FOLDER } from './db/migrations.js';
import { Lifecycle } from './http/lifecycle.js';
import { createMetrics } from './http/metrics.js';
import { schedule } from './jobs/schedule.js';
import { runProgram } from './log.js';
import { connectRedis } from './redis/client.js';

// Longer than the gateway keeps an idle connection: the side that sends requests must be the one that closes, or one is sent into a closing connection.
const KEEP_ALIVE_MS = 75_000;

const terminated = new Promise<NodeJS.Signals>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
});

await runProgram(async (log) => {
  const config = serverConfig(process.env);
  const { RELEASE_ID: release } = logConfig(process.env);
  const migrations = await loadMigrations(MIGRATIONS_FOLDER);
  const db = new Database(config.database, log);
  const redis = connectRedis(config.redis, log);
  const lifecycle = new Lifecycle();
  const metrics = createMetrics(db, release);
  const { jwt, reservationTtlS } = config;
  const server = createServer(createApp({ db, redis, log, lifecycle, metrics, migrations, jwt, reservationTtlS, release }));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1000;
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(config.port, resolve));
  log.info({ port: config.port }, 'listening');

  const stopJobs = new AbortController();
  const jobs = schedule(
    { name: 'expire-reservations', run: expireReservations },
    { db, log, attempts: metrics.jobRuns, intervalMs: config.jobIntervalMs },
    stopJobs.signal,
  );

  const signal = await terminated;
  log.info({ signal }, 'draining');
  stopJobs.abort();
  const whole = await lifecycle.drain(server, config.drain);
  await jobs;
  redis.disconnect();
  await db.close();
  if (!whole) throw new Error(`requests in flight were cut after ${config.drain.timeoutMs} ms`);
  log.info('drained');
});
