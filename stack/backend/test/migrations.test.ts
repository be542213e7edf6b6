import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { MIGRATIONS_FOLDER } from '../src/db/migrations.js';
import { createDatabase, databaseEnvironment, migrateDatabase } from './support/databases.js';
import { asSuperuser } from './support/postgres.js';
import { runProgram, spawnProgram } from './support/spawned.js';
import { until } from './support/until.js';

const access = inject('postgres');
let database: string;
let folder: string;

beforeEach(async () => {
  database = await createDatabase(access);
  folder = await mkdtemp(join(tmpdir(), 'pawpaw-migrations-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (file: string, sql: string, kind = 'expand') => writeFile(join(folder, file), `-- pawpaw: ${kind}\n${sql};\n`);
const apply = () => migrateDatabase(access, database, folder);
const sql = <R extends Record<string, unknown>>(...statements: string[]) => asSuperuser<R>(access, database, ...statements);
const versions = async () =>
  (await sql<{ version: number }>('SELECT version FROM schema_migrations ORDER BY version')).map((row) => row.version);
const environment = () => databaseEnvironment(access, database);

describe('the program', () => {
  it('applies all once; again, nothing', async () => {
    const files = await readdir(MIGRATIONS_FOLDER);
    for (const applied of [files.length, 0]) {
      const { code, output } = await runProgram('migrate', environment());
      expect(code, output).toBe(0);
      expect(JSON.parse(output.trim().split('\n').at(-1) as string)).toMatchObject({ msg: 'schema is current', applied });
    }
    expect(await versions()).toEqual(files.map((_, index) => index + 1));
  });

  it('leaves everything to the owner role, whichever login ran it', async () => {
    await runProgram('migrate', environment());
    const owners = await sql<{ owner: string }>(
      `SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace`,
    );
    expect(owners).toEqual([{ owner: 'pawpaw_owner' }]);
  });

  it('--check prints what is pending, changes nothing, and is empty after', async () => {
    const before = await runProgram('migrate', environment(), '--check');
    expect(before.code).toBe(0);
    const { schemaVersion, kind, pending } = JSON.parse(before.output);
    expect({ schemaVersion, kind }).toEqual({ schemaVersion: 0, kind: 'expand' });
    expect(pending[0]).toEqual({ version: 1, name: 'catalog', kind: 'expand' });
    expect(await sql(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);

    await runProgram('migrate', environment());
    const after = JSON.parse((await runProgram('migrate', environment(), '--check')).output);
    expect(after).toEqual({ schemaVersion: pending.length, kind: null, pending: [] });
  });

  it('run twice at once applies each migration once and both succeed', async () => {
    const runners = [1, 2, 3].map(() => spawnProgram('migrate', environment()));
    const results = await Promise.all(runners.map(({ finished }) => finished));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    const applied = runners.flatMap(({ lines }) => lines()).filter(({ msg }) => msg === 'migration applied');
    expect(applied).toHaveLength((await readdir(MIGRATIONS_FOLDER)).length);
  });

  it('fails when the database is away', async () => {
    const { code } = await runProgram('migrate', { ...environment(), DB_NAME: 'no_such_database' });
    expect(code).toBe(1);
  });
});

describe('a migration', () => {
  it('of kind contract is recorded and foretold as such', async () => {
    await write('0001_a.sql', 'CREATE TABLE a (x integer, y integer)');
    await write('0002_b.sql', 'ALTER TABLE a DROP COLUMN y', 'contract');
    await apply();
    expect(await sql('SELECT kind FROM schema_migrations ORDER BY version')).toEqual([{ kind: 'expand' }, { kind: 'contract' }]);
  });

  it('that takes its time is applied by one of four runners, and the others wait for it', async () => {
    await write('0001_a.sql', 'CREATE TABLE a (); SELECT pg_sleep(0.5)');
    const applied = await Promise.all([apply(), apply(), apply(), apply()]);
    expect(applied.flat().map(({ name }) => name)).toEqual(['a']);
  });

  it('that changed after it was applied is refused, and later ones wait', async () => {
    await write('0001_a.sql', 'CREATE TABLE a ()');
    await apply();
    await write('0001_a.sql', 'CREATE TABLE a (x integer)');
    await write('0002_b.sql', 'CREATE TABLE b ()');
    await expect(apply()).rejects.toThrow('versión 1 (a): el archivo cambió después de aplicarse');
    expect(await versions()).toEqual([1]);
  });

  it('that fails leaves nothing of itself, and all before it', async () => {
    await write('0001_a.sql', 'CREATE TABLE a ()');
    await write('0002_b.sql', 'CREATE TABLE b (); SELECT 1 / 0');
    await expect(apply()).rejects.toThrow(/versión 2 \(b\): division by zero \(SQLSTATE 22012\); no se aplicó/);
    expect(await versions()).toEqual([1]);
    expect(await sql(`SELECT to_regclass('b') AS b`)).toEqual([{ b: null }]);
  });

  it('that comes late, below an applied one, is refused', async () => {
    await write('0002_b.sql', 'CREATE TABLE b ()');
    await apply();
    await write('0001_a.sql', 'CREATE TABLE a ()');
    await expect(apply()).rejects.toThrow('versión 1 (a): está pendiente pero ya se aplicó la 2');
  });

  it('of a newer release does not bother an older one', async () => {
    await write('0001_a.sql', 'CREATE TABLE a ()');
    await write('0002_b.sql', 'CREATE TABLE b ()');
    await apply();
    await rm(join(folder, '0002_b.sql'));
    expect(await apply()).toEqual([]);
  });

  it.each([
    ['0001_a.sql', 'CREATE TABLE a ();', 'la primera línea debe ser'],
    ['one.sql', '-- pawpaw: expand\nSELECT 1;', 'el nombre debe ser como'],
  ])('file %s with %j is refused', async (file, text, message) => {
    await writeFile(join(folder, file), text);
    await expect(apply()).rejects.toThrow(message);
  });

  it('number taken twice is refused', async () => {
    await write('0001_a.sql', 'CREATE TABLE a ()');
    await write('0001_b.sql', 'CREATE TABLE b ()');
    await expect(apply()).rejects.toThrow('versión 1: hay dos archivos');
  });

  it('gives up soon behind a lock that the shop holds', async () => {
    await write('0001_a.sql', 'CREATE TABLE a ()');
    await apply();
    await write('0002_b.sql', 'ALTER TABLE a ADD COLUMN x integer');
    const blocker = asSuperuser(access, database, 'BEGIN', 'LOCK TABLE a', 'SELECT pg_sleep(60)');
    const ended = expect(blocker).rejects.toThrow('terminat');
    const holder = `SELECT pid FROM pg_stat_activity WHERE datname = '${database}' AND query = 'SELECT pg_sleep(60)'`;
    await until('the table is locked', async () => (await sql(holder)).length === 1);
    await expect(apply()).rejects.toThrow('(SQLSTATE 55P03); no se aplicó');
    await sql(`SELECT pg_terminate_backend(pid) FROM (${holder}) AS holder`);
    await ended;
  });
});
