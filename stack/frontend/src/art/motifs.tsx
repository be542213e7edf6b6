import type { ReactNode } from "react";
import { Face, type SpeciesKind } from "./faces";
import { AGAVE, CREAM, INK, MARIGOLD, TONGUE, type Tone } from "./palette";

export interface Motif {
  /** As a lotería card is called out. */
  title: string;
  draw: (tone: Tone, species: SpeciesKind) => ReactNode;
}

// All are drawn in a 200 × 200 box, outlined by the group that CardPicture puts around them.

const sack: Motif = {
  title: "El costal",
  draw: ({ a, b }, species) => (
    <>
      <path d="M52 58h96l12 112c1 8-120 8-119 0z" fill={a} />
      <path d="M46 36h108l-5 26H51z" fill={b} />
      <path d="m56 36 8 12 9-12 9 12 9-12 9 12 9-12 9 12 9-12 9 12 8-12" fill="none" />
      <circle cx="100" cy="118" r="41" fill={CREAM} />
      <Face species={species} x={68} y={84} size={64} />
      <ellipse cx="36" cy="174" rx="12" ry="8" fill="#a8642c" />
      <ellipse cx="166" cy="172" rx="12" ry="8" fill="#a8642c" />
      <ellipse cx="150" cy="182" rx="11" ry="7" fill="#c47a3a" />
      <ellipse cx="56" cy="183" rx="11" ry="7" fill="#c47a3a" />
    </>
  ),
};

const tin: Motif = {
  title: "La lata",
  draw: ({ a, b }, species) => (
    <>
      <path d="M44 62h112v92c0 22-112 22-112 0z" fill={a} />
      <path d="M44 76h112v70c0 18-112 18-112 0z" fill={CREAM} />
      <path d="M44 76c0 18 112 18 112 0v13c0 18-112 18-112 0zM44 140c0 18 112 18 112 0v8c0 20-112 20-112 0z" fill={b} />
      <Face species={species} x={72} y={92} size={56} />
      <ellipse cx="100" cy="60" rx="56" ry="20" fill="#e8edf2" />
      <ellipse cx="100" cy="60" rx="43" ry="13" fill="#cfd8e1" />
      <path d="M100 59c-2-10 14-18 22-12s-6 16-22 12z" fill="#e8edf2" />
    </>
  ),
};

const bowl: Motif = {
  title: "El plato",
  draw: ({ a, b }) => (
    <>
      <path d="M44 92c4-34 30-46 56-46s52 12 56 46z" fill="#a8642c" />
      <g fill="#c47a3a" strokeWidth="3">
        <circle cx="70" cy="80" r="10" />
        <circle cx="94" cy="66" r="11" />
        <circle cx="118" cy="80" r="10" />
        <circle cx="138" cy="88" r="8" />
        <circle cx="92" cy="88" r="9" />
      </g>
      <path d="M30 90h140l16 68c2 12-174 12-172 0z" fill={a} />
      <path d="M24 88c0-7 152-7 152 0s-152 7-152 0z" fill={b} />
      <path d="M84 128a8 8 0 1 1 8-10h18a8 8 0 1 1 6 14 8 8 0 1 1-6 12H92a8 8 0 1 1-8-16z" fill={CREAM} />
    </>
  ),
};

const biscuit: Motif = {
  title: "La galleta",
  draw: ({ a, b }) => (
    <>
      <g transform="rotate(-24 100 96)">
        <g fill="#e2a454">
          <circle cx="46" cy="80" r="21" />
          <circle cx="46" cy="120" r="21" />
          <circle cx="154" cy="80" r="21" />
          <circle cx="154" cy="120" r="21" />
          <path d="M46 82h108v36H46z" stroke="none" />
          <path d="M66 82h68M66 118h68" fill="none" />
        </g>
        <g fill="#b9742c" stroke="none">
          <circle cx="76" cy="94" r="4" />
          <circle cx="100" cy="106" r="4" />
          <circle cx="124" cy="94" r="4" />
        </g>
      </g>
      <path d="M30 158c8-8 16-4 16 4 8 2 8 14-2 16-6 8-18 4-16-6-8-2-8-12 2-14zM158 28c8-8 16-4 16 4 8 2 8 14-2 16-6 8-18 4-16-6-8-2-8-12 2-14z" fill={b} />
      <path d="M150 162c6-6 12-3 12 3 6 2 6 11-2 12-4 6-13 3-12-4-6-2-6-9 2-11z" fill={a} />
    </>
  ),
};

