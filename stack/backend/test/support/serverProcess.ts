import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NOBODY = 65534;
const asRoot = process.getuid?.() === 0;
// PostgreSQL refuses to run as root.
const identity = asRoot ? { uid: NOBODY, gid: NOBODY } : {};

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A folder that the servers may write. */
export function serverFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawpaw-test-'));
  if (asRoot) chownSync(folder, NOBODY, NOBODY);
  process.once('exit', () => dropFolder(folder));
  return folder;
}

export function dropFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

// How Vitest ends a worker whose tests do not come to an end; without this, nothing below would run.
process.once('SIGTERM', () => process.exit());

/** Whatever becomes of the tests, the process does not outlive them. */
export function endWithTests(child: ChildProcess): void {
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
}

/** Starts a program as an ordinary user; what it says is shown when it fails. */
export function startProgram(
  command: string,
  args: string[],
  folder: string,
): { child: ChildProcess; ended: Promise<number | null>; said: () => string } {
  const child = spawn(command, args, { ...identity, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  endWithTests(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  return { child, ended, said: () => output };
}

export async function stopProgram(child: ChildProcess, ended: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await ended;
}
