import pg from 'pg';
import type { DatabaseConfig } from '../config.js';
import { Unavailable } from '../errors.js';
import type { Logger } from '../log.js';
import { asUnavailable } from './unavailable.js';

// Counts and money are bigint in SQL; both stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export type Row = Record<string, unknown>;

/** Something that runs one statement: the pool, or an open transaction. */
export interface Queryable {
  query<R extends Row>(text: string, values?: unknown[]): Promise<R[]>;
}

export function clientOptions(config: DatabaseConfig): pg.ClientConfig {
  return {
    host: config.host,
    port: config.port,
    database: config.name,
    user: config.user,
    password: config.password,
    application_name: 'pawpaw-backend',
    connectionTimeoutMillis: 3000,
    keepAlive: true,
    // Whichever login is in use, what it makes belongs to the owner role.
    ...(config.owner ? { options: `-c role=${config.owner}` } : {}),
  };
}

/** The pools of one process. Every failure that is not the statement's own fault is thrown as `Unavailable`. */
export class Database implements Queryable {
  readonly #requests: pg.Pool;
  // Probes have a session of their own: a busy pool must not look like a dead database.
  readonly #probes: pg.Pool;

  constructor(config: DatabaseConfig, log: Logger) {
    const open = (max: number, timeoutMs: number) => {
      const pool = new pg.Pool({
        ...clientOptions(config),
        max,
        statement_timeout: timeoutMs,
        lock_timeout: timeoutMs / 2,
        idle_in_transaction_session_timeout: timeoutMs,
        // The server's own timeouts do not help when it is frozen or its host is gone.
        query_timeout: timeoutMs + 1000,
      });
      // A session that the server ends (restart, restore) reports here, in the pool or checked out; without a listener the process would die.
      const lost = (error: Error) => log.warn({ err: error }, 'database session lost');
      pool.on('error', lost);
      pool.on('connect', (client) => client.on('error', lost));
      return pool;
    };
    this.#requests = open(config.poolMax, 10_000);
    this.#probes = open(1, 2000);
  }

  query<R extends Row>(text: string, values?: unknown[]): Promise<R[]> {
    return withClient(this.#requests, (client) => run<R>(client, text, values));
  }

  probe<R extends Row>(text: string): Promise<R[]> {
    return withClient(this.#probes, (client) => run<R>(client, text));
  }

  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return withClient(this.#requests, async (client) => {
      await run(client, 'BEGIN');
      try {
        const result = await work({ query: (text, values) => run(client, text, values) });
        await run(client, 'COMMIT');
        return result;
      } catch (error) {
        // A session that is in doubt is closed by `withClient`, which rolls back too.
        if (!(error instanceof Unavailable)) await run(client, 'ROLLBACK');
        throw error;
      }
    });
  }

  /** Sessions of the request pool by state, for the metrics. */
  sessions() {
    const { totalCount, idleCount, waitingCount } = this.#requests;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  async close(): Promise<void> {
    await Promise.all([this.#requests.end(), this.#probes.end()]);
  }
}

async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new Unavailable(error);
  });
  let inDoubt = false;
  try {
    return await work(client);
  } catch (error) {
    inDoubt = error instanceof Unavailable;
    throw error;
  } finally {
    client.release(inDoubt);
  }
}

async function run<R extends Row>(client: pg.ClientBase, text: string, values: unknown[] = []): Promise<R[]> {
  try {
    return (await client.query<R>(text, values)).rows;
  } catch (error) {
    throw asUnavailable(error);
  }
}
