import express, { type Express } from 'express';
import { LoginThrottle } from './auth/loginThrottle.js';
import { authRoutes } from './auth/routes.js';
import { createTokens } from './auth/tokens.js';
import { Cart } from './cart/cart.js';
import { CartStore } from './cart/cartStore.js';
import { cartRoutes } from './cart/routes.js';
import { catalogRoutes } from './catalog/routes.js';
import type { JwtConfig } from './config.js';
import type { Database } from './db/database.js';
import type { Migration } from './db/migrations.js';
import { notFound } from './errors.js';
import { errorHandler } from './http/errorHandler.js';
import type { Lifecycle } from './http/lifecycle.js';
import type { Metrics } from './http/metrics.js';
import { probeRoutes } from './http/probes.js';
import { requestLog } from './http/requestLog.js';
import type { Logger } from './log.js';
import { orderRoutes } from './orders/routes.js';
import type { Redis } from './redis/client.js';

export type Services = {
  db: Database;
  redis: Redis;
  log: Logger;
  lifecycle: Lifecycle;
  metrics: Metrics;
  migrations: Migration[];
  jwt: JwtConfig;
  reservationTtlS: number;
  release: string;
};

export function createApp(services: Services): Express {
  const { db, redis, log, lifecycle, metrics, jwt, reservationTtlS } = services;
  const tokens = createTokens(jwt);
  const store = new CartStore(redis);
  const cart = new Cart(db, store, reservationTtlS);

  const app = express();
  app.disable('x-powered-by');
  // One gateway stands in front; what it says about the client is believed.
  app.set('trust proxy', 1);
  app.use(requestLog(log), lifecycle.middleware);
  app.get('/metrics', metrics.expose);
  app.use(metrics.observe, express.json({ limit: '32kb' }));
  probeRoutes(app, services);
  catalogRoutes(app, db);
  authRoutes(app, { db, tokens, cart, throttle: new LoginThrottle(redis) });
  cartRoutes(app, cart, tokens);
  orderRoutes(app, { db, store, tokens });
  app.use(() => {
    throw notFound('esa página');
  });
  app.use(errorHandler);
  return app;
}
