import { Link } from "react-router";
import { toApiError } from "../api/errors";
import type { CartLine } from "../api/types";
import { LoteriaThumb } from "../art/LoteriaCard";
import { EmptyBowl } from "../art/scenes";
import { MAX_QUANTITY, useCart } from "../cart/CartProvider";
import { formatCents, plural } from "../lib/format";
import { usePageTitle } from "../lib/usePageTitle";
import { useSession } from "../session/sessionStore";
import { ArrowIcon, TrashIcon } from "../ui/icons";
import { useNotice } from "../ui/notices";
import { QuantityStepper } from "../ui/QuantityStepper";
import { LinesSkeleton } from "../ui/skeletons";
import { Unavailable } from "../ui/Unavailable";
import { Total } from "../ui/Total";

export function CartPage() {
  usePageTitle("Tu carrito");
  const { cart, count, error, busy, reload } = useCart();
  const session = useSession();

  if (!cart && error) return <Unavailable error={error} busy={busy} onRetry={reload} />;
  if (!cart) return <LinesSkeleton label="Cargando tu carrito…" />;
  if (cart.items.length === 0) {
    return (
      <section className="state">
        <EmptyBowl />
        <h1>Tu carrito está vacío</h1>
        <p>Alguien en casa ya te está viendo con ojitos.</p>
        <Link className="button" to="/">
          Ir de compras
        </Link>
      </section>
    );
  }
  return (
    <div className="wrap two-columns">
      <section aria-labelledby="titulo-carrito">
        <h1 id="titulo-carrito">Tu carrito</h1>
        <ul className="lines">
          {cart.items.map((line) => (
            <Line key={line.product.id} line={line} />
          ))}
        </ul>
        <Link to="/" className="back-link">
          Seguir comprando
        </Link>
      </section>
      <aside className="summary" aria-label="Resumen de la compra">
        <h2>Resumen</h2>
        <dl>
          <div>
            <dt>{plural(count ?? 0, "artículo", "artículos")}</dt>
            <dd>{formatCents(cart.totalCents)}</dd>
          </div>
          <Total cents={cart.totalCents} />
        </dl>
        <Link className="button button--large button--wide" to="/pagar">
          Hacer el pedido <ArrowIcon />
        </Link>
        {!session && <p className="summary__note">Te pediremos entrar o crear tu cuenta; el carrito se queda contigo.</p>}
      </aside>
    </div>
  );
}

function Line({ line: { product, quantity, lineTotalCents } }: { line: CartLine }) {
  const { setQuantity, busy } = useCart();
  const notify = useNotice();
  const change = (next: number) => {
    setQuantity(product.id, next).catch((error: unknown) => notify({ tone: "bad", text: toApiError(error).message }));
  };
  const remove = () => {
    setQuantity(product.id, 0).then(
      () => notify({ tone: "good", text: `Quitamos ${product.name} de tu carrito.` }),
      (error: unknown) => notify({ tone: "bad", text: toApiError(error).message }),
    );
  };
  return (
    <li className="line">
      <LoteriaThumb product={product} />
      <div className="line__what">
        <Link to={`/producto/${product.id}`}>{product.name}</Link>
        <span className="line__unit">{formatCents(product.priceCents)} c/u</span>
        {product.stock < quantity && <span className="stock stock--none">Solo quedan {product.stock}</span>}
      </div>
      <QuantityStepper
        label={`Cantidad de ${product.name}`}
        value={quantity}
        max={Math.min(product.stock, MAX_QUANTITY)}
        disabled={busy}
        onChange={change}
      />
      <span className="line__total">{formatCents(lineTotalCents)}</span>
      <button type="button" className="icon-button" aria-label={`Quitar ${product.name}`} disabled={busy} onClick={remove}>
        <TrashIcon />
      </button>
    </li>
  );
}
