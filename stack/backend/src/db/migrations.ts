import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** `expand`: the previous release runs on it too. `contract`: it does not; only a restore goes back. */
export type Kind = 'expand' | 'contract';
export type Migration = { version: number; name: string; kind: Kind; checksum: string; sql: string };
export type Applied = { version: number; name: string; kind: Kind; checksum: string };

/** The database and the files of this release contradict each other; nothing was changed. */
export class MigrationRefused extends Error {}

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));

const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;
const HEADER = /^-- pawpaw: (expand|contract)\n/;

function parseMigration(file: string, sql: string): Migration {
  const [, number, name] = FILE.exec(file) ?? [];
  const kind = HEADER.exec(sql)?.[1];
  if (!number || !name) throw new MigrationRefused(`${file}: el nombre debe ser como 0001_algo.sql`);
  if (!kind) throw new MigrationRefused(`${file}: la primera línea debe ser "-- pawpaw: expand" o "-- pawpaw: contract"`);
  return { version: Number(number), name, kind: kind as Kind, checksum: createHash('sha256').update(sql).digest('hex'), sql };
}

/** The migrations of a folder, by version. */
export async function loadMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).sort();
  const migrations = await Promise.all(files.map(async (file) => parseMigration(file, await readFile(`${folder}/${file}`, 'utf8'))));
  for (const [index, migration] of migrations.entries()) {
    if (migration.version === migrations[index - 1]?.version) throw new MigrationRefused(`versión ${migration.version}: hay dos archivos`);
  }
  return migrations;
}

/** What is to be applied, in order. */
export function pendingMigrations(migrations: Migration[], applied: Applied[]): Migration[] {
  const done = new Map(applied.map((row) => [row.version, row]));
  // A newer release may have been here before a rollback: what this one does not know is not its business.
  for (const { version, name, checksum } of migrations) {
    const row = done.get(version);
    if (row && row.checksum !== checksum)
      throw new MigrationRefused(`versión ${version} (${name}): el archivo cambió después de aplicarse`);
  }
  const pending = migrations.filter(({ version }) => !done.has(version));
  const newest = Math.max(0, ...done.keys());
  const late = pending.find(({ version }) => version < newest);
  if (late) throw new MigrationRefused(`versión ${late.version} (${late.name}): está pendiente pero ya se aplicó la ${newest}`);
  return pending;
}
