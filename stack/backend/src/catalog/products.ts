import type { Queryable } from '../db/database.js';

export type Product = {
  id: number;
  sku: string;
  name: string;
  description: string;
  category: string;
  priceCents: number;
  stock: number;
  attributes: Record<string, unknown>;
};
export type Category = { slug: string; name: string; count: number };
export type Filter = { search: string; category: string | undefined; species: string | undefined; page: number; pageSize: number };

const COLUMNS = `p.id, p.sku, p.name, p.description, p.category, p.price_cents AS "priceCents", p.attributes`;
const MATCHES = `($1::text IS NULL OR p.category = $1)
  AND ($2::jsonb IS NULL OR p.attributes @> $2)
  AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS term WHERE strpos(p.search_text, term) = 0)`;

/** As the column `search_text` folds: without accents and case. */
export function searchTerms(search: string): string[] {
  const folded = search
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase();
  return folded.split(/\s+/).filter(Boolean);
}

export async function listProducts(db: Queryable, { search, category, species, page, pageSize }: Filter) {
  const matching = [category ?? null, species ? JSON.stringify({ especie: species }) : null, searchTerms(search)];
  const items = await db.query<Product>(
    `SELECT ${COLUMNS}, s.on_hand - s.reserved AS stock
     FROM products p JOIN stock s ON s.product_id = p.id
     WHERE ${MATCHES} ORDER BY p.name, p.id LIMIT $4 OFFSET $5`,
    [...matching, pageSize, (page - 1) * pageSize],
  );
  const [counted] = await db.query<{ total: number }>(`SELECT count(*) AS total FROM products p WHERE ${MATCHES}`, matching);
  const total = counted?.total ?? 0;
  return { items, page, pageSize, total, pages: Math.ceil(total / pageSize) };
}

export function listCategories(db: Queryable): Promise<Category[]> {
  return db.query<Category>(
    `SELECT c.slug, c.name, count(*) AS count FROM categories c JOIN products p ON p.category = c.slug GROUP BY c.slug ORDER BY c.name`,
  );
}

export async function findProduct(db: Queryable, id: number): Promise<Product | undefined> {
  const [product] = await db.query<Product>(
    `SELECT ${COLUMNS}, s.on_hand - s.reserved AS stock FROM products p JOIN stock s ON s.product_id = p.id WHERE p.id = $1`,
    [id],
  );
  return product;
}

/** The products of a cart; what its owner holds counts as in stock for the owner. */
export function productsFor(db: Queryable, owner: string, ids: number[]): Promise<Product[]> {
  return db.query<Product>(
    `SELECT ${COLUMNS}, s.on_hand - s.reserved + coalesce(r.quantity, 0) AS stock
     FROM products p JOIN stock s ON s.product_id = p.id LEFT JOIN reservations r ON r.product_id = p.id AND r.owner = $1
     WHERE p.id = ANY ($2)`,
    [owner, ids],
  );
}
