import { type Product, productsFor } from '../catalog/products.js';
import type { Database } from '../db/database.js';
import type { CartLine, CartStore } from './cartStore.js';
import { handOver, release, reserve } from './reservations.js';

export type CartView = { items: { product: Product; quantity: number; lineTotalCents: number }[]; totalCents: number };

/** The cart in Redis, with the stock that PostgreSQL holds for it. */
export class Cart {
  readonly #db: Database;
  readonly #store: CartStore;
  readonly #reservationTtlS: number;

  constructor(db: Database, store: CartStore, reservationTtlS: number) {
    this.#db = db;
    this.#store = store;
    this.#reservationTtlS = reservationTtlS;
  }

  async view(owner: string): Promise<CartView> {
    const { lines } = await this.#store.read(owner);
    const products = await productsFor(
      this.#db,
      owner,
      lines.map(({ productId }) => productId),
    );
    const byId = new Map(products.map((product) => [product.id, product]));
    // A product may be gone, after a restore for one; the cart forgets it.
    const gone = lines.filter(({ productId }) => !byId.has(productId)).map(({ productId }) => productId);
    if (gone.length > 0) await this.#store.remove(owner, gone);
    const items = lines.flatMap(({ productId, quantity }) => {
      const product = byId.get(productId);
      return product ? [{ product, quantity, lineTotalCents: product.priceCents * quantity }] : [];
    });
    return { items, totalCents: items.reduce((sum, { lineTotalCents }) => sum + lineTotalCents, 0) };
  }

  async set(owner: string, line: CartLine): Promise<CartView> {
    await this.#db.transaction((tx) => reserve(tx, owner, line, this.#reservationTtlS));
    await this.#store.set(owner, line);
    return this.view(owner);
  }

  async remove(owner: string, productId: number): Promise<CartView> {
    await this.#store.remove(owner, [productId]);
    await this.#db.transaction((tx) => release(tx, owner, productId));
    return this.view(owner);
  }

  /** Puts all of one owner's cart into another's. */
  async adopt(from: string, to: string): Promise<void> {
    await handOver(this.#db, from, to);
    await this.#store.adopt(from, to);
  }
}
