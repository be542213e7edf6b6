import type { ReactNode } from "react";
import { BirdFace, CatFace, DogFace } from "./faces";
import { AGAVE, CREAM, INK, MARIGOLD, PAPAYA, PINK, SKY, TONGUE, VIOLET } from "./palette";

function Scene({ viewBox, children }: { viewBox: string; children: ReactNode }) {
  return (
    <svg className="scene" viewBox={viewBox} aria-hidden="true" focusable="false">
      <g stroke={INK} strokeWidth="4" strokeLinejoin="round" strokeLinecap="round">
        {children}
      </g>
    </svg>
  );
}

/** The three cards of the front page; each is a 200 × 200 drawing for a CardPicture. */
export function Perro() {
  return (
    <>
      <path d="M34 290c-8-84 12-148 66-148s74 64 66 148z" fill="#c98445" />
      <path d="M68 290c0-70 10-116 32-116s32 46 32 116z" fill={CREAM} />
      <g transform="translate(26 -14) scale(1.48)">
        <DogFace />
      </g>
      <path d="M56 130c20 16 68 16 88 0l10 18-40 10-14 44-16-42-38-12z" fill={PINK} />
      <g fill={CREAM} stroke="none">
        <circle cx="76" cy="148" r="3.5" />
        <circle cx="100" cy="154" r="3.5" />
        <circle cx="124" cy="148" r="3.5" />
        <circle cx="100" cy="174" r="3.5" />
      </g>
    </>
  );
}

export function Gata() {
  return (
    <>
      <path d="M150 200c44 0 44-62 18-66" fill="none" stroke={INK} strokeWidth="22" />
      <path d="M150 200c44 0 44-62 18-66" fill="none" stroke="#f0a04b" strokeWidth="14" />
      <path d="M50 208c-6-44 6-86 50-86s56 42 50 86z" fill="#f0a04b" />
      <path d="M76 208c0-34 6-56 24-56s24 22 24 56z" fill={CREAM} />
      <path d="M56 166c8-4 12-4 16-2M54 184c8-4 12-4 16-2M144 166c-8-4-12-4-16-2M146 184c-8-4-12-4-16-2" stroke="#c9702a" strokeWidth="5" fill="none" />
      <g transform="translate(28 -8) scale(1.44)">
        <CatFace />
      </g>
      <path d="M62 118c20 14 56 14 76 0v12c-20 14-56 14-76 0z" fill={AGAVE} />
      <circle cx="100" cy="142" r="10" fill={MARIGOLD} />
      <path d="M26 204c-22-4-20 24-8 28 44 14 120 14 164 0 12-4 14-32-8-28-44 14-104 14-148 0z" fill={VIOLET} />
      <path d="M58 228l6-8M82 232l5-9M106 232l4-9M130 230l3-9" stroke={MARIGOLD} fill="none" />
    </>
  );
}

export function Perico() {
  return (
    <>
      <path d="M92 150 76 232l24 8 18-84z" fill="#3b40b5" />
      <path d="M108 150 104 236l22 0 2-84z" fill={PINK} />
      <path d="M52 130c0-50 96-50 96 0 0 38-20 62-48 62s-48-24-48-62z" fill={AGAVE} />
      <path d="M72 138c0-30 56-30 56 0 0 26-12 44-28 44s-28-18-28-44z" fill="#a8dd7a" />
      <path d="M54 112c-20 20-22 52-4 78 18-16 22-50 18-74zM146 112c20 20 22 52 4 78-18-16-22-50-18-74z" fill="#0a5f51" />
      <g transform="translate(38 -6) scale(1.24)">
        <BirdFace />
      </g>
      <path d="M4 196c60-10 130-10 192 0v12c-62-8-132-8-192 0z" fill="#8a5226" />
      <path d="M84 190v14M94 190v14M108 190v14M118 190v14" stroke={MARIGOLD} strokeWidth="7" />
      <path d="M160 194c4-20 22-26 34-20-2 14-18 24-34 20z" fill="#3fa86b" />
    </>
  );
}

