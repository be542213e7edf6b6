import { useState, type FormEvent } from "react";
import { toApiError } from "../api/errors";
import type { Session } from "../api/types";
import { sessionStore } from "./sessionStore";

/** Sending and the refusal of a form that ends in a session. */
export function useCredentialsForm(send: (data: FormData) => Promise<Session>) {
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<string>();

  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    setSending(true);
    setError(undefined);
    try {
      sessionStore.set(await send(data));
    } catch (cause) {
      setError(toApiError(cause).message);
      setSending(false);
    }
  };

  return { sending, error, onSubmit: (event: FormEvent<HTMLFormElement>) => void onSubmit(event) };
}

export function text(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === "string" ? value : "";
}
