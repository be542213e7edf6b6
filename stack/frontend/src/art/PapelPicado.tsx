import { useId } from "react";
import { AGAVE, CREAM, INK, PAPAYA, PINK, VIOLET } from "./palette";

const COLORS = [PINK, AGAVE, PAPAYA, VIOLET, CREAM];
const WIDTH = 84;

/** A string of cut paper flags, as wide as the page: the pattern repeats instead of stretching. */
export function PapelPicado() {
  const id = useId();
  const period = WIDTH * COLORS.length;
  return (
    <svg className="papel-picado" width="100%" height="74" aria-hidden="true" focusable="false">
      <defs>
        <pattern id={id} width={period} height="74" patternUnits="userSpaceOnUse">
          <path d={`M0 1.5H${period}`} stroke={INK} strokeWidth="3" />
          {COLORS.map((color, n) => (
            <path key={color} transform={`translate(${n * WIDTH + 3} 1)`} d={FLAG} fill={color} fillRule="evenodd" />
          ))}
        </pattern>
      </defs>
      <rect width="100%" height="74" fill={`url(#${id})`} />
    </svg>
  );
}

const hole = (x: number, y: number, rx: number, ry: number) =>
  `M${x - rx} ${y}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0z`;

// A flag with a scalloped lower edge; the holes make a paw between two rows of dots.
const FLAG = [
  "M0 0H78V54a6.5 6.5 0 0 1-13 4a6.5 6.5 0 0 1-13 4a6.5 6.5 0 0 1-13 4a6.5 6.5 0 0 1-13-4a6.5 6.5 0 0 1-13-4a6.5 6.5 0 0 1-13-4z",
  ...[12, 25.5, 39, 52.5, 66].map((x) => hole(x, 8, 2.6, 2.6)),
  "M39 31c7 0 13 7 11 13-2 5-7 3-11 3s-9 2-11-3c-2-6 4-13 11-13z",
  hole(26.5, 29.5, 3.4, 4.6),
  hole(34, 22.5, 3.4, 4.8),
  hole(44, 22.5, 3.4, 4.8),
  hole(51.5, 29.5, 3.4, 4.6),
  hole(13, 28, 2.8, 5),
  hole(65, 28, 2.8, 5),
  hole(13, 45, 2.6, 4),
  hole(65, 45, 2.6, 4),
].join("").replaceAll("6.5", "6.5");
