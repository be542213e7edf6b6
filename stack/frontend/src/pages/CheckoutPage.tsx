import { useEffect, useRef, useState, type FormEvent } from "react";
import { Link, Navigate, useNavigate } from "react-router";
import type { Session } from "../api/types";
import { useCart } from "../cart/CartProvider";
import { initialForm, toAddress, validateAddress, type AddressErrors } from "../checkout/address";
import { lastAddress } from "../checkout/attempt";
import { SPENT_CODES, useCheckout, type Checkout } from "../checkout/useCheckout";
import { formatCents } from "../lib/format";
import { usePageTitle } from "../lib/usePageTitle";
import { useSession } from "../session/sessionStore";
import { AddressFields } from "../ui/AddressFields";
import { LinesSkeleton } from "../ui/skeletons";
import { Unavailable } from "../ui/Unavailable";
import { Total } from "../ui/Total";

export function CheckoutPage() {
  usePageTitle("Hacer el pedido");
  const session = useSession();
  // RequireSession is about to lead away when the session ends under this page.
  return session ? <CheckoutForm session={session} /> : null;
}

function CheckoutForm({ session: { user } }: { session: Session }) {
  const { cart, error: cartError, busy, reload } = useCart();
  const checkout = useCheckout(user.id);
  const navigate = useNavigate();
  const [form, setForm] = useState(() => initialForm(lastAddress(), user.name));
  const [errors, setErrors] = useState<AddressErrors>({});
  const [placed, setPlaced] = useState(false);
  const formElement = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (Object.keys(errors).length > 0) formElement.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [errors]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found = validateAddress(form);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    const order = await checkout.submit(toAddress(form));
    if (order) {
      setPlaced(true);
      void navigate(`/pedidos/${order.id}`, { replace: true, state: { placed: true } });
    }
    // Ordered, or refused because of what is in it: either way it is not what is shown any more.
    void reload();
  };

  // With an order of unknown outcome the cart may be empty just because the order was made.
  const mustStay = checkout.unconfirmed || checkout.sending || placed || checkout.error !== undefined;
  if (!cart && cartError) return <Unavailable error={cartError} busy={busy} onRetry={reload} />;
  if (!cart) return <LinesSkeleton label="Preparando tu pedido…" />;
  if (cart.items.length === 0 && !mustStay) return <Navigate to="/carrito" replace />;

  return (
    <div className="wrap two-columns">
      <form ref={formElement} onSubmit={(event) => void submit(event)} noValidate aria-labelledby="titulo-pago" id="pedido">
        <h1 id="titulo-pago">¿A dónde lo llevamos?</h1>
        <CheckoutMessage checkout={checkout} />
        <fieldset className="form-grid" disabled={checkout.sending || checkout.unconfirmed}>
          <legend className="visually-hidden">Dirección de entrega</legend>
          <AddressFields form={form} errors={errors} onChange={(name, value) => setForm((old) => ({ ...old, [name]: value }))} />
        </fieldset>
      </form>
      <aside className="summary" aria-label="Tu pedido">
        <h2>Tu pedido</h2>
        {cart.items.length > 0 && (
          <ul className="summary__lines">
            {cart.items.map(({ product, quantity, lineTotalCents }) => (
              <li key={product.id}>
                <span>
                  {quantity} × {product.name}
                </span>
                <span>{formatCents(lineTotalCents)}</span>
              </li>
            ))}
          </ul>
        )}
        <dl>
          <Total cents={cart.totalCents} />
        </dl>
        <button type="submit" form="pedido" className="button button--large button--wide" disabled={checkout.sending}>
          {checkout.sending ? "Enviando tu pedido…" : checkout.unconfirmed ? "Reintentar el pedido" : "Confirmar pedido"}
        </button>
        <p className="summary__note">Al confirmar, tus productos quedan pedidos. No te pedimos datos de tu banco.</p>
      </aside>
    </div>
  );
}

function CheckoutMessage({ checkout: { error, unconfirmed, sending, startOver } }: { checkout: Checkout }) {
  if (unconfirmed && !sending) {
    return (
      <div className="alert alert--warn" role="alert">
        <p>
          <strong>Tu pedido quedó sin confirmar.</strong> La tienda no alcanzó a contestar. Reintenta con calma: aunque ya
          se haya registrado, se hace una sola vez.
        </p>
        <p>
          Si prefieres cambiar la dirección, revisa antes en <Link to="/pedidos">Mis pedidos</Link> que no esté hecho y
          luego{" "}
          <button type="button" className="link-button" onClick={startOver}>
            empieza de nuevo
          </button>
          .
        </p>
      </div>
    );
  }
  if (!error || sending) return null;
  return (
    <div className="alert alert--bad" role="alert">
      <p>{error.message}</p>
      {SPENT_CODES.has(error.code) ? (
        <Link to="/pedidos">Ver mis pedidos</Link>
      ) : error.status === 409 ? (
        <Link to="/carrito">Revisar el carrito</Link>
      ) : null}
    </div>
  );
}
