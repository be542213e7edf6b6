import { useCallback, useState } from "react";
import { toApiError } from "../api/errors";
import type { Product } from "../api/types";
import { useNotice } from "../ui/notices";
import { useCart } from "./CartProvider";

export function useAddToCart() {
  const { add } = useCart();
  const notify = useNotice();
  const [adding, setAdding] = useState(false);

  const addToCart = useCallback(
    async (product: Product, quantity: number) => {
      setAdding(true);
      try {
        await add(product, quantity);
        notify({ tone: "good", text: `${product.name} ya está en tu carrito.`, link: { to: "/carrito", label: "Ver carrito" } });
      } catch (error) {
        notify({ tone: "bad", text: toApiError(error).message });
      } finally {
        setAdding(false);
      }
    },
    [add, notify],
  );
  return { addToCart, adding };
}
