import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import supertest from 'supertest';
import { endWithTests, freePort } from './serverProcess.js';
import type { Environment } from './shop.js';
import { until } from './until.js';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type Finished = { code: number | null; signal: NodeJS.Signals | null; output: string };
export type Spawned = { child: ChildProcess; finished: Promise<Finished>; lines: () => Record<string, unknown>[] };

/** Runs one of the programs as a process, with this environment and nothing of the tests' own. */
export function spawnProgram(name: 'server' | 'migrate' | 'seed', environment: Environment, ...args: string[]): Spawned {
  const child = spawn(process.execPath, [`dist/${name}.js`, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithTests(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const finished = new Promise<Finished>((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })));
  const lines = () =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, finished, lines };
}

/** Runs a program to its end. */
export const runProgram = (...call: Parameters<typeof spawnProgram>): Promise<Finished> => spawnProgram(...call).finished;

/** A server as a process of its own, ready for requests. */
export async function spawnServer(environment: Environment) {
  const port = await freePort();
  const spawned = spawnProgram('server', { ...environment, PORT: String(port) });
  const api = supertest(`http://127.0.0.1:${port}`);
  await until('the server is ready', async () => (await api.get('/ready')).status === 200);
  return { ...spawned, port, api };
}
