import type { Request, RequestHandler } from 'express';
import promBundle from 'express-prom-bundle';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Database } from '../db/database.js';

// Fine where a shop's answers are: a p95 between 25 ms and 2.5 s is told apart.
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The route's pattern, so that ids and nonsense make no new series. Routes are registered with their full path. */
const routeOf = (req: Request) => (typeof req.route?.path === 'string' ? req.route.path : 'unmatched');

export type Metrics = {
  observe: RequestHandler;
  expose: RequestHandler;
  jobRuns: Counter<'job' | 'outcome'>;
};

export function createMetrics(db: Database, release: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'pawpaw_backend_info', help: 'The release that runs here', labelNames: ['release'], registers }).set({ release }, 1);
  new Gauge({
    name: 'pawpaw_db_pool_sessions',
    help: 'Database sessions of the request pool, and requests that wait for one',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(db.sessions())) this.set({ state }, count);
    },
  });
  const jobRuns = new Counter({
    name: 'pawpaw_job_attempts_total',
    help: 'Attempts of this replica at a singleton job, by outcome',
    labelNames: ['job', 'outcome'],
    registers,
  });
  return {
    observe: promBundle({
      promRegistry: registry,
      autoregister: false,
      includeMethod: true,
      includePath: true,
      // Prometheus makes a series of this name itself.
      includeUp: false,
      buckets: BUCKETS_S,
      normalizePath: routeOf,
    }),
    expose: async (_req, res) => {
      res.set('Content-Type', registry.contentType).end(await registry.metrics());
    },
    jobRuns,
  };
}
