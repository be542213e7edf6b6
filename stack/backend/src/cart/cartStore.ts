import { randomUUID } from 'node:crypto';
import { type Redis, viaRedis } from '../redis/client.js';

export type CartLine = { productId: number; quantity: number };
/** `id` names this filling of the cart: it changes when the cart is ordered. */
export type StoredCart = { id: string | undefined; lines: CartLine[] };

export const MAX_QUANTITY = 99;
// An abandoned cart ends by itself.
const TTL_S = 30 * 24 * 3600;

// A cart is a hash of product id -> quantity, and `id`. Each change is one script, so that none is ever half done.
const SET = `
redis.call('HSETNX', KEYS[1], 'id', ARGV[1])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])`;

const SETTLE = `
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return end
redis.call('HSET', KEYS[1], 'id', ARGV[2])
for i = 3, #ARGV, 2 do
  if redis.call('HINCRBY', KEYS[1], ARGV[i], -ARGV[i + 1]) <= 0 then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
if redis.call('HLEN', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end`;

const ADOPT = `
local from = redis.call('HGETALL', KEYS[1])
if #from == 0 then return end
redis.call('HSETNX', KEYS[2], 'id', ARGV[1])
for i = 1, #from, 2 do
  if from[i] ~= 'id' and redis.call('HINCRBY', KEYS[2], from[i], from[i + 1]) > tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[2], from[i], ARGV[2])
  end
end
redis.call('DEL', KEYS[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])`;

const keyOf = (owner: string) => `pawpaw:cart:${owner}`;

export class CartStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async read(owner: string): Promise<StoredCart> {
    const { id, ...quantities } = await viaRedis(() => this.#redis.hgetall(keyOf(owner)));
    const lines = Object.entries(quantities).map(([productId, quantity]) => ({ productId: Number(productId), quantity: Number(quantity) }));
    return { id, lines: lines.sort((a, b) => a.productId - b.productId) };
  }

  async set(owner: string, { productId, quantity }: CartLine): Promise<void> {
    await viaRedis(() => this.#redis.eval(SET, 1, keyOf(owner), randomUUID(), productId, quantity, TTL_S));
  }

  async remove(owner: string, productIds: number[]): Promise<void> {
    await viaRedis(() => this.#redis.hdel(keyOf(owner), ...productIds.map(String)));
  }

  /** Takes out what was ordered from the cart of this id; once, however often it is called. What was added meanwhile stays. */
  async settle(owner: string, cartId: string, ordered: CartLine[]): Promise<void> {
    const lines = ordered.flatMap(({ productId, quantity }) => [productId, quantity]);
    await viaRedis(() => this.#redis.eval(SETTLE, 1, keyOf(owner), cartId, randomUUID(), ...lines));
  }

  /** Moves all lines of one cart into another. */
  async adopt(from: string, to: string): Promise<void> {
    await viaRedis(() => this.#redis.eval(ADOPT, 2, keyOf(from), keyOf(to), randomUUID(), MAX_QUANTITY, TTL_S));
  }
}
