import { execFileSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { migrateDatabase } from './databases.js';
import { asSuperuser, type PostgresAccess, startPostgres } from './postgres.js';
import { ROOT } from './spawned.js';

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: PostgresAccess;
  }
}

/** Builds the programs that some tests start; one PostgreSQL for all files, each of which takes databases of its own from a migrated template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
  const server = await startPostgres();
  await asSuperuser(server, 'postgres', 'CREATE DATABASE shop_template OWNER pawpaw_owner');
  await migrateDatabase(server, 'shop_template');
  project.provide('postgres', { port: server.port, superuserPassword: server.superuserPassword, appPassword: server.appPassword });
  return () => server.remove();
}
