import { Link } from "react-router";
import { listOrders } from "../api/shop";
import { EmptyBowl } from "../art/scenes";
import { formatCents, formatDate, orderNumber, plural } from "../lib/format";
import { usePageTitle } from "../lib/usePageTitle";
import { useResource } from "../lib/useResource";
import { OrderStatus } from "../ui/OrderStatus";
import { LinesSkeleton } from "../ui/skeletons";
import { Unavailable } from "../ui/Unavailable";

export function OrdersPage() {
  usePageTitle("Mis pedidos");
  const { data: orders, error, busy, reload } = useResource("orders", listOrders);

  if (error) return <Unavailable error={error} busy={busy} onRetry={reload} />;
  if (!orders) return <LinesSkeleton label="Cargando tus pedidos…" />;
  if (orders.length === 0) {
    return (
      <section className="state">
        <EmptyBowl />
        <h1>Todavía no hay pedidos</h1>
        <p>El primero siempre es el más emocionante.</p>
        <Link className="button" to="/">
          Ver la tienda
        </Link>
      </section>
    );
  }
  return (
    <section className="wrap wrap--narrow" aria-labelledby="titulo-pedidos">
      <h1 id="titulo-pedidos">Mis pedidos</h1>
      <ul className="orders">
        {orders.map((order) => (
          <li key={order.id} className="order">
            <div className="order__head">
              <h2>
                <Link to={`/pedidos/${order.id}`}>Pedido {orderNumber(order.id)}</Link>
              </h2>
              <OrderStatus status={order.status} />
            </div>
            <p className="order__date">
              <time dateTime={order.createdAt}>{formatDate(order.createdAt)}</time>
            </p>
            <p className="order__what">{order.items.map((item) => `${item.quantity} × ${item.name}`).join(" · ")}</p>
            <p className="order__total">
              <span>{plural(order.items.reduce((sum, item) => sum + item.quantity, 0), "artículo", "artículos")}</span>
              <strong>{formatCents(order.totalCents)}</strong>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
