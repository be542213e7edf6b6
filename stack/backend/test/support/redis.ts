import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { dropFolder, freePort, serverFolder, startProgram, stopProgram } from './serverProcess.js';
import { until } from './until.js';

export type RedisServer = {
  port: number;
  password: string;
  /** A connection that may do everything. */
  admin: Redis;
  start(): Promise<void>;
  stop(): Promise<void>;
  remove(): Promise<void>;
};

/** A Redis of its own; the application's user has there what it has in production. */
export async function startRedis(): Promise<RedisServer> {
  const folder = serverFolder();
  const port = await freePort();
  const [password, adminPassword] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  const acl = join(folder, 'users.acl');
  const app = '~pawpaw:* +@read +@write +@connection +@transaction +eval +evalsha -@dangerous -function -scan -randomkey +info';
  writeFileSync(
    acl,
    `user default reset off\nuser pawpaw_app reset on >${password} ${app}\nuser admin reset on >${adminPassword} ~* &* +@all\n`,
  );
  const admin = new Redis({ port, username: 'admin', password: adminPassword, lazyConnect: true, retryStrategy: () => 50 });
  // The tests stop the server on purpose.
  admin.on('error', () => undefined);

  let running: ReturnType<typeof startProgram>;
  const server: RedisServer = {
    port,
    password,
    admin,
    async start() {
      const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--aclfile', acl];
      running = startProgram('redis-server', ['--port', String(port), '--dir', folder, ...settings], folder);
      await until('Redis answers', async () => (await admin.ping()) === 'PONG');
    },
    stop: () => stopProgram(running.child, running.ended, 'SIGTERM'),
    async remove() {
      admin.disconnect();
      await server.stop();
      dropFolder(folder);
    },
  };
  await server.start();
  return server;
}
