import { setTimeout as wait } from 'node:timers/promises';
import type { Counter } from 'prom-client';
import type { Database } from '../db/database.js';
import type { Logger } from '../log.js';
import { type Job, runSingleton } from './singleton.js';

type Options = { db: Database; log: Logger; attempts: Counter<'job' | 'outcome'>; intervalMs: number };

/** Tries the job now and then after each interval, until the signal. The promise ends when the last attempt has. */
export async function schedule(job: Job, { db, log, attempts, intervalMs }: Options, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const result = await runSingleton(db, job, intervalMs);
      attempts.inc({ job: job.name, outcome: result.outcome });
      log[result.outcome === 'ran' ? 'info' : 'debug']({ job: job.name, ...result }, 'job attempt');
    } catch (error) {
      // The database may be away, or not migrated yet; the next attempt is due anyway.
      attempts.inc({ job: job.name, outcome: 'failed' });
      log.warn({ job: job.name, err: error }, 'job attempt failed');
    }
    await wait(intervalMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
