import { useRef, useState } from "react";
import { toApiError, type ApiError } from "../api/errors";
import { placeOrder } from "../api/shop";
import type { Order, ShippingAddress } from "../api/types";
import { attemptRefused, beginAttempt, endAttempt, storedAttempt } from "./attempt";

// The key, or its cart, has become an order already: repeating it can only fail again.
export const SPENT_CODES: ReadonlySet<string> = new Set(["idempotency_key_reused", "cart_already_ordered"]);

export interface Checkout {
  sending: boolean;
  /** Sent with an unknown outcome: the form is locked and the same order is tried again. */
  unconfirmed: boolean;
  error: ApiError | undefined;
  /** Resolves with the order, or with nothing when there is an error to show or a try is under way. */
  submit: (address: ShippingAddress) => Promise<Order | undefined>;
  startOver: () => void;
}

export function useCheckout(userId: string): Checkout {
  const [sending, setSending] = useState(false);
  const [unconfirmed, setUnconfirmed] = useState(() => storedAttempt(userId)?.unconfirmed ?? false);
  const [error, setError] = useState<ApiError>();
  // State is too late for a double click: the second one comes before the button is drawn disabled.
  const underWay = useRef(false);

  const submit = async (address: ShippingAddress): Promise<Order | undefined> => {
    if (underWay.current) return undefined;
    underWay.current = true;
    setSending(true);
    const attempt = beginAttempt(userId, address);
    try {
      const order = await placeOrder(attempt.address, attempt.key);
      endAttempt();
      setUnconfirmed(false);
      setError(undefined);
      // `underWay` stays set: this form has made its order, and a late second click must not start another.
      return order;
    } catch (cause) {
      const failure = toApiError(cause);
      setError(failure);
      setUnconfirmed(failure.outcomeUnknown);
      if (SPENT_CODES.has(failure.code)) endAttempt();
      else if (!failure.outcomeUnknown) attemptRefused(attempt);
      underWay.current = false;
      setSending(false);
      return undefined;
    }
  };

  const startOver = () => {
    endAttempt();
    setUnconfirmed(false);
    setError(undefined);
  };

  return { sending, unconfirmed, error, submit, startOver };
}
