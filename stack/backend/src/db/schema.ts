import type { Database } from './database.js';
import type { Migration } from './migrations.js';

/** The newest migration that the database has seen, 0 for an empty one. */
export async function schemaVersion(db: Database): Promise<number> {
  const versions = await appliedVersions(db);
  return Math.max(0, ...versions);
}

/** Whether the database has all that this release needs. What a newer release added since is an expansion and does not matter. */
export async function schemaIsCurrent(db: Database, migrations: Migration[]): Promise<boolean> {
  const versions = new Set(await appliedVersions(db));
  return migrations.every(({ version }) => versions.has(version));
}

async function appliedVersions(db: Database): Promise<number[]> {
  const [table] = await db.probe<{ known: boolean }>(`SELECT to_regclass('schema_migrations') IS NOT NULL AS known`);
  if (!table?.known) return [];
  const rows = await db.probe<{ version: number }>('SELECT version FROM schema_migrations');
  return rows.map(({ version }) => version);
}
