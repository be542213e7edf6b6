import type { ShippingAddress } from "../api/types";
import { parseStored, readStored, removeStored, writeStored } from "../lib/storage";
import { uuid } from "../lib/uuid";

const ATTEMPT = "pawpaw.checkout";
const ADDRESS = "pawpaw.address";

/**
 * One try to place an order. Stored before anything is sent, so that a retry after a lost answer, a reload
 * or a click in another tab carries the same Idempotency-Key and makes no second order.
 */
export interface CheckoutAttempt {
  key: string;
  userId: string;
  address: ShippingAddress;
  /** Sent, and not known whether the order was made. Its address must not change: the key stands for it. */
  unconfirmed: boolean;
}

export function storedAttempt(userId: string): CheckoutAttempt | undefined {
  const attempt = parseStored<CheckoutAttempt>(readStored(ATTEMPT));
  return attempt?.userId === userId ? attempt : undefined;
}

/** The attempt to send now. An unconfirmed one is repeated as it was, whatever the form says. */
export function beginAttempt(userId: string, address: ShippingAddress): CheckoutAttempt {
  const previous = storedAttempt(userId);
  const attempt: CheckoutAttempt = previous?.unconfirmed
    ? previous
    : { key: previous?.key ?? uuid(), userId, address, unconfirmed: true };
  writeStored(ATTEMPT, JSON.stringify(attempt));
  writeStored(ADDRESS, JSON.stringify(attempt.address));
  return attempt;
}

/** The server refused: no order was made, so the address may change. The key stays until success. */
export function attemptRefused(attempt: CheckoutAttempt): void {
  writeStored(ATTEMPT, JSON.stringify({ ...attempt, unconfirmed: false }));
}

export function endAttempt(): void {
  removeStored(ATTEMPT);
}

export function lastAddress(): ShippingAddress | undefined {
  return parseStored<ShippingAddress>(readStored(ADDRESS));
}

export function forgetCheckout(): void {
  removeStored(ATTEMPT);
  removeStored(ADDRESS);
}
