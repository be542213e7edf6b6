import pg from 'pg';
import { databaseConfig } from './config.js';
import { clientOptions } from './db/database.js';
import { loadMigrations, MIGRATIONS_FOLDER, pendingMigrations } from './db/migrations.js';
import { appliedMigrations, migrate } from './db/migrator.js';
import { runProgram } from './log.js';

/** `migrate.js` brings the schema to this release; `migrate.js --check` changes nothing and prints what it would apply. */
await runProgram(async (log) => {
  const client = new pg.Client(clientOptions(databaseConfig(process.env)));
  client.on('error', (error) => log.error({ err: error }, 'database session lost'));
  const migrations = await loadMigrations(MIGRATIONS_FOLDER);
  await client.connect();
  try {
    if (process.argv.includes('--check')) {
      const applied = await appliedMigrations(client);
      const pending = pendingMigrations(migrations, applied).map(({ version, name, kind }) => ({ version, name, kind }));
      const kind = pending.some((migration) => migration.kind === 'contract') ? 'contract' : pending.length > 0 ? 'expand' : null;
      process.stdout.write(`${JSON.stringify({ schemaVersion: applied.at(-1)?.version ?? 0, kind, pending })}\n`);
    } else {
      const done = await migrate(client, migrations, log);
      log.info({ applied: done.length, schemaVersion: migrations.at(-1)?.version ?? 0 }, 'schema is current');
    }
  } finally {
    await client.end();
  }
});
