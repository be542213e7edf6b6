const money = new Intl.NumberFormat("es-MX", { style: "currency", currency: "MXN" });
const date = new Intl.DateTimeFormat("es-MX", {
  dateStyle: "long",
  timeStyle: "short",
  timeZone: "America/Monterrey",
});

export function formatCents(cents: number): string {
  return money.format(cents / 100);
}

export function formatDate(iso: string): string {
  return date.format(new Date(iso));
}

export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Short enough to read over the phone; the full id stays in the address. */
export function orderNumber(id: string): string {
  return id.slice(0, 8).toUpperCase();
}
