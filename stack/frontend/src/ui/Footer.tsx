import { Link } from "react-router";
import { Logo } from "./Logo";

export function Footer() {
  return (
    <footer className="footer">
      <div className="wrap footer__inner">
        <Logo />
        <p>Alimento, juguetes y cuidado para mascotas. Hecho con cariño en la Comarca Lagunera.</p>
        <nav aria-label="Pie de página">
          <Link to="/">Catálogo</Link>
          <Link to="/carrito">Carrito</Link>
          <Link to="/pedidos">Mis pedidos</Link>
        </nav>
      </div>
    </footer>
  );
}