const ball: Motif = {
  title: "La pelota",
  draw: ({ a, b }) => (
    <>
      <ellipse cx="100" cy="176" rx="58" ry="9" fill={INK} stroke="none" opacity=".25" />
      <circle cx="100" cy="104" r="68" fill={a} />
      <path d="M44 66c26 10 34 58 12 90M156 66c-26 10-34 58-12 90" fill="none" stroke={CREAM} strokeWidth="11" />
      <path d="M100 80l7 15 16 2-12 11 3 16-14-8-14 8 3-16-12-11 16-2z" fill={b} />
      <circle cx="100" cy="104" r="68" fill="none" />
      <path d="M22 40l12 10M40 22l8 14M178 40l-12 10M160 22l-8 14" fill="none" />
    </>
  ),
};

const rope: Motif = {
  title: "La cuerda",
  draw: ({ a, b }) => (
    <>
      <path d="M40 60c-10-14-18-18-26-18M46 50c-6-14-8-22-4-30M34 70C22 68 14 70 8 76M160 140c10 14 18 18 26 18M154 150c6 14 8 22 4 30M166 130c12 2 20 0 26-6" fill="none" stroke={INK} strokeWidth="9" />
      <path d="M40 60c-10-14-18-18-26-18M46 50c-6-14-8-22-4-30M34 70C22 68 14 70 8 76M160 140c10 14 18 18 26 18M154 150c6 14 8 22 4 30M166 130c12 2 20 0 26-6" fill="none" stroke={CREAM} strokeWidth="3" />
      <g transform="rotate(42 100 100)">
        <rect x="34" y="80" width="132" height="40" rx="20" fill={CREAM} />
        <path d="M62 80c14 8 14 32 0 40h18c14-8 14-32 0-40zM98 80c14 8 14 32 0 40h18c14-8 14-32 0-40z" fill={a} />
        <path d="M134 80c14 8 14 32 0 40h8c14-8 14-32 0-40z" fill={a} />
        <rect x="20" y="74" width="38" height="52" rx="20" fill={b} />
        <rect x="142" y="74" width="38" height="52" rx="20" fill={b} />
      </g>
    </>
  ),
};

const mouse: Motif = {
  title: "El ratón",
  draw: ({ a, b }) => (
    <>
      <path d="M160 138c30-4 30-44 6-44s-20-36 12-46" fill="none" stroke={INK} strokeWidth="9" />
      <path d="M160 138c30-4 30-44 6-44s-20-36 12-46" fill="none" stroke={TONGUE} strokeWidth="3" />
      <path d="M22 138c4-44 46-64 84-60 38 4 60 34 60 64 0 16-14 22-30 22H52c-18 0-32-10-30-26z" fill={a} />
      <circle cx="92" cy="74" r="25" fill={a} />
      <circle cx="92" cy="74" r="14" fill={TONGUE} />
      <circle cx="58" cy="82" r="20" fill={a} />
      <circle cx="58" cy="82" r="11" fill={TONGUE} />
      <path d="M46 122l10 10M56 122l-10 10" fill="none" />
      <circle cx="22" cy="140" r="8" fill={INK} />
      <path d="M34 148 8 158M36 154 14 172" fill="none" strokeWidth="3" />
      <path d="M112 164v-10c0-20 30-20 30 0v10z" fill={b} />
      <path d="M118 108l8 8M122 124l10 4M132 104l6 10" fill="none" strokeWidth="3" />
    </>
  ),
};

const wand: Motif = {
  title: "La pluma",
  draw: ({ a, b }) => (
    <>
      <path d="M30 182 128 40" fill="none" strokeWidth="11" />
      <path d="M30 182 128 40" fill="none" stroke={CREAM} strokeWidth="4" />
      <path d="M128 40c26-10 44 6 36 34" fill="none" strokeWidth="3" />
      <path d="M164 74c26 18 26 60-2 92-24-26-24-70 2-92z" fill={a} />
      <path d="M164 74c-30-4-60 20-64 58 32-2 58-24 64-58z" fill={b} />
      <path d="M164 78c0 32-2 58-2 84M162 80c-16 22-34 38-58 50" fill="none" strokeWidth="3" />
      <circle cx="164" cy="76" r="11" fill={MARIGOLD} />
      <path d="M164 76v10" fill="none" />
    </>
  ),
};

const bed: Motif = {
  title: "La cama",
  draw: ({ a, b }, species) => (
    <>
      <path d="M16 120c0-34 36-54 84-54s84 20 84 54z" fill={a} />
      <ellipse cx="100" cy="122" rx="64" ry="30" fill={CREAM} />
      <Face species={species === "cat" ? "cat" : species === "rabbit" ? "rabbit" : "dog"} x={58} y={50} size={84} />
      <path d="M14 120c0 12 20 16 42 10 26-8 62-8 88 0 22 6 42 2 42-10 4 8 6 18 4 32-4 26-176 26-180 0-2-14 0-24 4-32z" fill={a} />
      <path d="M30 150c20 8 46 11 70 11s50-3 70-11" fill="none" stroke={b} strokeWidth="7" strokeDasharray="1 15" />
    </>
  ),
};

