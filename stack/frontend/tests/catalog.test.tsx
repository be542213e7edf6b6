import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { CROQUETAS, newApi, openShop, product } from "./shop";

const cards = () => screen.findAllByRole("article");
const names = async () => (await cards()).map((card) => within(card).getByRole("heading").textContent);

describe("catalogue", () => {
  it("shows the products with their price in pesos", async () => {
    openShop("/");
    const card = await screen.findByRole("article", { name: CROQUETAS.name });
    expect(card).toHaveTextContent("$1,234.56");
    expect(await cards()).toHaveLength(4);
    expect(screen.getByText("4 productos")).toBeInTheDocument();
  });

  it("shows placeholders until the products arrive", async () => {
    const api = newApi();
    const release = api.hold();
    openShop("/", { api });
    expect(screen.getByText("Buscando…")).toBeInTheDocument();
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
    release();
    expect(await cards()).toHaveLength(4);
  });

  it("searches for what is typed", async () => {
    const { api, user } = openShop("/");
    await cards();
    await user.type(screen.getByRole("searchbox"), "raton{Enter}");
    expect(await screen.findByRole("heading", { level: 1, name: "Resultados para «raton»" })).toBeInTheDocument();
    await waitFor(async () => expect(await names()).toEqual(["Ratón de peluche"]));
    expect(api.callsTo("GET", /^\/products$/).at(-1)?.query.get("search")).toBe("raton");
  });

  it("says so when nothing is found, and leads back", async () => {
    const { user } = openShop("/?buscar=dinosaurio");
    expect(await screen.findByText(/No encontramos «dinosaurio»/)).toBeInTheDocument();
    await user.click(screen.getByRole("link", { name: "Ver todo el catálogo" }));
    expect(await cards()).toHaveLength(4);
  });

  it("filters by category and by species together", async () => {
    const { user } = openShop("/");
    await user.click(await screen.findByRole("link", { name: "Juguetes, 2 en total" }));
    await waitFor(async () => expect(await names()).toEqual(["Pelota de hule", "Ratón de peluche"]));
    await user.click(screen.getByRole("link", { name: "Gatos" }));
    await waitFor(async () => expect(await names()).toEqual(["Ratón de peluche"]));
    expect(screen.getByRole("link", { name: "Juguetes, 2 en total" })).toHaveAttribute("aria-current", "true");
  });

  it("goes through the pages", async () => {
    const api = newApi(Array.from({ length: 50 }, (_, n) => product(n + 1)));
    const { user } = openShop("/", { api });
    expect(await cards()).toHaveLength(24);
    expect(screen.queryByRole("link", { name: "Anterior" })).not.toBeInTheDocument();
    await user.click(screen.getByRole("link", { name: "Página 3" }));
    await waitFor(async () => expect(await names()).toEqual(["Producto 49", "Producto 50"]));
    expect(screen.queryByRole("link", { name: "Siguiente" })).not.toBeInTheDocument();
    await user.click(screen.getByRole("link", { name: "Anterior" }));
    await waitFor(async () => expect((await names())[0]).toBe("Producto 25"));
  });

  it("starts the next page at its top, and another page with the focus in it", async () => {
    const scrollTo = vi.spyOn(window, "scrollTo");
    const api = newApi(Array.from({ length: 50 }, (_, n) => product(n + 1)));
    const { user } = openShop("/", { api });
    await user.click(await screen.findByRole("link", { name: "Siguiente" }));
    expect(scrollTo).toHaveBeenCalledTimes(1);
    await user.click(await screen.findByRole("link", { name: "Producto 25" }));
    expect(scrollTo).toHaveBeenCalledTimes(2);
    expect(screen.getByRole("main")).toHaveFocus();
  });

  it("does not sell what is out of stock", async () => {
    openShop("/");
    const card = await screen.findByRole("article", { name: "Cama afelpada" });
    expect(card).toHaveTextContent("Agotado");
    expect(within(card).getByRole("button", { name: "Agregar" })).toBeDisabled();
  });

  it("shows a product, and a friendly page for one that is not", async () => {
    const { user } = openShop("/");
    await user.click(await screen.findByRole("link", { name: "Pelota de hule" }));
    expect(await screen.findByRole("heading", { level: 1, name: "Pelota de hule" })).toBeInTheDocument();
    expect(await screen.findByRole("heading", { name: "También le puede gustar" })).toBeInTheDocument();
  });

  it.each(["/producto/999", "/no/existe"])("answers %s with a friendly page", async (path) => {
    openShop(path);
    expect(await screen.findByRole("heading", { name: "Esta página se escapó" })).toBeInTheDocument();
  });
});
