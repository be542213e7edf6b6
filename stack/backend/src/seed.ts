import { readFile } from 'node:fs/promises';
import { hashPassword, passwordMatches } from './auth/password.js';
import { findUser, insertUser } from './auth/users.js';
import { databaseConfig, seedPassword } from './config.js';
import { Database, type Queryable } from './db/database.js';
import { runProgram } from './log.js';

type Catalog = { categories: Record<string, string>; products: unknown[] };

const DEMO_USER = { email: 'demo@pawpaw.mx', name: 'Cliente de demostración' };

async function seedCatalog(tx: Queryable, { categories, products }: Catalog): Promise<void> {
  await tx.query(
    `INSERT INTO categories (slug, name) SELECT key, value FROM jsonb_each_text($1)
     ON CONFLICT (slug) DO UPDATE SET name = excluded.name`,
    [JSON.stringify(categories)],
  );
  await tx.query(
    `INSERT INTO products (sku, name, description, category, price_cents, attributes)
     SELECT sku, name, description, category, "priceCents", attributes
     FROM jsonb_to_recordset($1) AS p (sku text, name text, description text, category text, "priceCents" integer, attributes jsonb)
     ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description, category = excluded.category,
       price_cents = excluded.price_cents, attributes = excluded.attributes`,
    [JSON.stringify(products)],
  );
  // What has been sold stays sold.
  await tx.query(
    `INSERT INTO stock (product_id, on_hand) SELECT p.id, s.stock FROM jsonb_to_recordset($1) AS s (sku text, stock integer)
     JOIN products p USING (sku) ON CONFLICT (product_id) DO NOTHING`,
    [JSON.stringify(products)],
  );
}

async function seedUser(tx: Queryable, password: string): Promise<void> {
  const user = await findUser(tx, DEMO_USER.email);
  if (!user) await insertUser(tx, DEMO_USER, await hashPassword(password));
  else if (!(await passwordMatches(password, user.password_hash))) {
    await tx.query('UPDATE users SET password_hash = $2 WHERE id = $1', [user.id, await hashPassword(password)]);
  }
}

/** Fills a demo shop; again, it changes only what the catalogue file or the password changed. */
await runProgram(async (log) => {
  const password = seedPassword(process.env);
  const catalog = JSON.parse(await readFile(new URL('../data/catalog.json', import.meta.url), 'utf8')) as Catalog;
  const db = new Database(databaseConfig(process.env), log);
  try {
    await db.transaction(async (tx) => {
      await seedCatalog(tx, catalog);
      await seedUser(tx, password);
    });
    log.info({ products: catalog.products.length, user: DEMO_USER.email }, 'shop seeded');
  } finally {
    await db.close();
  }
});
