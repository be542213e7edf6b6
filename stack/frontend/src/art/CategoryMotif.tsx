import { MOTIFS } from "./motifs";
import { motifOfCategory } from "./motifOf";
import { INK, TONES } from "./palette";

export function CategoryMotif({ slug }: { slug: string }) {
  const name = motifOfCategory(slug);
  const tone = TONES[Object.keys(MOTIFS).indexOf(name) % TONES.length]!;
  return (
    <svg className="category__art" viewBox="-4 -4 208 208" aria-hidden="true" focusable="false">
      <g stroke={INK} strokeWidth="6" strokeLinejoin="round" strokeLinecap="round">
        {MOTIFS[name].draw(tone, "dog")}
      </g>
    </svg>
  );
}
