import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { toApiError, type ApiError } from "../api/errors";
import { deleteCartItem, getCart, putCartItem } from "../api/shop";
import type { Cart, Product } from "../api/types";
import { sessionStore, useSession } from "../session/sessionStore";

export const MAX_QUANTITY = 99;

interface CartState {
  cart: Cart | undefined;
  error: ApiError | undefined;
  busy: boolean;
  /** Units in the cart, once known. */
  count: number | undefined;
  reload: () => Promise<void>;
  add: (product: Product, quantity: number) => Promise<void>;
  setQuantity: (productId: number, quantity: number) => Promise<void>;
}

/** A cart and whose it is: login and logout change which one is ours. */
interface HeldCart {
  token: string | undefined;
  cart: Cart;
}

const currentToken = () => sessionStore.get()?.token;

const CartContext = createContext<CartState | undefined>(undefined);

export function CartProvider({ children }: { children: ReactNode }) {
  const token = useSession()?.token;
  const [held, setHeld] = useState<HeldCart>();
  const [error, setError] = useState<ApiError>();
  const [pending, setPending] = useState(0);
  const latest = useRef<HeldCart>();
  const queue = useRef<Promise<unknown>>(Promise.resolve());

  // One call at a time: quantities are absolute, so answers must not overtake each other.
  const enqueue = useCallback((call: () => Promise<Cart>): Promise<void> => {
    const run = async () => {
      const tokenAtStart = currentToken();
      setPending((n) => n + 1);
      try {
        const answer = { token: tokenAtStart, cart: await call() };
        if (currentToken() !== tokenAtStart) return;
        latest.current = answer;
        setHeld(answer);
        setError(undefined);
      } finally {
        setPending((n) => n - 1);
      }
    };
    const result = queue.current.then(run);
    // The queue goes on after a failure; the caller of the failed call gets it through `result`.
    queue.current = result.catch(() => undefined);
    return result;
  }, []);

  const reload = useCallback(
    () => enqueue(getCart).catch((cause: unknown) => setError(toApiError(cause))),
    [enqueue],
  );

  useEffect(() => void reload(), [token, reload]);

  const add = useCallback(
    (product: Product, quantity: number) =>
      enqueue(async () => {
        const ours = latest.current?.token === currentToken() ? latest.current : undefined;
        const { items } = ours?.cart ?? (await getCart());
        const inCart = items.find((line) => line.product.id === product.id)?.quantity ?? 0;
        return putCartItem(product.id, Math.min(inCart + quantity, MAX_QUANTITY));
      }),
    [enqueue],
  );

  const setQuantity = useCallback(
    (productId: number, quantity: number) =>
      enqueue(() => (quantity === 0 ? deleteCartItem(productId) : putCartItem(productId, quantity))),
    [enqueue],
  );

  const cart = held && held.token === token ? held.cart : undefined;

  const value = useMemo<CartState>(
    () => ({
      cart,
      error,
      busy: pending > 0,
      count: cart?.items.reduce((sum, line) => sum + line.quantity, 0),
      reload,
      add,
      setQuantity,
    }),
    [cart, error, pending, reload, add, setQuantity],
  );
  return <CartContext.Provider value={value}>{children}</CartContext.Provider>;
}

export function useCart(): CartState {
  const value = useContext(CartContext);
  if (!value) throw new Error("useCart needs a CartProvider around it");
  return value;
}
