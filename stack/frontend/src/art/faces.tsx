import { AGAVE, CREAM, INK, MARIGOLD, PAPAYA, TONGUE } from "./palette";

// Each face fills a 100 × 100 box; the caller places and scales it.

export function DogFace({ coat = "#c98445", dark = "#8a5226" }: { coat?: string; dark?: string }) {
  return (
    <g stroke={INK} strokeWidth="3.5" strokeLinejoin="round" strokeLinecap="round">
      <path d="M26 34C12 26 2 44 6 66c2 10 14 10 18 2 4-8 4-20 8-28z" fill={dark} />
      <path d="M74 34c14-8 24 10 20 32-2 10-14 10-18 2-4-8-4-20-8-28z" fill={dark} />
      <path d="M50 16c18 0 28 11 28 26 0 8 3 14 3 22 0 17-14 28-31 28S19 81 19 64c0-8 3-14 3-22 0-15 10-26 28-26z" fill={coat} />
      <path d="M50 17c-6 8-6 24-5 38 2 5 8 5 10 0 1-14 1-30-5-38z" fill={CREAM} stroke="none" />
      <path d="M50 54c14 0 23 8 23 19 0 12-11 18-23 18s-23-6-23-18c0-11 9-19 23-19z" fill={CREAM} stroke="none" />
      <path d="M42 79c0 14 16 14 16 0z" fill={TONGUE} />
      <path d="M41 60c0-6 18-6 18 0 0 5-5 9-9 9s-9-4-9-9z" fill={INK} />
      <path d="M50 69v6c0 5-10 7-14 2M50 75c0 5 10 7 14 2" fill="none" />
      <circle cx="35" cy="47" r="4.6" fill={INK} stroke="none" />
      <circle cx="65" cy="47" r="4.6" fill={INK} stroke="none" />
      <circle cx="36.6" cy="45.4" r="1.5" fill="#fff" stroke="none" />
      <circle cx="66.6" cy="45.4" r="1.5" fill="#fff" stroke="none" />
      <path d="M29 37c3-3 7-4 10-2M71 37c-3-3-7-4-10-2" fill="none" strokeWidth="3" />
    </g>
  );
}

export function CatFace({ coat = "#f0a04b", dark = "#c9702a" }: { coat?: string; dark?: string }) {
  return (
    <g stroke={INK} strokeWidth="3.5" strokeLinejoin="round" strokeLinecap="round">
      <path d="M17 52 16 12c0-4 4-5 6-2l20 18zM83 52l1-40c0-4-4-5-6-2L58 28z" fill={coat} />
      <path d="M23 34v-14l10 10zM77 34v-14l-10 10z" fill={TONGUE} stroke="none" />
      <path d="M50 25c23 0 37 14 37 33 0 18-16 30-37 30S13 76 13 58c0-19 14-33 37-33z" fill={coat} />
      <path d="M50 27v13M40 28.5l2 9M60 28.5l-2 9" stroke={dark} strokeWidth="4.5" />
      <path d="M15 62l10-2M16 70l10-4M85 62l-10-2M84 70l-10-4" stroke={dark} strokeWidth="4" />
      <path d="M50 66c12 0 18 4 18 10s-8 11-18 11-18-5-18-11 6-10 18-10z" fill={CREAM} stroke="none" />
      <ellipse cx="34" cy="55" rx="6.5" ry="7.5" fill="#d6ef8a" />
      <ellipse cx="66" cy="55" rx="6.5" ry="7.5" fill="#d6ef8a" />
      <ellipse cx="34" cy="55" rx="2" ry="6" fill={INK} stroke="none" />
      <ellipse cx="66" cy="55" rx="2" ry="6" fill={INK} stroke="none" />
      <path d="M45 66h10l-5 5.5z" fill={TONGUE} strokeWidth="2.5" />
      <path d="M50 72c0 6-8 8-11 4M50 72c0 6 8 8 11 4" fill="none" strokeWidth="3" />
      <path d="M30 72 8 69M30 77 9 81M70 72l22-3M70 77l21 4" fill="none" strokeWidth="2" />
    </g>
  );
}

export function BirdFace() {
  return (
    <g stroke={INK} strokeWidth="3.5" strokeLinejoin="round" strokeLinecap="round">
      <path d="M44 18c-2-10 4-14 8-14-1 4 2 6 6 6-3 3-3 6-2 9z" fill={MARIGOLD} />
      <path d="M50 15c24 0 36 17 36 40 0 20-14 35-36 35S14 75 14 55c0-23 12-40 36-40z" fill={AGAVE} />
      <path d="M50 38c10-12 30-6 30 12 0 12-12 18-30 18S20 62 20 50c0-18 20-24 30-12z" fill="#a8dd7a" stroke="none" />
      <circle cx="34" cy="50" r="6" fill={CREAM} />
      <circle cx="66" cy="50" r="6" fill={CREAM} />
      <circle cx="34" cy="50" r="2.6" fill={INK} stroke="none" />
      <circle cx="66" cy="50" r="2.6" fill={INK} stroke="none" />
      <path d="M38 56c2-10 22-10 24 0 1 10-6 20-12 24-6-4-13-14-12-24z" fill={PAPAYA} />
      <path d="M39 62c7 4 15 4 22 0" fill="none" strokeWidth="2.5" />
    </g>
  );
}

