import pg from 'pg';
import type { Logger } from '../log.js';
import { type Applied, type Migration, MigrationRefused, pendingMigrations } from './migrations.js';

// Any number will do that nothing else on this database uses.
const MIGRATION_LOCK = 728_401_001;
const WAIT_FOR_OTHER_RUNNER_MS = 120_000;
// A statement that waits for a lock makes all later ones on that table wait behind it: give up before any of them does. A request
// waits 3 s for a session and 5 s for a lock (database.ts); one that orders is not tried again elsewhere.
const LOCK_TIMEOUT_MS = 1500;
const STATEMENT_TIMEOUT_MS = 300_000;

const TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('expand', 'contract')),
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;

export async function appliedMigrations(client: pg.ClientBase): Promise<Applied[]> {
  const { rows: found } = await client.query<{ known: boolean }>(`SELECT to_regclass('schema_migrations') IS NOT NULL AS known`);
  if (!found[0]?.known) return [];
  return (await client.query<Applied>('SELECT version, name, kind, checksum FROM schema_migrations ORDER BY version')).rows;
}

/**
 * Applies what is pending, once, whoever else tries at the same time. Returns what this call applied.
 * The lock, and after a failure the open transaction, are the session's: the caller ends it.
 */
export async function migrate(client: pg.ClientBase, migrations: Migration[], log: Logger): Promise<Migration[]> {
  await client.query(`SET lock_timeout = ${WAIT_FOR_OTHER_RUNNER_MS}`);
  await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await client.query(`SET statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
  await client.query(TABLE);
  const pending = pendingMigrations(migrations, await appliedMigrations(client));
  for (const migration of pending) {
    await apply(client, migration);
    log.info({ version: migration.version, name: migration.name, kind: migration.kind }, 'migration applied');
  }
  return pending;
}

async function apply(client: pg.ClientBase, { version, name, kind, checksum, sql }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query('INSERT INTO schema_migrations (version, name, kind, checksum) VALUES ($1, $2, $3, $4)', [
      version,
      name,
      kind,
      checksum,
    ]);
    await client.query('COMMIT');
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    throw new MigrationRefused(`versión ${version} (${name}): ${error.message} (SQLSTATE ${error.code}); no se aplicó`, { cause: error });
  }
}
