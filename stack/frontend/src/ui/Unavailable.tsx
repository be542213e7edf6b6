import { useEffect } from "react";
import type { ApiError } from "../api/errors";
import { SleepingDog } from "../art/scenes";

const DEFAULT_RETRY_SECONDS = 10;
const LONGEST_RETRY_SECONDS = 60;

interface Props {
  error: ApiError;
  busy: boolean;
  onRetry: () => void;
}

/** For any page whose data did not come. When the shop is only away for a while it also retries by itself. */
export function Unavailable({ error, busy, onRetry }: Props) {
  const { unavailable } = error;
  const wait = Math.min(Math.max(error.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS, 1), LONGEST_RETRY_SECONDS);

  useEffect(() => {
    if (!unavailable || busy) return;
    const timer = setTimeout(onRetry, wait * 1000);
    return () => clearTimeout(timer);
  }, [unavailable, busy, wait, onRetry, error]);

  return (
    <section className="state" role="alert">
      <SleepingDog />
      <h1>{title(error)}</h1>
      <p>
        {unavailable
          ? "Volvemos en un momento: esta página lo intenta sola. Lo que tienes en tu carrito no se pierde."
          : error.message}
      </p>
      <button type="button" className="button" onClick={onRetry} disabled={busy}>
        {busy ? "Reintentando…" : "Reintentar"}
      </button>
    </section>
  );
}

function title(error: ApiError): string {
  if (error.status === 0) return "No hay comunicación con la tienda";
  return error.unavailable ? "Estamos acomodando la tienda" : "Algo salió mal";
}