const house: Motif = {
  title: "La casita",
  draw: ({ a, b }, species) => (
    <>
      <path d="M36 92h128v84H36z" fill={b} />
      <path d="M36 118h128M36 146h128" fill="none" strokeWidth="3" />
      <path d="M100 22 190 96l-12 14L100 46 22 110 10 96z" fill={a} />
      <path d="M66 176v-40c0-44 68-44 68 0v40z" fill={INK} />
      <Face species={species} x={70} y={112} size={60} />
    </>
  ),
};

const scratcher: Motif = {
  title: "El rascador",
  draw: ({ a, b }) => (
    <>
      <rect x="30" y="158" width="140" height="20" rx="8" fill={a} />
      <rect x="84" y="52" width="32" height="106" fill="#d9b57c" />
      <path d="M84 66l32 8M84 82l32 8M84 98l32 8M84 114l32 8M84 130l32 8M84 146l32 8" fill="none" strokeWidth="3" />
      <rect x="40" y="34" width="120" height="20" rx="10" fill={a} />
      <path d="M146 54v32" fill="none" strokeWidth="3" />
      <circle cx="146" cy="98" r="13" fill={b} />
      <path d="M60 36c-2-22 10-26 14-16 10-4 20-4 30 0 4-10 16-6 14 16z" fill="#4a3a6e" />
      <circle cx="80" cy="28" r="3" fill={MARIGOLD} stroke="none" />
      <circle cx="98" cy="28" r="3" fill={MARIGOLD} stroke="none" />
      <path d="M118 34c20 4 22-14 12-22" fill="none" strokeWidth="6" />
    </>
  ),
};

const collar: Motif = {
  title: "El collar",
  draw: ({ a, b }) => (
    <>
      <ellipse cx="100" cy="78" rx="78" ry="50" fill="none" strokeWidth="30" />
      <ellipse cx="100" cy="78" rx="78" ry="50" fill="none" stroke={a} strokeWidth="21" />
      <ellipse cx="100" cy="78" rx="78" ry="50" fill="none" stroke={CREAM} strokeWidth="3.5" strokeDasharray="9 9" />
      <rect x="80" y="14" width="42" height="28" rx="6" fill={MARIGOLD} />
      <rect x="90" y="22" width="22" height="12" rx="3" fill={a} />
      <circle cx="100" cy="140" r="10" fill="#cfd8e1" />
      <circle cx="100" cy="162" r="25" fill={b} />
      <g fill={INK} stroke="none">
        <path d="M100 162c7 0 12 7 9 12-3 3-15 3-18 0-3-5 2-12 9-12z" />
        <circle cx="88" cy="160" r="3.5" />
        <circle cx="96" cy="153" r="3.5" />
        <circle cx="104" cy="153" r="3.5" />
        <circle cx="112" cy="160" r="3.5" />
      </g>
    </>
  ),
};

const leash: Motif = {
  title: "La correa",
  draw: ({ a, b }) => {
    const line = "M62 44c-40 4-44 54-4 56h80c44 2 40 58-6 56-40-2-62-30-78 8";
    return (
      <>
        <path d={line} fill="none" strokeWidth="24" />
        <path d={line} fill="none" stroke={a} strokeWidth="15" />
        <path d={line} fill="none" stroke={CREAM} strokeWidth="2.5" strokeDasharray="7 7" />
        <path d="M54 34c0-18 66-26 92-14 30 14 14 50-18 46l-62-4c-8 0-12-20-12-28zm26 4c-4 10 6 12 16 12l34 1c14 0 16-14 4-18-14-4-44-8-54 5z" fill={b} fillRule="evenodd" />
        <circle cx="52" cy="166" r="9" fill="#cfd8e1" />
        <path d="M44 172c-18 4-22 22-8 22 10 0 16-10 14-18z" fill="#cfd8e1" />
      </>
    );
  },
};

