import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { dropFolder, freePort, serverFolder, startProgram, stopProgram } from './serverProcess.js';
import { until } from './until.js';

const DEBIAN = '/usr/lib/postgresql/15/bin';
const program = (name: string) => (existsSync(DEBIAN) ? join(DEBIAN, name) : name);

/** How to reach a server, as its superuser and as the application. */
export type PostgresAccess = { port: number; superuserPassword: string; appPassword: string };

export type PostgresServer = PostgresAccess & {
  start(): Promise<void>;
  /** `SIGINT` ends all sessions at once; `SIGSTOP` freezes the server, `SIGCONT` thaws it. */
  stop(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  remove(): Promise<void>;
};

export function superuser(access: PostgresAccess, database = 'postgres'): pg.Client {
  return new pg.Client({ host: '127.0.0.1', port: access.port, user: 'postgres', password: access.superuserPassword, database });
}

export async function asSuperuser<R extends pg.QueryResultRow>(
  access: PostgresAccess,
  database: string,
  ...statements: string[]
): Promise<R[]> {
  const client = superuser(access, database);
  await client.connect();
  try {
    let rows: R[] = [];
    for (const statement of statements) rows = (await client.query<R>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

/** A PostgreSQL of its own, with the production's roles and SCRAM. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = serverFolder();
  const data = join(folder, 'data');
  const access = {
    port: await freePort(),
    superuserPassword: randomBytes(12).toString('hex'),
    appPassword: randomBytes(12).toString('hex'),
  };
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, access.superuserPassword, { mode: 0o644 });
  const options = [
    '--auth=scram-sha-256',
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ];
  const init = startProgram(program('initdb'), ['-D', data, ...options], folder);
  if ((await init.ended) !== 0) throw new Error(init.said());

  let running: ReturnType<typeof startProgram>;
  const server: PostgresServer = {
    ...access,
    async start() {
      const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'].flatMap((setting) => ['-c', setting]);
      running = startProgram(program('postgres'), ['-D', data, '-p', String(access.port), ...settings], folder);
      await until('PostgreSQL answers', () => asSuperuser(access, 'postgres', 'SELECT 1'));
    },
    stop: () => stopProgram(running.child, running.ended, 'SIGINT'),
    signal: (signal) => void running.child.kill(signal),
    async remove() {
      await server.stop();
      dropFolder(folder);
    },
  };
  await server.start();
  await asSuperuser(
    access,
    'postgres',
    'CREATE ROLE pawpaw_owner NOLOGIN',
    `CREATE ROLE pawpaw_app_a LOGIN PASSWORD '${access.appPassword}' IN ROLE pawpaw_owner`,
  );
  return server;
}
