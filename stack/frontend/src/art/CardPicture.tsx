import type { ReactNode } from "react";
import { INK, type Tone } from "./palette";

/** The printed ground of a lotería card: a sky with rays, the earth, and the drawing on it. */
export function CardPicture({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <svg className="card-picture" viewBox="0 0 240 280" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">
      <rect width="240" height="280" fill={tone.sky} />
      <g fill="#fff" opacity=".28">
        {RAYS.map((ray) => (
          <path key={ray} d={ray} />
        ))}
      </g>
      <path d="M0 222c40-14 80-14 120-4s80 8 120-4v66H0z" fill={tone.ground} />
      <g transform="translate(20 40)" stroke={INK} strokeWidth="4.5" strokeLinejoin="round" strokeLinecap="round">
        {children}
      </g>
    </svg>
  );
}

// Wedges from the middle of the picture, every second one drawn.
const RAYS = Array.from({ length: 12 }, (_, n) => {
  const at = (turn: number) => `${(120 + 300 * Math.cos(turn)).toFixed(1)} ${(150 + 300 * Math.sin(turn)).toFixed(1)}`;
  const from = (n / 12) * 2 * Math.PI;
  return `M120 150 L${at(from)} L${at(from + Math.PI / 12)} Z`;
});
