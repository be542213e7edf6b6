import type { Database, Queryable } from '../db/database.js';

export type Job = { name: string; run: (tx: Queryable) => Promise<number> };
export type Outcome = { outcome: 'ran'; affected: number } | { outcome: 'not-due' } | { outcome: 'busy' };

/**
 * Runs the job if no replica has run it within the interval and none is running it. Lock, record and work are one transaction: a replica that
 * dies in the middle has done nothing, and the next one does it.
 */
export function runSingleton(db: Database, job: Job, intervalMs: number): Promise<Outcome> {
  return db.transaction(async (tx): Promise<Outcome> => {
    const [lock] = await tx.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock(hashtext($1)) AS mine', [`pawpaw job ${job.name}`]);
    if (!lock?.mine) return { outcome: 'busy' };
    const due = await tx.query(
      `INSERT INTO singleton_jobs AS j (name, last_run_at, runs) VALUES ($1, now(), 1)
       ON CONFLICT (name) DO UPDATE SET last_run_at = now(), runs = j.runs + 1
         WHERE j.last_run_at <= now() - make_interval(secs => $2 / 1000.0)
       RETURNING runs`,
      [job.name, intervalMs],
    );
    if (due.length === 0) return { outcome: 'not-due' };
    return { outcome: 'ran', affected: await job.run(tx) };
  });
}
