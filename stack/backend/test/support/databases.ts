import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { type DatabaseConfig, databaseConfig } from '../../src/config.js';
import { clientOptions } from '../../src/db/database.js';
import { loadMigrations, MIGRATIONS_FOLDER } from '../../src/db/migrations.js';
import { migrate } from '../../src/db/migrator.js';
import { asSuperuser, type PostgresAccess } from './postgres.js';

export const silent = pino({ level: 'silent' });

export function databaseEnvironment(access: PostgresAccess, name: string) {
  return {
    DB_HOST: '127.0.0.1',
    DB_PORT: String(access.port),
    DB_NAME: name,
    DB_USER: 'pawpaw_app_a',
    DB_PASSWORD: access.appPassword,
    DB_OWNER: 'pawpaw_owner',
  };
}

export async function withSession<T>(config: DatabaseConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(clientOptions(config));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export async function migrateDatabase(access: PostgresAccess, name: string, folder = MIGRATIONS_FOLDER) {
  const migrations = await loadMigrations(folder);
  return withSession(databaseConfig(databaseEnvironment(access, name)), (client) => migrate(client, migrations, silent));
}

/** A new database of the owner role: empty, or a copy of a template. */
export async function createDatabase(access: PostgresAccess, template = 'template0'): Promise<string> {
  const name = `shop_${randomBytes(5).toString('hex')}`;
  await asSuperuser(access, 'postgres', `CREATE DATABASE ${name} OWNER pawpaw_owner TEMPLATE ${template}`);
  return name;
}
