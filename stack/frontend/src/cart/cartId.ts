import { readStored, writeStored } from "../lib/storage";
import { uuid } from "../lib/uuid";

const KEY = "pawpaw.cartId";

/** Names the cart of a visitor without a session; login moves that cart into the user's. */
export function cartId(): string {
  const known = readStored(KEY);
  if (known) return known;
  const fresh = uuid();
  writeStored(KEY, fresh);
  return fresh;
}
