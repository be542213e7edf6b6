import { formatCents } from "../lib/format";

/** The last line of a summary. */
export function Total({ cents }: { cents: number }) {
  return (
    <div className="summary__total">
      <dt>Total</dt>
      <dd aria-live="polite">{formatCents(cents)}</dd>
    </div>
  );
}
