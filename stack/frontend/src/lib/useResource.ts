import { useCallback, useEffect, useRef, useState } from "react";
import { toApiError, type ApiError } from "../api/errors";

export interface Resource<T> {
  data: T | undefined;
  error: ApiError | undefined;
  busy: boolean;
  reload: () => void;
}

interface State<T> {
  data: T | undefined;
  error: ApiError | undefined;
  busy: boolean;
}

/**
 * Loads what `key` stands for and loads again when it changes. While the next answer is on its way the
 * previous data (or error) stays, so that paging and retrying do not flash.
 */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<State<T>>({ data: undefined, error: undefined, busy: true });
  const [attempt, setAttempt] = useState(0);
  const latestLoad = useRef(load);
  latestLoad.current = load;

  useEffect(() => {
    const controller = new AbortController();
    setState((previous) => ({ ...previous, busy: true }));
    latestLoad.current(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({ data, error: undefined, busy: false });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setState({ data: undefined, error: toApiError(error), busy: false });
      },
    );
    return () => controller.abort();
  }, [key, attempt]);

  const reload = useCallback(() => setAttempt((n) => n + 1), []);
  return { ...state, reload };
}
