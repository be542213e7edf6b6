interface Species {
  slug: string;
  name: string;
}

/** The animals the catalogue's attribute `especie` speaks of. */
export const SPECIES: readonly Species[] = [
  { slug: "perro", name: "Perros" },
  { slug: "gato", name: "Gatos" },
  { slug: "ave", name: "Aves" },
  { slug: "pez", name: "Peces" },
  { slug: "conejo", name: "Conejos" },
  { slug: "hámster", name: "Hámsters" },
];

export function speciesName(slug: string): string {
  return SPECIES.find((species) => species.slug === slug)?.name ?? slug;
}