const harness: Motif = {
  title: "La pechera",
  draw: ({ a, b }) => (
    <>
      <path d="M100 30c34 0 56 26 56 58 0 20-10 30-10 52 0 16-12 34-46 34s-46-18-46-34c0-22-10-32-10-52 0-32 22-58 56-58zm0 26c-18 0-30 14-30 32 0 12 10 18 30 18s30-6 30-18c0-18-12-32-30-32z" fill={a} fillRule="evenodd" />
      <path d="M62 126h76M60 146h80" fill="none" stroke={b} strokeWidth="9" />
      <path d="M62 121h76M62 131h76M60 141h80M60 151h80" fill="none" strokeWidth="2.5" />
      <rect x="84" y="116" width="32" height="42" rx="6" fill={MARIGOLD} />
      <rect x="92" y="126" width="16" height="22" rx="3" fill={INK} />
      <circle cx="100" cy="26" r="11" fill="none" strokeWidth="11" />
      <circle cx="100" cy="26" r="11" fill="none" stroke="#cfd8e1" strokeWidth="4" />
    </>
  ),
};

const shampoo: Motif = {
  title: "El champú",
  draw: ({ a, b }, species) => (
    <>
      <path d="M88 34h28v22H88z" fill={CREAM} />
      <path d="M78 22h52c6 0 8 6 4 10l-8 6H78z" fill={b} />
      <path d="M66 76c0-14 10-22 22-22h26c12 0 22 8 22 22v90c0 14-70 14-70 0z" fill={a} />
      <rect x="66" y="92" width="70" height="62" fill={CREAM} />
      <Face species={species} x={75} y={97} size={52} />
      <g fill="#f4fbff" strokeWidth="3.5">
        <circle cx="40" cy="150" r="18" />
        <circle cx="60" cy="172" r="14" />
        <circle cx="30" cy="176" r="11" />
        <circle cx="158" cy="166" r="17" />
        <circle cx="140" cy="178" r="10" />
        <circle cx="164" cy="110" r="9" />
        <circle cx="42" cy="94" r="7" />
        <circle cx="158" cy="64" r="6" />
      </g>
    </>
  ),
};

const brush: Motif = {
  title: "El cepillo",
  draw: ({ a, b }) => (
    <g transform="rotate(-38 100 100)">
      <path d="M40 112v26M56 114v28M72 114v28M88 114v28M104 114v28M120 112v26" fill="none" strokeWidth="6" />
      <path d="M20 92c0-24 30-32 62-32 34 0 56 8 64 22h34c18 0 18 26 0 26h-34c-8 10-30 14-64 14-36 0-62-8-62-30z" fill={a} />
      <ellipse cx="82" cy="90" rx="44" ry="15" fill={b} />
      <circle cx="176" cy="95" r="4" fill={CREAM} />
    </g>
  ),
};

const litter: Motif = {
  title: "La arena",
  draw: ({ a, b }) => (
    <>
      <path d="M26 116c20-34 60-10 76-22 20-14 56-4 72 22z" fill="#f2e3c4" />
      <g fill="#c9b48a" stroke="none">
        <circle cx="60" cy="106" r="3" />
        <circle cx="82" cy="100" r="3" />
        <circle cx="112" cy="98" r="3" />
        <circle cx="140" cy="106" r="3" />
        <circle cx="98" cy="108" r="3" />
      </g>
      <path d="M22 122h156l-12 46c-2 10-130 10-132 0z" fill={a} />
      <rect x="12" y="110" width="176" height="18" rx="9" fill={b} />
      <path d="M118 100 156 34" fill="none" strokeWidth="15" />
      <path d="M118 100 156 34" fill="none" stroke={MARIGOLD} strokeWidth="7" />
      <path d="M92 96c0-16 18-26 34-14l8 16-14 16c-14 6-28-4-28-18z" fill={MARIGOLD} />
      <path d="M104 98l12-8M108 106l14-10" fill="none" strokeWidth="3" />
    </>
  ),
};

const medicine: Motif = {
  title: "El remedio",
  draw: ({ a, b }) => (
    <>
      <path d="M72 20h56v28H72z" fill={b} />
      <path d="M80 20v28M92 20v28M104 20v28M116 20v28" fill="none" strokeWidth="3" />
      <path d="M78 48h44c0 16 28 16 28 40v78c0 14-100 14-100 0V88c0-24 28-24 28-40z" fill={a} />
      <path d="M50 98h100v58H50z" fill={CREAM} />
      <path d="M92 106h16v13h13v16h-13v13H92v-13H79v-16h13z" fill={a} />
      <g transform="rotate(-28 164 172)">
        <rect x="142" y="162" width="44" height="20" rx="10" fill={b} />
        <path d="M164 162h12a10 10 0 0 1 0 20h-12z" fill={CREAM} />
      </g>
      <g transform="rotate(20 34 172)">
        <rect x="14" y="163" width="40" height="18" rx="9" fill={CREAM} />
        <path d="M34 163h11a9 9 0 0 1 0 18H34z" fill={b} />
      </g>
    </>
  ),
};

