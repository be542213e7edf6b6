import type { Product } from "../api/types";
import type { SpeciesKind } from "./faces";
import type { MotifName } from "./motifs";

// The name says what the thing is; the first line that matches decides.
const BY_WORD: readonly [RegExp, MotifName][] = [
  [/transportadora|mochila/, "carrier"],
  [/pecera|acuario|anticloro/, "tank"],
  [/jaula/, "cage"],
  [/columpio|percha/, "swing"],
  [/semilla|alpiste|heno\b|alfalfa/, "seed"],
  [/rueda\b/, "wheel"],
  [/rascador/, "scratcher"],
  [/\bcasa|casita|\biglu|\bcueva/, "house"],
  [/tunel/, "tunnel"],
  [/pluma|varita/, "wand"],
  [/ajolote/, "axolotl"],
  [/raton\b/, "mouse"],
  [/cuerda|nudo|mordedera/, "rope"],
  [/frisbee|disco\b/, "disc"],
  [/pelota|balon/, "ball"],
  [/arnes|pechera/, "harness"],
  [/collar|placa\b|cascabel/, "collar"],
  [/correa|cadena/, "leash"],
  [/catrina|disfraz/, "catrina"],
  [/paliacate/, "bandana"],
  [/sueter|abrigo|impermeable con|playera/, "sweater"],
  [/tapete/, "pad"],
  [/arena\b|arenero/, "litter"],
  [/pasta dental|malta/, "tube"],
  [/cortaunas|tijeras/, "clippers"],
  [/cepillo|peine|\bcarda/, "brush"],
  [/toalla/, "towel"],
  [/bolsa/, "bags"],
  [/champu|jabon|acondicionador/, "shampoo"],
  [/vitamina|pipeta|botiquin|suplemento|desparasitante/, "medicine"],
  [/\blata|pate\b/, "tin"],
  [/galleta|hueso|carnaza|barra\b/, "biscuit"],
  [/sobre\b|snack|botana|bocadito|tiras\b|premio/, "pouch"],
  [/plato|comedero|bebedero|fuente/, "bowl"],
  [/cobija|manta\b|sarape/, "blanket"],
  [/cama\b|cojin|colchoneta|hamaca/, "bed"],
  [/croqueta|hojuela|pellet/, "sack"],
];

const BY_CATEGORY: Record<string, MotifName> = {
  accesorios: "bowl",
  alimento: "sack",
  camas: "bed",
  correas: "leash",
  higiene: "shampoo",
  juguetes: "ball",
  premios: "biscuit",
  salud: "medicine",
};

function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();
}

export function motifOf(product: Pick<Product, "name" | "category">): MotifName {
  const name = fold(product.name);
  return BY_WORD.find(([word]) => word.test(name))?.[1] ?? motifOfCategory(product.category);
}

export function motifOfCategory(slug: string): MotifName {
  return BY_CATEGORY[slug] ?? "paw";
}

const SPECIES: readonly [RegExp, SpeciesKind][] = [
  [/\bgat[oai]/, "cat"],
  [/\baves?\b|perico|periquito|canario|ninfa/, "bird"],
  [/\bpe(z|ces)\b/, "fish"],
  [/conejo|\bcuyo/, "rabbit"],
  [/hamster/, "hamster"],
];

export function speciesOf(product: Pick<Product, "name" | "attributes">): SpeciesKind {
  const declared = product.attributes["especie"];
  const text = fold(typeof declared === "string" ? declared : product.name);
  return SPECIES.find(([word]) => word.test(text))?.[1] ?? "dog";
}