export function SleepingDog() {
  return (
    <Scene viewBox="0 0 280 180">
      <ellipse cx="140" cy="164" rx="124" ry="12" fill={INK} stroke="none" opacity=".1" />
      <path d="M22 128c-6-22 16-34 40-30l156 2c30-4 46 12 40 32-8 34-222 34-236-4z" fill={PINK} />
      <path d="M56 132c-12-44 32-80 88-74 52 4 84 34 76 70-26 22-142 24-164 4z" fill="#c98445" />
      <path d="M212 118c24 4 30-18 18-26" fill="none" stroke={INK} strokeWidth="15" />
      <path d="M212 118c24 4 30-18 18-26" fill="none" stroke="#c98445" strokeWidth="8" />
      <path d="M150 138c10-26 40-30 56-18 4 14-2 24-16 26z" fill="#b57339" />
      <path d="M34 124c-6-26 16-48 44-46 26 2 42 22 38 46-2 18-24 26-44 24-22-2-36-10-38-24z" fill="#c98445" />
      <path d="M34 122c6-14 26-18 38-8 10 10 6 28-10 32-16 2-30-8-28-24z" fill={CREAM} stroke="none" />
      <path d="M34 122c-2-6-2-12 0-16M46 147c-6-4-12-12-12-22" fill="none" />
      <path d="M32 120c2-8 18-8 20 0 0 7-6 9-10 9s-10-3-10-9z" fill={INK} />
      <path d="M56 104c6 5 12 5 17 1" fill="none" />
      <path d="M84 82c22-8 44 8 42 38-2 16-18 16-24 4-6-14-20-24-18-42z" fill="#8a5226" />
      <g fill="none" strokeWidth="5">
        <path d="M150 34h18l-18 18h18" />
        <path d="M186 12h13l-13 13h13" strokeWidth="4" />
        <path d="M118 46h12l-12 12h12" strokeWidth="4" />
      </g>
    </Scene>
  );
}

export function LostCat() {
  return (
    <Scene viewBox="0 0 280 190">
      <ellipse cx="140" cy="174" rx="110" ry="11" fill={INK} stroke="none" opacity=".1" />
      <path d="M56 92h168l-12 82H68z" fill="#d9a566" />
      <path d="M72 92h136v22H72z" fill="#5b3a1c" />
      <g transform="translate(86 12) scale(1.08)">
        <CatFace coat="#4a3a6e" dark="#33264f" />
      </g>
      <path d="M66 98h148l8 0-10 76H68L58 98z" fill="#e5b87c" />
      <path d="M56 92 24 66l42-8 30 34zM224 92l32-26-42-8-30 34z" fill="#f0cb97" />
      <path d="M60 98h160" fill="none" />
      <path d="M104 90c-8 0-12 8-10 18h20c2-10-2-18-10-18zM176 90c-8 0-12 8-10 18h20c2-10-2-18-10-18z" fill="#4a3a6e" />
      <path d="M100 100v7M108 100v7M172 100v7M180 100v7" strokeWidth="2.5" />
      <path d="M124 130c0-18 34-20 34 0 0 12-16 12-16 24" fill="none" stroke={PINK} strokeWidth="9" />
      <circle cx="142" cy="166" r="4" fill={PINK} stroke={PINK} />
    </Scene>
  );
}

export function EmptyBowl() {
  return (
    <Scene viewBox="0 0 280 190">
      <ellipse cx="140" cy="176" rx="118" ry="10" fill={INK} stroke="none" opacity=".1" />
      <g transform="translate(78 4) scale(1.24)">
        <DogFace />
      </g>
      <path d="M44 128c0-10 192-10 192 0s-192 12-192 0z" fill="#5b4a86" />
      <path d="M44 128c0 12 192 12 192 0l14 42c2 10-222 10-220 0z" fill={MARIGOLD} />
      <path d="M104 158a7 7 0 1 1 7-9h54a7 7 0 1 1 5 12 7 7 0 1 1-5 11h-54a7 7 0 1 1-7-14z" fill={CREAM} />
      <path d="M60 100c-12-2-20 4-20 14 4 8 20 8 30 6M220 100c12-2 20 4 20 14-4 8-20 8-30 6" fill="#c98445" />
    </Scene>
  );
}

export function PetDuo() {
  return (
    <Scene viewBox="0 0 320 300">
      <circle cx="160" cy="160" r="132" fill={MARIGOLD} stroke="none" />
      <path d="M160 60V22M92 78 68 46M228 78l24-32M48 130 14 114M272 130l34-16" fill="none" stroke={PAPAYA} strokeWidth="9" />
      <path d="M40 280c-4-60 20-104 74-104s76 44 74 104z" fill="#c98445" />
      <path d="M84 280c0-30 10-54 30-54s30 24 30 54z" fill={CREAM} />
      <g transform="translate(34 60) scale(1.56)">
        <DogFace />
      </g>
      <path d="M70 212c24 14 64 14 88 0v14c-24 16-64 16-88 0z" fill={PINK} />
      <circle cx="114" cy="238" r="11" fill={SKY} />
      <path d="M172 280c-4-44 10-80 52-80s56 36 52 80z" fill="#4a3a6e" />
      <path d="M204 280c0-26 6-44 20-44s20 18 20 44z" fill={CREAM} />
      <path d="M270 274c34-6 30-52 10-54" fill="none" stroke={INK} strokeWidth="18" />
      <path d="M270 274c34-6 30-52 10-54" fill="none" stroke="#4a3a6e" strokeWidth="10" />
      <g transform="translate(166 106) scale(1.16)">
        <CatFace coat="#4a3a6e" dark="#33264f" />
      </g>
      <path d="M192 212c18 12 46 12 64 0v10c-18 12-46 12-64 0z" fill={AGAVE} />
      <circle cx="224" cy="230" r="8" fill={TONGUE} />
      <path d="M10 280h300" />
    </Scene>
  );
}
