const FEW = 5;

/** Quiet: says something only when it changes what the customer does. */
export function StockNote({ stock, quiet = false }: { stock: number; quiet?: boolean }) {
  if (stock < 1) return <p className="stock stock--none">Agotado por ahora</p>;
  if (stock <= FEW) return <p className="stock stock--few">{stock === 1 ? "Queda 1 pieza" : `Quedan ${stock} piezas`}</p>;
  return quiet ? null : <p className="stock stock--ok">Disponible para entrega en La Laguna</p>;
}
