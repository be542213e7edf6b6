export interface CatalogQuery {
  search?: string | undefined;
  category?: string | undefined;
  species?: string | undefined;
  page?: number | undefined;
}

/** The catalogue's filters live in the address: they can be shared, and "back" goes through them. */
export function readCatalogQuery(params: URLSearchParams): CatalogQuery {
  const page = Number.parseInt(params.get("pagina") ?? "1", 10);
  return {
    search: params.get("buscar")?.trim() || undefined,
    category: params.get("categoria") || undefined,
    species: params.get("especie") || undefined,
    page: page > 0 ? page : 1,
  };
}

export function catalogPath({ search, category, species, page }: CatalogQuery): string {
  const params = new URLSearchParams();
  if (search) params.set("buscar", search);
  if (category) params.set("categoria", category);
  if (species) params.set("especie", species);
  if (page && page > 1) params.set("pagina", String(page));
  const query = params.toString();
  return query ? `/?${query}` : "/";
}