const carrier: Motif = {
  title: "La transportadora",
  draw: ({ a, b }, species) => (
    <>
      <path d="M74 44c0-26 52-26 52 0" fill="none" strokeWidth="15" />
      <path d="M74 44c0-26 52-26 52 0" fill="none" stroke={b} strokeWidth="6" />
      <path d="M46 44h108c14 0 22 10 24 24l6 92c0 8-6 14-14 14H30c-8 0-14-6-14-14l6-92c2-14 10-24 24-24z" fill={a} />
      <path d="M18 112h164" fill="none" strokeWidth="8" />
      <path d="M56 68h88c8 0 12 6 12 12v72c0 6-4 10-12 10H56c-8 0-12-4-12-10V80c0-6 4-12 12-12z" fill={INK} />
      <Face species={species === "fish" ? "cat" : species} x={60} y={76} size={80} />
      <path d="M66 68v94M89 68v94M111 68v94M134 68v94M44 114h112" fill="none" stroke="#dfe6ee" strokeWidth="4" />
    </>
  ),
};

const tank: Motif = {
  title: "La pecera",
  draw: ({ a, b }) => (
    <>
      <path d="M50 42c-56 40-40 134 20 136h60c60-2 76-96 20-136z" fill="#e9f8fd" />
      <path d="M30 84c20-10 40 8 70 0s50-8 70 0c16 42-2 92-40 94H70c-38-2-56-52-40-94z" fill="#5fb7d6" />
      <path d="M44 160c30-12 80-12 112 0-8 12-16 18-26 18H70c-10 0-18-6-26-18z" fill={b} />
      <path d="M142 164c-12-16 10-24 0-44M154 156c-4-14 10-18 4-32" fill="none" stroke={INK} strokeWidth="9" />
      <path d="M142 164c-12-16 10-24 0-44M154 156c-4-14 10-18 4-32" fill="none" stroke="#3fa86b" strokeWidth="4" />
      <Face species="fish" x={46} y={84} size={76} />
      <g fill="#e9f8fd" strokeWidth="3">
        <circle cx="42" cy="108" r="5" />
        <circle cx="48" cy="94" r="4" />
      </g>
      <ellipse cx="100" cy="42" rx="52" ry="10" fill={a} />
    </>
  ),
};

const cage: Motif = {
  title: "La jaula",
  draw: ({ a, b }) => (
    <>
      <circle cx="100" cy="20" r="10" fill="none" strokeWidth="5" />
      <path d="M36 166V98c0-90 128-90 128 0v68z" fill={CREAM} />
      <Face species="bird" x={60} y={72} size={80} />
      <path d="M58 166V60M79 166V40M100 166V30M121 166V40M142 166V60" fill="none" strokeWidth="4" />
      <path d="M36 166V98c0-90 128-90 128 0v68z" fill="none" />
      <path d="M36 104h128" fill="none" stroke={INK} strokeWidth="7" />
      <rect x="24" y="158" width="152" height="24" rx="8" fill={a} />
      <path d="M44 170h112" fill="none" stroke={b} strokeWidth="5" strokeDasharray="1 12" />
    </>
  ),
};

const seed: Motif = {
  title: "La semilla",
  draw: ({ a, b }, species) => (
    <>
      <path d="M58 60h84l18 108c0 10-120 10-120 0z" fill={a} />
      <path d="M64 30c20 10 52 10 72 0l6 30c-20 8-64 8-84 0z" fill={a} />
      <path d="M56 56c28 10 60 10 88 0v12c-28 10-60 10-88 0z" fill={b} />
      <circle cx="100" cy="122" r="36" fill={CREAM} />
      <Face species={species} x={72} y={94} size={56} />
      <g fill={MARIGOLD} strokeWidth="3.5">
        <path d="M22 172c0-12 14-18 22-14 0 12-10 20-22 14zM158 176c-4-12 8-20 18-18 4 12-6 22-18 18zM150 154c-2-8 6-14 14-12 2 8-4 14-14 12zM44 186c2-10 12-12 20-8-2 8-10 12-20 8z" />
      </g>
    </>
  ),
};

const wheel: Motif = {
  title: "La rueda",
  draw: ({ a, b }) => (
    <>
      <path d="M100 100 56 182h88z" fill={b} />
      <circle cx="100" cy="94" r="72" fill={a} />
      <circle cx="100" cy="94" r="55" fill={CREAM} />
      <Face species="hamster" x={64} y={66} size={72} />
      <path d="M100 22v17M100 149v17M28 94h17M155 94h17M49 43l12 12M139 133l12 12M49 145l12-12M139 55l12-12" fill="none" strokeWidth="4" />
    </>
  ),
};

