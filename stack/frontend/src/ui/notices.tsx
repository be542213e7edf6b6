import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from "react";
import { Link } from "react-router";

export interface Notice {
  tone: "good" | "bad";
  text: string;
  link?: { to: string; label: string };
}

const VISIBLE_MS = 6_000;
const NoticeContext = createContext<(notice: Notice) => void>(() => undefined);

export function NoticeProvider({ children }: { children: ReactNode }) {
  const [notice, setNotice] = useState<Notice>();
  const show = useCallback((next: Notice) => setNotice({ ...next }), []);

  useEffect(() => {
    // A refusal stays until it is read and closed.
    if (!notice || notice.tone === "bad") return;
    const timer = setTimeout(() => setNotice(undefined), VISIBLE_MS);
    return () => clearTimeout(timer);
  }, [notice]);

  return (
    <NoticeContext.Provider value={show}>
      {children}
      <div className="notices" role="status" aria-live="polite">
        {notice && (
          <div className={`notice notice--${notice.tone}`}>
            <span>{notice.text}</span>
            {notice.link && (
              <Link to={notice.link.to} onClick={() => setNotice(undefined)}>
                {notice.link.label}
              </Link>
            )}
            <button type="button" className="notice__close" onClick={() => setNotice(undefined)} aria-label="Cerrar aviso">
              <span aria-hidden="true">×</span>
            </button>
          </div>
        )}
      </div>
    </NoticeContext.Provider>
  );
}

export function useNotice(): (notice: Notice) => void {
  return useContext(NoticeContext);
}
