import { Link, useSearchParams } from "react-router";
import { listProducts } from "../api/shop";
import type { ProductPage } from "../api/types";
import { LostCat } from "../art/scenes";
import { catalogPath, readCatalogQuery, type CatalogQuery } from "../lib/catalogQuery";
import { plural } from "../lib/format";
import { speciesName } from "../lib/species";
import { usePageTitle } from "../lib/usePageTitle";
import { useResource } from "../lib/useResource";
import { CatalogFilters } from "../ui/CatalogFilters";
import { Hero } from "../ui/Hero";
import { Pagination } from "../ui/Pagination";
import { ProductCard, ProductCardSkeleton } from "../ui/ProductCard";
import { Unavailable } from "../ui/Unavailable";

const PAGE_SIZE = 24;

export function ProductsPage() {
  const [params] = useSearchParams();
  const query = readCatalogQuery(params);
  const { data, error, busy, reload } = useResource(JSON.stringify(query), (signal) =>
    listProducts({ ...definedOnly(query), pageSize: PAGE_SIZE }, signal),
  );
  const front = !query.search && !query.category && !query.species && query.page === 1;
  const title = headingOf(query, data);
  usePageTitle(front ? undefined : title);

  if (error) return <Unavailable error={error} busy={busy} onRetry={reload} />;
  return (
    <>
      {front && <Hero />}
      <div className="wrap catalog" id="catalogo">
        <CatalogFilters query={query} categories={data?.categories} />
        <section aria-labelledby="resultados" aria-busy={busy}>
          <div className="catalog__heading">
            {front ? <h2 id="resultados">{title}</h2> : <h1 id="resultados">{title}</h1>}
            <p role="status">{data ? plural(data.total, "producto", "productos") : "Buscando…"}</p>
          </div>
          {data && data.items.length === 0 ? (
            <EmptyResult query={query} />
          ) : (
            <div className={`product-grid ${data && busy ? "product-grid--stale" : ""}`}>
              {data
                ? data.items.map((product) => <ProductCard key={product.id} product={product} />)
                : Array.from({ length: 8 }, (_, n) => <ProductCardSkeleton key={n} />)}
            </div>
          )}
          {data && (
            <Pagination page={data.page} pages={data.pages} pathOf={(page) => catalogPath({ ...query, page })} />
          )}
        </section>
      </div>
    </>
  );
}

function EmptyResult({ query }: { query: CatalogQuery }) {
  return (
    <div className="state">
      <LostCat />
      <h2>Aquí no salió esa carta</h2>
      <p>
        {query.search
          ? `No encontramos «${query.search}». Prueba con otra palabra o con menos filtros.`
          : "No hay productos con estos filtros."}
      </p>
      <Link className="button" to="/">
        Ver todo el catálogo
      </Link>
    </div>
  );
}

function headingOf(query: CatalogQuery, data: ProductPage | undefined): string {
  const parts = [
    query.search ? `Resultados para «${query.search}»` : undefined,
    query.category ? (data?.categories.find(({ slug }) => slug === query.category)?.name ?? "Categoría") : undefined,
    query.species ? `para ${speciesName(query.species).toLowerCase()}` : undefined,
  ].filter(Boolean);
  const heading = parts.join(" ") || "Todo el catálogo";
  return heading.charAt(0).toUpperCase() + heading.slice(1);
}

function definedOnly({ search, category, species, page }: CatalogQuery) {
  return {
    ...(search && { search }),
    ...(category && { category }),
    ...(species && { species }),
    ...(page && { page }),
  };
}
