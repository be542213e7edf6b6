import { cartId } from "../cart/cartId";
import { sessionStore } from "../session/sessionStore";
import { ApiError } from "./errors";
import type { ErrorBody } from "./types";

const TIMEOUT_MS = 20_000;

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** Calls the shop's API. Rejects with ApiError, or with AbortError when the caller's own signal fired. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  // The same for both tries: a call must not go on under another account.
  const token = sessionStore.get()?.token;
  try {
    return await attempt<T>(path, options, token);
  } catch (error) {
    // A phone that changes networks, or a connection closed by a deploy, drops the call that was on it.
    if (!(error instanceof ApiError && error.code === "connection_lost" && repeatable(options))) throw error;
    return attempt<T>(path, options, token);
  }
}

/** Doing it twice is as doing it once: by the method's meaning, or by the key that goes with it. */
function repeatable({ method = "GET", headers }: RequestOptions): boolean {
  return method !== "POST" || headers?.["Idempotency-Key"] !== undefined;
}

async function attempt<T>(path: string, options: RequestOptions, token: string | undefined): Promise<T> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "X-Cart-Id": cartId(),
    ...options.headers,
  };
  if (token) headers["Authorization"] = `Bearer ${token}`;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";

  // One controller for both reasons to stop; AbortSignal.any is too new for phones still in use.
  const controller = new AbortController();
  const abort = () => controller.abort();
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted) abort();
  const timer = setTimeout(abort, TIMEOUT_MS);
  try {
    const response = await fetch(`/api${path}`, {
      method: options.method ?? "GET",
      headers,
      signal: controller.signal,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    if (!response.ok) throw await errorFrom(response);
    return (await response.json()) as T;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (!(error instanceof ApiError)) {
      const code = controller.signal.aborted ? "timeout" : "connection_lost";
      throw new ApiError(0, code, "No pudimos comunicarnos con la tienda.");
    }
    // Only the session that was refused ends: another tab may have logged in meanwhile.
    if (error.status === 401 && token && sessionStore.get()?.token === token) sessionStore.clear();
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
}

async function errorFrom(response: Response): Promise<ApiError> {
  const body = parseErrorBody(await response.text());
  return new ApiError(
    response.status,
    body?.error.code ?? "unexpected",
    body?.error.message ?? "Algo salió mal de nuestro lado.",
    retryAfter(response),
  );
}

// A proxy on the way may answer with a page of its own, so the body is not trusted to be ours.
function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<ErrorBody> | null;
    return typeof parsed?.error?.message === "string" ? (parsed as ErrorBody) : undefined;
  } catch {
    return undefined;
  }
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return Number.isFinite(seconds) ? seconds : undefined;
}
