import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { apiWithCart, newApi, openShop, PELOTA, product } from "./shop";

const total = () => screen.getByRole("complementary", { name: "Resumen de la compra" });

describe("cart", () => {
  it("belongs to the browser of a visitor, under an id that stays", async () => {
    const { api, user } = openShop("/producto/2");
    await user.click(await screen.findByRole("button", { name: "Agregar uno" }));
    await user.click(screen.getByRole("button", { name: "Agregar al carrito" }));
    expect(await screen.findByText("Pelota de hule ya está en tu carrito.")).toBeInTheDocument();
    await user.click(screen.getByRole("link", { name: "Carrito 2 artículos" }));
    expect(await screen.findByRole("heading", { name: "Tu carrito" })).toBeInTheDocument();
    expect(total()).toHaveTextContent("$198.00");

    const ids = new Set(api.calls.map((call) => call.headers.get("X-Cart-Id")));
    expect([...ids]).toEqual([localStorage.getItem("pawpaw.cartId")]);
  });

  it("adds to what is there already", async () => {
    const { api, user } = openShop("/");
    const add = () => screen.getAllByRole("button", { name: "Agregar" })[1]!;
    await screen.findByRole("article", { name: PELOTA.name });
    await user.click(add());
    await screen.findByRole("link", { name: "Carrito 1 artículo" });
    await user.click(add());
    await screen.findByRole("link", { name: "Carrito 2 artículos" });
    expect(api.callsTo("PUT", /./).map((call) => call.body)).toEqual([{ quantity: 1 }, { quantity: 2 }]);
  });

  it("changes quantities and takes lines out", async () => {
    const { api, session } = apiWithCart();
    const { user } = openShop("/carrito", { api, session });
    await user.click(await screen.findByRole("button", { name: "Agregar uno" }));
    await waitFor(() => expect(total()).toHaveTextContent("$297.00"));
    await user.click(screen.getByRole("button", { name: "Quitar Pelota de hule" }));
    expect(await screen.findByRole("heading", { name: "Tu carrito está vacío" })).toBeInTheDocument();
  });

  it("sends quick changes one after the other", async () => {
    const { api, user } = openShop("/");
    await screen.findByRole("article", { name: PELOTA.name });
    const release = api.hold();
    const [first, second] = screen.getAllByRole("button", { name: "Agregar" });
    await user.click(first!);
    await user.click(second!);
    expect(api.callsTo("PUT", /./)).toHaveLength(1);
    release();
    await screen.findByRole("link", { name: "Carrito 2 artículos" });
  });

  it("shows the reason when the shop refuses", async () => {
    const api = newApi([product(1, { name: "Hueso", stock: 1 })]);
    const { user } = openShop("/", { api });
    await user.click(await screen.findByRole("button", { name: "Agregar" }));
    await screen.findByRole("link", { name: "Carrito 1 artículo" });
    await user.click(screen.getByRole("button", { name: "Agregar" }));
    expect(await screen.findByText("No hay suficiente de Hueso.")).toBeInTheDocument();
  });
});
