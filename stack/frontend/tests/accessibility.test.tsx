import { screen } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { apiWithCart, openShop } from "./shop";

// Contrast needs a browser that draws; e2e/ runs axe there.
const RULES = { rules: { "color-contrast": { enabled: false } } };

describe("accessibility", () => {
  it.each([
    ["/", "Todo el catálogo"],
    ["/?categoria=juguetes", "Juguetes"],
    ["/producto/2", "Pelota de hule"],
    ["/carrito", "Tu carrito"],
    ["/pagar", "¿A dónde lo llevamos?"],
    ["/pedidos", "Todavía no hay pedidos"],
    ["/nada", "Esta página se escapó"],
  ])("%s has no violation", async (path, heading) => {
    const { api, session } = apiWithCart();
    openShop(path, { api, session });
    await screen.findByRole("heading", { name: heading });
    const { violations } = await axe.run(document.body, RULES);
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
  });

  it.each(["/entrar", "/registro"])("%s has no violation", async (path) => {
    openShop(path);
    await screen.findByLabelText("Correo");
    const { violations } = await axe.run(document.body, RULES);
    expect(violations.map(({ id }) => id)).toEqual([]);
  });
});
