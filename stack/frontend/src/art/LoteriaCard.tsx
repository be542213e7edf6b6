import type { Product } from "../api/types";
import { CardPicture } from "./CardPicture";
import { MOTIFS } from "./motifs";
import { motifOf, speciesOf } from "./motifOf";
import { toneOf } from "./palette";

interface Props {
  product: Pick<Product, "id" | "name" | "category" | "attributes">;
  large?: boolean;
}

// Decoration: the product's name stands as text beside every card.
export function LoteriaCard({ product, large = false }: Props) {
  const motif = MOTIFS[motifOf(product)];
  const tone = toneOf(product.id);
  return (
    <div className={`loteria ${large ? "loteria--large" : ""}`} aria-hidden="true">
      <div className="loteria__frame">
        <span className="loteria__number">{product.id}</span>
        <CardPicture tone={tone}>{motif.draw(tone, speciesOf(product))}</CardPicture>
        <span className="loteria__title">{motif.title}</span>
      </div>
    </div>
  );
}

export function LoteriaThumb({ product }: Props) {
  const tone = toneOf(product.id);
  return (
    <div className="loteria-thumb" aria-hidden="true">
      <CardPicture tone={tone}>{MOTIFS[motifOf(product)].draw(tone, speciesOf(product))}</CardPicture>
    </div>
  );
}
