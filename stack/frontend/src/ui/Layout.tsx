import { useEffect, useRef } from "react";
import { Outlet, useLocation, useNavigationType } from "react-router";
import { Footer } from "./Footer";
import { Header } from "./Header";

export function Layout() {
  const location = useLocation();
  const navigation = useNavigationType();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(location);

  // As a full page load would: start at the top, and let a screen reader begin with the new page.
  useEffect(() => {
    if (shown.current.key === location.key) return;
    const otherPage = shown.current.pathname !== location.pathname;
    shown.current = location;
    if (otherPage) main.current?.focus({ preventScroll: true });
    if (navigation !== "POP") window.scrollTo({ top: 0, behavior: "instant" });
  }, [location, navigation]);

  return (
    <>
      <a className="skip-link" href="#contenido">
        Saltar al contenido
      </a>
      <Header />
      <main id="contenido" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      <Footer />
    </>
  );
}
