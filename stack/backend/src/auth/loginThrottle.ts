import { createHash } from 'node:crypto';
import { ApiError } from '../errors.js';
import { type Redis, viaRedis } from '../redis/client.js';

const WINDOW_S = 15 * 60;
const FAILURES_PER_ACCOUNT = 10;
const FAILURES_PER_ADDRESS = 100;

// One step, so that a counter never stays without an end.
const COUNT = `
local failures = redis.call('INCR', KEYS[1])
if failures == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return failures`;

/** Bounds wrong passwords per account-and-address and per address; right ones are free. */
export class LoginThrottle {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async check(email: string, address: string): Promise<void> {
    const [account, all] = await viaRedis(() => this.#redis.mget(keys(email, address)));
    if (Number(account) >= FAILURES_PER_ACCOUNT || Number(all) >= FAILURES_PER_ADDRESS) {
      throw new ApiError(429, 'too_many_attempts', 'Demasiados intentos fallidos. Espera unos minutos e inténtalo de nuevo.');
    }
  }

  async recordFailure(email: string, address: string): Promise<void> {
    for (const key of keys(email, address)) await viaRedis(() => this.#redis.eval(COUNT, 1, key, WINDOW_S));
  }
}

function keys(email: string, address: string): [string, string] {
  const account = createHash('sha256').update(email).digest('hex');
  return [`pawpaw:login:${address}:${account}`, `pawpaw:login:${address}`];
}
