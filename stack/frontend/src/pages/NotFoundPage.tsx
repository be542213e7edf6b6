import { Link } from "react-router";
import { LostCat } from "../art/scenes";
import { usePageTitle } from "../lib/usePageTitle";

export function NotFoundPage() {
  usePageTitle("No encontrado");
  return (
    <section className="state">
      <LostCat />
      <h1>Esta página se escapó</h1>
      <p>Buscamos debajo de la cama y atrás del sillón. No está.</p>
      <Link className="button" to="/">
        Volver a la tienda
      </Link>
    </section>
  );
}