export function FishFace({ scale = PAPAYA }: { scale?: string }) {
  return (
    <g stroke={INK} strokeWidth="3.5" strokeLinejoin="round" strokeLinecap="round">
      <path d="M68 50c10-18 20-22 28-22-4 8-5 15-5 22s1 14 5 22c-8 0-18-4-28-22z" fill={MARIGOLD} />
      <path d="M34 26c8-14 24-14 30-8-2 6-4 10-8 14zM40 74c6 10 18 12 24 8-2-6-6-10-10-12z" fill={MARIGOLD} />
      <path d="M4 51c8-18 22-27 38-27 18 0 28 12 34 26-6 14-16 26-34 26C26 76 12 69 4 51z" fill={scale} />
      <path d="M36 26c8 14 8 36 0 49" fill="none" />
      <path d="M48 40c4 2 4 7 0 9M58 42c4 2 4 7 0 9M48 53c4 2 4 7 0 9M58 54c3 2 3 5 0 8" fill="none" strokeWidth="2.5" />
      <circle cx="23" cy="44" r="6" fill={CREAM} />
      <circle cx="22" cy="44.5" r="2.6" fill={INK} stroke="none" />
      <path d="M5 53c4 3 8 3 11 1" fill="none" />
    </g>
  );
}

export function RabbitFace() {
  return (
    <g stroke={INK} strokeWidth="3.5" strokeLinejoin="round" strokeLinecap="round">
      <path d="M36 42C22 26 20 2 30 2s16 18 16 36zM64 42C78 26 80 2 70 2S54 20 54 38z" fill="#e9dccb" />
      <path d="M37 34C30 24 28 12 31 11s9 12 9 22zM63 34c7-10 9-22 6-23s-9 12-9 22z" fill={TONGUE} stroke="none" />
      <path d="M50 32c19 0 30 12 30 29S67 90 50 90 20 78 20 61s11-29 30-29z" fill="#e9dccb" />
      <ellipse cx="41" cy="74" rx="10" ry="8" fill={CREAM} stroke="none" />
      <ellipse cx="59" cy="74" rx="10" ry="8" fill={CREAM} stroke="none" />
      <circle cx="36" cy="57" r="4.5" fill={INK} stroke="none" />
      <circle cx="64" cy="57" r="4.5" fill={INK} stroke="none" />
      <path d="M45 66h10l-5 5z" fill={TONGUE} strokeWidth="2.5" />
      <path d="M50 71v4M44 79c3 0 5-1 6-4 1 3 3 4 6 4" fill="none" strokeWidth="3" />
      <path d="M46.5 80h7v6h-7z" fill="#fff" strokeWidth="2.5" />
    </g>
  );
}

export function HamsterFace() {
  return (
    <g stroke={INK} strokeWidth="3.5" strokeLinejoin="round" strokeLinecap="round">
      <circle cx="24" cy="26" r="13" fill="#e0a55a" />
      <circle cx="76" cy="26" r="13" fill="#e0a55a" />
      <circle cx="24" cy="27" r="6" fill={TONGUE} stroke="none" />
      <circle cx="76" cy="27" r="6" fill={TONGUE} stroke="none" />
      <path d="M50 16c26 0 42 18 42 42 0 22-18 34-42 34S8 80 8 58c0-24 16-42 42-42z" fill="#e0a55a" />
      <path d="M50 18c-6 10-6 22-4 32-14 4-32 6-34 22 4 12 18 18 38 18s34-6 38-18c-2-16-20-18-34-22 2-10 2-22-4-32z" fill={CREAM} stroke="none" />
      <circle cx="32" cy="48" r="5" fill={INK} stroke="none" />
      <circle cx="68" cy="48" r="5" fill={INK} stroke="none" />
      <circle cx="33.5" cy="46.5" r="1.6" fill="#fff" stroke="none" />
      <circle cx="69.5" cy="46.5" r="1.6" fill="#fff" stroke="none" />
      <path d="M45 57h10l-5 5z" fill={TONGUE} strokeWidth="2.5" />
      <path d="M50 62v4M43 70c4 0 6-1 7-4 1 3 3 4 7 4" fill="none" strokeWidth="3" />
      <path d="M47 71h6v6h-6z" fill="#fff" strokeWidth="2.5" />
      <ellipse cx="22" cy="66" rx="6" ry="4" fill={TONGUE} stroke="none" />
      <ellipse cx="78" cy="66" rx="6" ry="4" fill={TONGUE} stroke="none" />
    </g>
  );
}

export type SpeciesKind = "dog" | "cat" | "bird" | "fish" | "rabbit" | "hamster";

export function Face({ species, x, y, size }: { species: SpeciesKind; x: number; y: number; size: number }) {
  return (
    <g transform={`translate(${x} ${y}) scale(${size / 100})`}>
      {species === "dog" && <DogFace />}
      {species === "cat" && <CatFace />}
      {species === "bird" && <BirdFace />}
      {species === "fish" && <FishFace />}
      {species === "rabbit" && <RabbitFace />}
      {species === "hamster" && <HamsterFace />}
    </g>
  );
}
