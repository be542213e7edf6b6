import { Link } from "react-router";
import type { CategoryCount } from "../api/types";
import { CategoryMotif } from "../art/CategoryMotif";
import { catalogPath, type CatalogQuery } from "../lib/catalogQuery";
import { SPECIES } from "../lib/species";

interface Props {
  query: CatalogQuery;
  categories: CategoryCount[] | undefined;
}

export function CatalogFilters({ query, categories }: Props) {
  return (
    <div className="filters">
      <nav aria-label="Categorías" className="filters__categories">
        <Link to={catalogPath({ ...query, category: undefined, page: 1 })} className="category" aria-current={!query.category ? "true" : undefined}>
          <CategoryMotif slug="todo" />
          <span>Todo</span>
        </Link>
        {categories
          ? categories.map(({ slug, name, count }) => (
              <Link
                key={slug}
                to={catalogPath({ ...query, category: slug, page: 1 })}
                className="category"
                data-category={slug}
                aria-current={query.category === slug ? "true" : undefined}
                aria-label={`${name}, ${count} en total`}
              >
                <CategoryMotif slug={slug} />
                <span>{name}</span>
              </Link>
            ))
          : Array.from({ length: 6 }, (_, n) => <span key={n} className="category skeleton" aria-hidden="true" />)}
      </nav>
      <nav aria-label="Para quién" className="filters__species">
        <span aria-hidden="true">Para:</span>
        {[undefined, ...SPECIES].map((species) => (
          <Link
            key={species?.slug ?? "todos"}
            className="chip"
            to={catalogPath({ ...query, species: species?.slug, page: 1 })}
            aria-current={query.species === species?.slug ? "true" : undefined}
          >
            {species?.name ?? "Todos"}
          </Link>
        ))}
      </nav>
    </div>
  );
}
