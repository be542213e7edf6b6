import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import supertest from 'supertest';
import { inject } from 'vitest';
import { createApp } from '../../src/app.js';
import { createTokens } from '../../src/auth/tokens.js';
import { CartStore } from '../../src/cart/cartStore.js';
import { serverConfig } from '../../src/config.js';
import { Database } from '../../src/db/database.js';
import { loadMigrations, MIGRATIONS_FOLDER } from '../../src/db/migrations.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { createMetrics } from '../../src/http/metrics.js';
import { connectRedis } from '../../src/redis/client.js';
import { createDatabase, databaseEnvironment, silent } from './databases.js';
import type { PostgresAccess } from './postgres.js';
import { type RedisServer, startRedis } from './redis.js';

export type Environment = Record<string, string>;

export const ADDRESS = { recipient: 'Ana Núñez', street: 'Av. Juárez 123', city: 'Torreón', state: 'Coahuila', postalCode: '27000' };

export function serverEnvironment(access: PostgresAccess, database: string, redis: Pick<RedisServer, 'port' | 'password'>): Environment {
  return {
    ...databaseEnvironment(access, database),
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
    REDIS_USER: 'pawpaw_app',
    REDIS_PASSWORD: redis.password,
    JWT_SECRET: randomBytes(24).toString('hex'),
    JWT_KID: '1',
    RELEASE_ID: 'test-1',
  };
}

/** The application, listening in this process. */
export async function startApp(environment: Environment) {
  const config = serverConfig(environment);
  const db = new Database(config.database, silent);
  const redis = connectRedis(config.redis, silent);
  const release = 'test-1';
  const migrations = await loadMigrations(MIGRATIONS_FOLDER);
  const { jwt, reservationTtlS } = config;
  const services = {
    db,
    redis,
    lifecycle: new Lifecycle(),
    metrics: createMetrics(db, release),
    migrations,
    jwt,
    reservationTtlS,
    release,
  };
  const server = createServer(createApp({ ...services, log: silent }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...services,
    api: supertest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    store: new CartStore(redis),
    tokens: createTokens(config.jwt),
    async close() {
      await new Promise((resolve) => server.close(resolve));
      redis.disconnect();
      await db.close();
    },
  };
}

/** A shop with a database and a Redis of its own, and a session that sees what is really in the tables. */
export async function openShop(access: PostgresAccess = inject('postgres'), template = 'shop_template') {
  const redis = await startRedis();
  const database = await createDatabase(access, template);
  const environment = serverEnvironment(access, database, redis);
  const app = await startApp(environment);
  const tables = new pg.Pool({
    host: '127.0.0.1',
    port: access.port,
    user: 'postgres',
    password: access.superuserPassword,
    database,
    max: 2,
  });
  tables.on('error', () => undefined);

  async function sql<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await tables.query<R>(text, values)).rows;
  }

  return {
    ...app,
    environment,
    database,
    redisServer: redis,
    sql,

    async addProduct(stock: number, name = 'Pelota', priceCents = 1000): Promise<number> {
      await sql(`INSERT INTO categories VALUES ('juguetes', 'Juguetes') ON CONFLICT DO NOTHING`);
      const rows = await sql<{ id: number }>(
        `WITH p AS (INSERT INTO products (sku, name, description, category, price_cents) VALUES ($1, $2, '', 'juguetes', $3) RETURNING id)
         INSERT INTO stock (product_id, on_hand) SELECT id, $4 FROM p RETURNING product_id AS id`,
        [randomUUID(), name, priceCents, stock],
      );
      return rows[0]?.id as number;
    },

    async stockOf(product: number) {
      return (await sql<{ on_hand: number; reserved: number }>('SELECT on_hand, reserved FROM stock WHERE product_id = $1', [product]))[0];
    },

    /** A user without the cost of a real password. */
    async addUser() {
      const email = `${randomUUID()}@pawpaw.mx`;
      const rows = await sql<{ id: string }>(`INSERT INTO users (email, name, password_hash) VALUES ($1, 'Ana', 'none') RETURNING id`, [
        email,
      ]);
      const id = rows[0]?.id as string;
      return { id, authorization: `Bearer ${await app.tokens.sign(id)}` };
    },

    async close() {
      await app.close();
      await tables.end();
      await redis.remove();
    },
  };
}

export type Shop = Awaited<ReturnType<typeof openShop>>;