const sweater: Motif = {
  title: "El suéter",
  draw: ({ a, b }) => (
    <>
      <path d="M70 34c16 10 44 10 60 0l46 30-18 42-20-10v76c-18 10-58 10-76 0V96l-20 10-18-42z" fill={a} />
      <path d="M70 34c16 10 44 10 60 0l4 14c-20 12-48 12-68 0z" fill={b} />
      <path d="M62 112l13 12 12-12 13 12 13-12 12 12 13-12M62 134l13 12 12-12 13 12 13-12 12 12 13-12" fill="none" stroke={CREAM} strokeWidth="6" />
      <path d="M62 160c22 8 54 8 76 0v12c-18 10-58 10-76 0z" fill={b} />
    </>
  ),
};

const pouch: Motif = {
  title: "El antojo",
  draw: ({ a, b }, species) => (
    <>
      <path d="M52 30h96l8 142c-28 10-84 10-112 0z" fill={a} />
      <path d="M51 30h98l2 24H49z" fill={b} />
      <path d="M62 30v24M76 30v24M90 30v24M104 30v24M118 30v24M132 30v24" fill="none" strokeWidth="3" />
      <circle cx="100" cy="42" r="7" fill={INK} />
      <path d="M100 66c38 0 40 26 40 46s-2 46-40 46-40-26-40-46 2-46 40-46z" fill={CREAM} />
      <Face species={species} x={68} y={78} size={64} />
      <path d="M22 150c10-10 26 2 18 14s-26-4-18-14zM164 166c4-12 22-8 20 4s-22 8-20-4zM156 186c2-8 16-6 14 2s-16 6-14-2z" fill="#c47a3a" />
    </>
  ),
};

const disc: Motif = {
  title: "El disco",
  draw: ({ a, b }) => (
    <>
      <g transform="rotate(-16 100 100)">
        <path d="M16 104c0-34 168-34 168 0 0 44-168 44-168 0z" fill={a} />
        <ellipse cx="100" cy="98" rx="82" ry="32" fill={a} />
        <ellipse cx="100" cy="98" rx="58" ry="21" fill={b} />
        <ellipse cx="100" cy="98" rx="30" ry="10" fill={a} />
      </g>
      <path d="M28 152c20-4 34-2 48 4M52 174c16-4 28-2 40 2M18 132c8-2 14-2 20 0" fill="none" />
    </>
  ),
};

const axolotl: Motif = {
  title: "El ajolote",
  draw: ({ a, b }) => (
    <>
      <path d="M128 140c40 6 56 22 62 48-34 4-64-2-84-22z" fill="#f7a8c4" />
      <path d="M46 122c4-22 100-22 108 0 6 30-14 58-54 58s-60-28-54-58z" fill="#f7a8c4" />
      <path d="M54 148c-20 4-28 18-22 28 12 0 26-6 32-16zM146 148c16 4 24 14 20 24-12 2-24-4-30-12z" fill="#f7a8c4" />
      <path d="M34 74C18 70 8 60 8 46c16 0 28 8 34 18zM30 92C14 94 4 88 0 76c14-6 26-2 36 6zM36 110c-12 8-24 8-32 0 8-12 20-14 32-10zM166 74c16-4 26-14 26-28-16 0-28 8-34 18zM170 92c16 2 26-4 30-16-14-6-26-2-36 6zM164 110c12 8 24 8 32 0-8-12-20-14-32-10z" fill={a} />
      <path d="M100 38c44 0 74 18 74 48s-30 48-74 48-74-18-74-48 30-48 74-48z" fill="#f7a8c4" />
      <circle cx="58" cy="84" r="7" fill={INK} />
      <circle cx="142" cy="84" r="7" fill={INK} />
      <circle cx="61" cy="81" r="2.2" fill="#fff" stroke="none" />
      <circle cx="145" cy="81" r="2.2" fill="#fff" stroke="none" />
      <path d="M74 98c10 18 42 18 52 0" fill="none" />
      <ellipse cx="48" cy="104" rx="9" ry="5" fill={TONGUE} stroke="none" />
      <ellipse cx="152" cy="104" rx="9" ry="5" fill={TONGUE} stroke="none" />
      <path d="M78 142h44M82 156h36" fill="none" stroke={b} strokeWidth="6" strokeDasharray="8 8" />
    </>
  ),
};

const tunnel: Motif = {
  title: "El túnel",
  draw: ({ a, b }) => (
    <>
      <path d="M64 44h68c36 0 56 28 56 64v60h-64z" fill={a} />
      <path d="M92 44c34 0 54 28 54 64v60M120 44c34 0 54 28 54 64v60" fill="none" stroke={b} strokeWidth="9" />
      <path d="M80 44c34 0 54 28 54 64v60M106 44c34 0 54 28 54 64v60" fill="none" strokeWidth="3" />
      <circle cx="68" cy="112" r="62" fill={b} />
      <circle cx="68" cy="112" r="48" fill={INK} />
      <Face species="cat" x={28} y={76} size={80} />
    </>
  ),
};

