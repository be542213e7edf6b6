import { Link, NavLink, useNavigate } from "react-router";
import { useCart } from "../cart/CartProvider";
import { logout } from "../session/logout";
import { useSession } from "../session/sessionStore";
import { BagIcon, ReceiptIcon, UserIcon } from "./icons";
import { Logo } from "./Logo";
import { SearchForm } from "./SearchForm";

export function Header() {
  const session = useSession();
  const { count } = useCart();
  const navigate = useNavigate();

  return (
    <header className="header">
      <div className="header__bar wrap">
        <Link to="/" className="header__logo" aria-label="Paw Paw Torreón, inicio">
          <Logo />
        </Link>
        <SearchForm />
        <nav className="header__nav" aria-label="Tu cuenta">
          {session ? (
            <>
              <NavLink to="/pedidos" className="header__link">
                <ReceiptIcon />
                <span>Mis pedidos</span>
              </NavLink>
              <button
                type="button"
                className="header__link"
                title={session.user.email}
                onClick={() => {
                  logout();
                  void navigate("/");
                }}
              >
                <UserIcon />
                <span>Salir</span>
              </button>
            </>
          ) : (
            <NavLink to="/entrar" className="header__link">
              <UserIcon />
              <span>Entrar</span>
            </NavLink>
          )}
          <NavLink to="/carrito" className="header__link header__cart">
            <BagIcon />
            <span>Carrito</span>{" "}
            {count ? (
              <span className="badge">
                {count > 99 ? "99+" : count} <span className="visually-hidden">{count === 1 ? "artículo" : "artículos"}</span>
              </span>
            ) : null}
          </NavLink>
        </nav>
      </div>
    </header>
  );
}
