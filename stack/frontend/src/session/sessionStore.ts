import { useSyncExternalStore } from "react";
import type { Session } from "../api/types";
import { parseStored, readStored, removeStored, writeStored } from "../lib/storage";

const KEY = "pawpaw.session";
const listeners = new Set<() => void>();
let cachedRaw: string | null = null;
let cached: Session | undefined;

function get(): Session | undefined {
  const raw = readStored(KEY);
  if (raw !== cachedRaw) {
    cachedRaw = raw;
    cached = parseStored<Session>(raw);
  }
  return cached;
}

function notify(): void {
  for (const listener of listeners) listener();
}

// Other tabs change the same storage; this one must not go on as somebody else.
function onStorage(event: StorageEvent): void {
  if (event.key === KEY || event.key === null) notify();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("storage", onStorage);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("storage", onStorage);
  };
}

export const sessionStore = {
  get,
  set(session: Session): void {
    writeStored(KEY, JSON.stringify(session));
    notify();
  },
  clear(): void {
    removeStored(KEY);
    notify();
  },
};

export function useSession(): Session | undefined {
  return useSyncExternalStore(subscribe, get);
}