const swing: Motif = {
  title: "El columpio",
  draw: ({ a, b }) => (
    <>
      <path d="M100 4v20M100 24 44 150M100 24l56 126" fill="none" strokeWidth="6" />
      <circle cx="100" cy="22" r="9" fill={b} />
      <path d="M70 148c0-24 2-34 8-44h44c6 10 8 20 8 44z" fill={AGAVE} />
      <path d="M104 166l6 30h-20l6-30z" fill={a} />
      <Face species="bird" x={58} y={46} size={84} />
      <rect x="28" y="142" width="144" height="18" rx="9" fill="#b5713a" />
      <path d="M88 140v12M112 140v12" stroke={MARIGOLD} strokeWidth="7" />
      <circle cx="42" cy="112" r="8" fill={a} />
      <circle cx="158" cy="112" r="8" fill={a} />
    </>
  ),
};

const towel: Motif = {
  title: "La toalla",
  draw: ({ a, b }) => (
    <>
      <path d="M20 30h160" fill="none" strokeWidth="14" />
      <path d="M20 30h160" fill="none" stroke={MARIGOLD} strokeWidth="6" />
      <path d="M52 30c0-14 96-14 96 0v128H52z" fill={a} />
      <path d="M52 112h96v24H52z" fill={b} />
      <path d="M56 158v14M68 158v14M80 158v14M92 158v14M104 158v14M116 158v14M128 158v14M144 158v14" fill="none" />
      <path d="M82 74a7 7 0 1 1 8-8h20a7 7 0 1 1 8 8 7 7 0 1 1-8 8H90a7 7 0 1 1-8-8z" fill={CREAM} />
    </>
  ),
};

const blanket: Motif = {
  title: "El sarape",
  draw: ({ a, b }) => (
    <>
      <path d="M26 44h148v112H26z" fill={a} />
      <path d="M26 56h148v12H26zM26 132h148v12H26z" fill={b} />
      <path d="M26 78h148M26 122h148" fill="none" stroke={CREAM} strokeWidth="7" />
      <path d="M100 70l44 30-44 30-44-30z" fill={b} />
      <path d="M100 84l24 16-24 16-24-16z" fill={CREAM} />
      <path d="M100 92l12 8-12 8-12-8z" fill={a} />
      <path d="M26 44 8 38M26 62 8 58M26 80 8 78M26 98H8M26 116 8 118M26 134 8 138M26 154 8 160M174 44l18-6M174 62l18-4M174 80l18-2M174 98h18M174 116l18 2M174 134l18 4M174 154l18 6" fill="none" />
    </>
  ),
};

const pad: Motif = {
  title: "El tapete",
  draw: ({ a, b }) => (
    <>
      <path d="M40 62h120l28 96H12z" fill={a} />
      <path d="M52 76h96l20 68H32z" fill={CREAM} />
      <path d="M64 110c14-10 22 10 36 0s22 10 36 0M56 128c16-10 28 10 44 0s28 10 44 0M70 92c10-8 20 8 30 0s20 8 30 0" fill="none" stroke={b} />
      <path d="M100 16c14 18 20 26 20 36a20 20 0 0 1-40 0c0-10 6-18 20-36z" fill="#7cc6de" />
    </>
  ),
};

const bags: Motif = {
  title: "La bolsita",
  draw: ({ a, b }) => (
    <>
      <path d="M118 74h58v98c-18 8-40 8-58 0z" fill={b} />
      <path d="M118 92h58M118 112h58" fill="none" strokeDasharray="6 8" />
      <path d="M30 74c0-34 104-34 104 0v52c0 32-104 32-104 0z" fill={a} />
      <ellipse cx="82" cy="72" rx="52" ry="22" fill={b} />
      <ellipse cx="82" cy="72" rx="22" ry="9" fill={INK} />
      <path d="M70 120c-8-4-6-14 2-12M82 114c-4-8 2-14 6-10M96 120c8-4 6-14-2-12" fill="none" />
      <path d="M82 120c12 0 18 14 10 18-6 2-14 2-20 0-8-4-2-18 10-18z" fill={CREAM} />
    </>
  ),
};

