import { Redis, ReplyError } from 'ioredis';
import type { RedisConfig } from '../config.js';
import { Unavailable } from '../errors.js';
import type { Logger } from '../log.js';

export type { Redis };

// Replies that tell of the server's state, not of a wrong command.
const STATES = new Set(['LOADING', 'READONLY', 'MASTERDOWN', 'MISCONF', 'OOM', 'BUSY', 'NOAUTH', 'WRONGPASS', 'NOPERM']);

export function connectRedis(config: RedisConfig, log: Logger): Redis {
  const redis = new Redis({
    host: config.host,
    port: config.port,
    username: config.user,
    password: config.password,
    connectionName: 'pawpaw-backend',
    connectTimeout: 2000,
    commandTimeout: 2000,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
  });
  redis.on('error', (error) => log.warn({ err: error }, 'redis connection lost'));
  return redis;
}

/** Runs one Redis command; trouble that is not the command's own fault is thrown as `Unavailable`. */
export async function viaRedis<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (error) {
    const wrongCommand = error instanceof ReplyError && !STATES.has((error as Error).message.split(' ')[0] ?? '');
    if (wrongCommand || error instanceof TypeError) throw error;
    throw new Unavailable(error);
  }
}
