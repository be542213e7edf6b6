import type { TestProject } from 'vitest/node';
import { migrateDatabase } from './databases.js';
import { asSuperuser, type PostgresAccess, startPostgres } from './postgres.js';

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: PostgresAccess;
  }
}

/** One PostgreSQL for all files; each takes databases of its own from a migrated template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  await asSuperuser(server, 'postgres', 'CREATE DATABASE shop_template OWNER pawpaw_owner');
  await migrateDatabase(server, 'shop_template');
  project.provide('postgres', { port: server.port, superuserPassword: server.superuserPassword, appPassword: server.appPassword });
  return () => server.remove();
}
