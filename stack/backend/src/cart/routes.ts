import type { Router } from 'express';
import { z } from 'zod';
import type { Tokens } from '../auth/tokens.js';
import { productId } from '../catalog/routes.js';
import { parse } from '../http/validate.js';
import type { Cart } from './cart.js';
import { MAX_QUANTITY } from './cartStore.js';
import { ownerOf } from './owner.js';

const change = z.object({ quantity: z.number().int().min(1).max(MAX_QUANTITY) });

export function cartRoutes(router: Router, cart: Cart, tokens: Tokens): void {
  router.get('/api/cart', async (req, res) => {
    res.json(await cart.view(await ownerOf(req, tokens)));
  });

  router.put('/api/cart/items/:productId', async (req, res) => {
    const line = { productId: parse(productId, req.params.productId), ...parse(change, req.body) };
    res.json(await cart.set(await ownerOf(req, tokens), line));
  });

  router.delete('/api/cart/items/:productId', async (req, res) => {
    res.json(await cart.remove(await ownerOf(req, tokens), parse(productId, req.params.productId)));
  });
}
