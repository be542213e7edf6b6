const NAMES: Record<string, string> = { placed: "Recibido" };

export function OrderStatus({ status }: { status: string }) {
  return <span className="status-pill">{NAMES[status] ?? status}</span>;
}
