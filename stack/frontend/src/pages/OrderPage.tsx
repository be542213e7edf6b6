import { Link, useLocation, useParams } from "react-router";
import { getOrder } from "../api/shop";
import { PapelPicado } from "../art/PapelPicado";
import { formatCents, formatDate, orderNumber } from "../lib/format";
import { usePageTitle } from "../lib/usePageTitle";
import { useResource } from "../lib/useResource";
import { OrderStatus } from "../ui/OrderStatus";
import { LinesSkeleton } from "../ui/skeletons";
import { Unavailable } from "../ui/Unavailable";
import { NotFoundPage } from "./NotFoundPage";
import { Total } from "../ui/Total";

export function OrderPage() {
  const { id = "" } = useParams();
  const location = useLocation();
  const justPlaced = (location.state as { placed?: boolean } | null)?.placed === true;
  const { data: order, error, busy, reload } = useResource(id, (signal) => getOrder(id, signal));
  usePageTitle(order && `Pedido ${orderNumber(order.id)}`);

  if (error && (error.status === 404 || error.status === 400)) return <NotFoundPage />;
  if (error) return <Unavailable error={error} busy={busy} onRetry={reload} />;
  if (!order) return <LinesSkeleton label="Cargando el pedido…" />;
  const { shippingAddress: to } = order;
  return (
    <section className="wrap wrap--narrow" aria-labelledby="titulo-pedido">
      {justPlaced && (
        <div className="celebration" role="status">
          <PapelPicado />
          <p className="celebration__shout">¡Lotería!</p>
          <p>Tu pedido quedó hecho y ya lo estamos preparando.</p>
        </div>
      )}
      <div className="order__head">
        <h1 id="titulo-pedido">Pedido {orderNumber(order.id)}</h1>
        <OrderStatus status={order.status} />
      </div>
      <p className="order__date">
        <time dateTime={order.createdAt}>{formatDate(order.createdAt)}</time>
      </p>
      <div className="receipt">
        <ul className="summary__lines">
          {order.items.map((item) => (
            <li key={item.productId}>
              <span>
                {item.quantity} × <Link to={`/producto/${item.productId}`}>{item.name}</Link>
                <small>{formatCents(item.unitPriceCents)} c/u</small>
              </span>
              <span>{formatCents(item.lineTotalCents)}</span>
            </li>
          ))}
        </ul>
        <dl>
          <Total cents={order.totalCents} />
        </dl>
      </div>
      <h2>Se entrega a</h2>
      <address className="address">
        {to.recipient}
        <br />
        {to.street}
        {to.neighborhood && `, ${to.neighborhood}`}
        <br />
        C.P. {to.postalCode}, {to.city}, {to.state}
        {to.phone && (
          <>
            <br />
            Tel. {to.phone}
          </>
        )}
      </address>
      <p className="order__links">
        <Link to="/pedidos">Todos mis pedidos</Link>
        <Link to="/">Seguir comprando</Link>
      </p>
    </section>
  );
}
