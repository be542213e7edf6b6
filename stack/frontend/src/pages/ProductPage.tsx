import { useEffect, useState } from "react";
import { Link, useParams } from "react-router";
import { getProduct, listProducts } from "../api/shop";
import type { Product } from "../api/types";
import { LoteriaCard } from "../art/LoteriaCard";
import { MAX_QUANTITY, useCart } from "../cart/CartProvider";
import { useAddToCart } from "../cart/useAddToCart";
import { attributeRows } from "../lib/attributes";
import { catalogPath } from "../lib/catalogQuery";
import { formatCents } from "../lib/format";
import { usePageTitle } from "../lib/usePageTitle";
import { useResource } from "../lib/useResource";
import { Promises } from "../ui/Promises";
import { ProductCard } from "../ui/ProductCard";
import { QuantityStepper } from "../ui/QuantityStepper";
import { StockNote } from "../ui/StockNote";
import { Unavailable } from "../ui/Unavailable";
import { NotFoundPage } from "./NotFoundPage";

export function ProductPage() {
  const { id = "" } = useParams();
  const { data, error, busy, reload } = useResource(id, (signal) => getProduct(id, signal));
  // While another product loads the previous one must not stand under the new address.
  const product = data && String(data.id) === id ? data : undefined;
  usePageTitle(product?.name);

  if (error && (error.status === 404 || error.status === 400)) return <NotFoundPage />;
  if (error) return <Unavailable error={error} busy={busy} onRetry={reload} />;
  if (!product) return <ProductSkeleton />;
  return <ProductAndRelated key={product.id} product={product} />;
}

const RELATED = 4;

function ProductAndRelated({ product }: { product: Product }) {
  // One more than shown, for the product itself may be among them. Without them the page is whole too.
  const { data } = useResource(product.category, (signal) =>
    listProducts({ category: product.category, pageSize: RELATED + 1 }, signal),
  );
  const category = data?.categories.find(({ slug }) => slug === product.category)?.name;
  return (
    <div className="wrap">
      <ProductDetail product={product} category={category ?? "Más de esta categoría"} />
      <Related products={data?.items.filter(({ id }) => id !== product.id).slice(0, RELATED) ?? []} />
    </div>
  );
}

function ProductDetail({ product, category }: { product: Product; category: string }) {
  const [quantity, setQuantity] = useState(1);
  const { addToCart, adding } = useAddToCart();
  const { cart } = useCart();
  const inCart = cart?.items.find((line) => line.product.id === product.id)?.quantity ?? 0;
  const max = Math.min(product.stock, MAX_QUANTITY - inCart);
  const rows = attributeRows(product.attributes);

  useEffect(() => setQuantity((current) => Math.max(1, Math.min(current, max))), [max]);

  return (
    <article className="product">
      <div className="product__picture">
        <LoteriaCard product={product} large />
      </div>
      <div className="product__info">
        <nav aria-label="Ruta" className="breadcrumb">
          <Link to="/">Tienda</Link> <span aria-hidden="true">/</span>{" "}
          <Link to={catalogPath({ category: product.category })}>{category}</Link>
        </nav>
        <h1>{product.name}</h1>
        <p className="price price--large">{formatCents(product.priceCents)}</p>
        <StockNote stock={product.stock} />
        <p className="product__description">{product.description}</p>
        {product.stock > 0 && (
          <div className="product__buy">
            <QuantityStepper label="Cantidad" value={quantity} max={max} onChange={setQuantity} />
            <button
              type="button"
              className="button button--large"
              disabled={adding || max < 1}
              onClick={() => void addToCart(product, quantity)}
            >
              {adding ? "Agregando…" : "Agregar al carrito"}
            </button>
          </div>
        )}
        {inCart > 0 && (
          <p className="product__in-cart">
            Ya llevas {inCart} en tu <Link to="/carrito">carrito</Link>.
          </p>
        )}
        <Promises className="promises" />
        <dl className="attributes">
          {rows.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
          <div>
            <dt>Clave</dt>
            <dd>{product.sku}</dd>
          </div>
        </dl>
      </div>
    </article>
  );
}

function Related({ products }: { products: Product[] }) {
  if (products.length === 0) return null;
  return (
    <section className="related" aria-labelledby="relacionados">
      <h2 id="relacionados">También le puede gustar</h2>
      <div className="product-grid">
        {products.map((product) => (
          <ProductCard key={product.id} product={product} />
        ))}
      </div>
    </section>
  );
}

function ProductSkeleton() {
  return (
    <div className="wrap product" role="status">
      <span className="visually-hidden">Cargando el producto…</span>
      <div className="product__picture">
        <div className="skeleton skeleton--card" />
      </div>
      <div className="product__info">
        <div className="skeleton skeleton--title" />
        <div className="skeleton skeleton--line skeleton--short" />
        <div className="skeleton skeleton--line" />
        <div className="skeleton skeleton--line" />
      </div>
    </div>
  );
}
