import type { Router } from 'express';
import { z } from 'zod';
import type { Database } from '../db/database.js';
import { notFound } from '../errors.js';
import { parse } from '../http/validate.js';
import { findProduct, listCategories, listProducts } from './products.js';

export const productId = z.coerce
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);

const listing = z.object({
  search: z.string().max(200).default(''),
  category: z.string().optional(),
  species: z.string().optional(),
  page: z.coerce.number().int().min(1).max(10_000).default(1),
  pageSize: z.coerce.number().int().min(1).max(100).default(24),
});

export function catalogRoutes(router: Router, db: Database): void {
  router.get('/api/products', async (req, res) => {
    // A form sends the fields that were left blank too.
    const given = Object.fromEntries(Object.entries(req.query).filter(([, value]) => value !== ''));
    const { category, species, ...rest } = parse(listing, given);
    const [products, categories] = await Promise.all([listProducts(db, { ...rest, category, species }), listCategories(db)]);
    res.json({ ...products, categories });
  });

  router.get('/api/products/:id', async (req, res) => {
    const product = await findProduct(db, parse(productId, req.params.id));
    if (!product) throw notFound('ese producto');
    res.json(product);
  });
}
