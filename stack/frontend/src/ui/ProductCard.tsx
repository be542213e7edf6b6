import { Link } from "react-router";
import type { Product } from "../api/types";
import { LoteriaCard } from "../art/LoteriaCard";
import { useAddToCart } from "../cart/useAddToCart";
import { formatCents } from "../lib/format";
import { StockNote } from "./StockNote";

export function ProductCard({ product }: { product: Product }) {
  const { addToCart, adding } = useAddToCart();
  const nameId = `producto-${product.id}`;
  return (
    <article className="product-card" aria-labelledby={nameId}>
      <LoteriaCard product={product} />
      <div className="product-card__body">
        <h2 id={nameId} className="product-card__name">
          <Link to={`/producto/${product.id}`}>{product.name}</Link>
        </h2>
        <StockNote stock={product.stock} quiet />
        <div className="product-card__buy">
          <span className="price">{formatCents(product.priceCents)}</span>
          <button
            type="button"
            className="button button--small"
            disabled={adding || product.stock < 1}
            aria-describedby={nameId}
            onClick={() => void addToCart(product, 1)}
          >
            {adding ? "Agregando…" : "Agregar"}
          </button>
        </div>
      </div>
    </article>
  );
}

export function ProductCardSkeleton() {
  return (
    <div className="product-card product-card--skeleton" aria-hidden="true">
      <div className="skeleton skeleton--card" />
      <div className="product-card__body">
        <div className="skeleton skeleton--line" />
        <div className="skeleton skeleton--line skeleton--short" />
      </div>
    </div>
  );
}