const clippers: Motif = {
  title: "Las tijeras",
  draw: ({ a, b }) => (
    <>
      <path d="M92 96 116 20c8-12 24-4 20 12l-28 76z" fill="#dfe6ee" />
      <path d="M108 96 84 20c-8-12-24-4-20 12l28 76z" fill="#cfd8e1" />
      <path d="M106 102c30 20 54 46 50 68-6 16-30 10-36-4l-26-54z" fill={a} />
      <path d="M94 102c-30 20-54 46-50 68 6 16 30 10 36-4l26-54z" fill={a} />
      <circle cx="100" cy="100" r="10" fill={b} />
      <path d="M62 160c-2-8 6-22 14-28M138 160c2-8-6-22-14-28" fill="none" stroke={CREAM} strokeWidth="5" />
    </>
  ),
};

const tube: Motif = {
  title: "La pasta",
  draw: ({ a, b }) => (
    <g transform="rotate(14 100 100)">
      <path d="M52 20h96l-10 122H62z" fill={a} />
      <path d="M50 14h100v16H50z" fill={b} />
      <path d="M56 60h88l-5 50H61z" fill={CREAM} />
      <path d="M92 68h16v10h10v14h-10v10H92V92H82V78h10z" fill={a} />
      <path d="M66 142h68l-10 16H76z" fill={CREAM} />
      <path d="M80 158h40v26H80z" fill={b} />
      <path d="M90 158v26M100 158v26M110 158v26" fill="none" strokeWidth="3" />
    </g>
  ),
};

const bandana: Motif = {
  title: "El paliacate",
  draw: ({ a, b }) => (
    <>
      <path d="M22 56c46 20 110 20 156 0l-12 34-66 90-66-90z" fill={a} />
      <path d="M22 56c46 20 110 20 156 0l-4 16c-44 18-104 18-148 0z" fill={b} />
      <path d="M26 54C10 44 4 30 8 22c12 0 24 12 26 28zM174 54c16-10 22-24 18-32-12 0-24 12-26 28z" fill={a} />
      <g fill={CREAM}>
        <path d="M100 100c8 0 14 6 14 14s-14 26-14 26-14-18-14-26 6-14 14-14z" />
        <circle cx="68" cy="104" r="6" />
        <circle cx="132" cy="104" r="6" />
        <circle cx="100" cy="156" r="5" />
      </g>
    </>
  ),
};

const catrina: Motif = {
  title: "La catrina",
  draw: ({ a, b }) => (
    <>
      <path d="M12 74c30-26 146-26 176 0-40 18-136 18-176 0z" fill={a} />
      <path d="M58 62c2-56 82-56 84 0-24 10-60 10-84 0z" fill={a} />
      <path d="M58 52c24 10 60 10 84 0v12c-24 10-60 10-84 0z" fill={b} />
      <path d="M54 84c28 8 64 8 92 0 14 26 4 48-12 58v22c0 14-68 14-68 0v-22c-16-10-26-32-12-58z" fill={CREAM} />
      <g fill={INK}>
        <circle cx="80" cy="110" r="14" />
        <circle cx="120" cy="110" r="14" />
        <path d="M100 124l6 12H94z" />
      </g>
      <g fill={b} strokeWidth="2.5">
        <circle cx="80" cy="110" r="6" />
        <circle cx="120" cy="110" r="6" />
      </g>
      <path d="M72 152h56M80 144v16M90 144v18M100 144v18M110 144v18M120 144v16" fill="none" strokeWidth="3" />
      <path d="M138 44c-4-14 10-20 14-10 10-4 16 8 8 14 6 8-4 18-12 12-8 6-16-6-10-16z" fill={MARIGOLD} />
    </>
  ),
};

const paw: Motif = {
  title: "La huella",
  draw: ({ a, b }) => (
    <>
      <path d="M100 92c30 0 58 34 48 62-8 22-30 12-48 12s-40 10-48-12c-10-28 18-62 48-62z" fill={a} />
      <ellipse cx="44" cy="88" rx="19" ry="25" transform="rotate(-24 44 88)" fill={b} />
      <ellipse cx="80" cy="54" rx="19" ry="27" transform="rotate(-8 80 54)" fill={b} />
      <ellipse cx="122" cy="54" rx="19" ry="27" transform="rotate(8 122 54)" fill={b} />
      <ellipse cx="158" cy="90" rx="19" ry="25" transform="rotate(24 158 90)" fill={b} />
    </>
  ),
};

export const MOTIFS = {
  sack, tin, bowl, biscuit, ball, rope, mouse, wand, bed, house, scratcher, collar, leash, harness, shampoo, brush,
  litter, medicine, carrier, tank, cage, seed, wheel, sweater, pouch, disc, axolotl, tunnel, swing, towel, blanket,
  pad, bags, clippers, tube, bandana, catrina, paw,
} as const satisfies Record<string, Motif>;

export type MotifName = keyof typeof MOTIFS;
