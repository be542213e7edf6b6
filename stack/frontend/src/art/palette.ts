// The colours of the drawings. Each tone is one ground with two inks that stand out on it, as on a printed card.
export const INK = "#22163f";
export const CREAM = "#fff6e0";
export const PINK = "#d4126e";
export const MARIGOLD = "#ffc233";
export const PAPAYA = "#f2602b";
export const AGAVE = "#0e7a68";
export const VIOLET = "#6a41b5";
export const SKY = "#a9dcec";
export const TONGUE = "#f27a94";

export interface Tone {
  ground: string;
  sky: string;
  a: string;
  b: string;
}

export const TONES: readonly Tone[] = [
  { ground: "#7cc6de", sky: "#bfe6f0", a: PAPAYA, b: MARIGOLD },
  { ground: "#f2a51d", sky: "#ffd15c", a: PINK, b: CREAM },
  { ground: "#86cba6", sky: "#c4e9d2", a: VIOLET, b: MARIGOLD },
  { ground: "#f594b4", sky: "#ffcbda", a: AGAVE, b: MARIGOLD },
  { ground: "#b39ae6", sky: "#dccff7", a: PAPAYA, b: SKY },
  { ground: "#f59a62", sky: "#ffcfab", a: "#3b40b5", b: SKY },
];

/** Neighbours in a list differ, and a product always has the same tone. */
export function toneOf(id: number): Tone {
  return TONES[(id * 5 + 2 * Math.floor(id / 6)) % TONES.length]!;
}
