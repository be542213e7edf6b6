import { describe, expect, it } from "vitest";
import { motifOf, speciesOf } from "../src/art/motifOf";
import { toneOf } from "../src/art/palette";
import { attributeRows } from "../src/lib/attributes";
import { formatCents } from "../src/lib/format";
import { uuid } from "../src/lib/uuid";
import { pageWindow } from "../src/ui/Pagination";

describe("formats", () => {
  it.each([
    [0, "$0.00"],
    [5, "$0.05"],
    [123_456_789, "$1,234,567.89"],
  ])("%i cents as %s", (cents, text) => {
    expect(formatCents(cents)).toBe(text);
  });

  it("makes valid and different UUIDs", () => {
    const made = Array.from({ length: 50 }, uuid);
    expect(new Set(made).size).toBe(50);
    for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("writes attributes with their units, and leaves out what has no words", () => {
    const attributes = { especie: "hámster", peso_kg: 0.156, peso_máximo_kg: 25, volumen_ml: 20_000, lavable: true, x: null };
    expect(attributeRows(attributes)).toEqual([
      ["Especie", "Hámster"],
      ["Peso", "156 g"],
      ["Peso máximo", "25 kg"],
      ["Volumen", "20 L"],
      ["Lavable", "Sí"],
    ]);
  });
});

describe("page links", () => {
  it.each([
    [1, 2, [1, 2]],
    [1, 9, [1, 2, undefined, 9]],
    [5, 9, [1, undefined, 4, 5, 6, undefined, 9]],
    [4, 5, [1, 2, 3, 4, 5]],
  ])("on page %i of %i", (page, pages, expected) => {
    expect(pageWindow(page, pages)).toEqual(expected);
  });
});

describe("pictures", () => {
  it.each([
    ["Champú de avena", "higiene", "shampoo"],
    ["Ratón de peluche", "juguetes", "mouse"],
    ["Algo nuevo", "camas", "bed"],
    ["Algo nuevo", "otra", "paw"],
  ])("%s (%s) is drawn as %s", (name, category, motif) => {
    expect(motifOf({ name, category })).toBe(motif);
  });

  it("shows the animal that is declared before one that is named", () => {
    expect(speciesOf({ name: "Ratón para jugar", attributes: { especie: "gato" } })).toBe("cat");
    expect(speciesOf({ name: "Champú de avena", attributes: {} })).toBe("dog");
  });

  it("gives neighbours different tones", () => {
    for (let id = 1; id < 200; id++) expect(toneOf(id)).not.toBe(toneOf(id + 1));
  });
});
