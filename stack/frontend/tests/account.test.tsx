import { screen, waitFor, within } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { returnPath } from "../src/session/returnPath";
import { sessionStore } from "../src/session/sessionStore";
import { apiWithCart, newApi, openShop, PELOTA } from "./shop";

async function logIn(user: UserEvent, password: string): Promise<void> {
  await user.type(await screen.findByLabelText("Correo"), "ana@pawpaw.mx");
  await user.type(screen.getByLabelText("Contraseña"), password);
  await user.click(screen.getByRole("button", { name: "Entrar" }));
}

describe("account", () => {
  it("asks a visitor to log in before checkout and returns there with the cart", async () => {
    const api = newApi();
    api.addAccount("Ana Núñez", "ana@pawpaw.mx", "croquetas1");
    localStorage.setItem("pawpaw.cartId", "11111111-2222-4333-8444-555555555555");
    api.putInCart("11111111-2222-4333-8444-555555555555", PELOTA.id, 3);
    const { user } = openShop("/carrito", { api });
    await user.click(await screen.findByRole("link", { name: "Hacer el pedido" }));
    await logIn(user, "croquetas1");
    expect(await screen.findByRole("heading", { name: "¿A dónde lo llevamos?" })).toBeInTheDocument();
    expect(screen.getByText("3 × Pelota de hule")).toBeInTheDocument();
  });

  it("goes on with the cart of the account, not with the empty one of before", async () => {
    const { api } = apiWithCart();
    const { user } = openShop("/pagar", { api });
    await waitFor(() => expect(api.callsTo("GET", /^\/cart$/)).toHaveLength(1));
    const release = api.holdNext("GET", /^\/cart$/);
    await logIn(user, "croquetas1");
    expect(await screen.findByText("Preparando tu pedido…")).toBeInTheDocument();
    release();
    expect(await screen.findByRole("heading", { name: "¿A dónde lo llevamos?" })).toBeInTheDocument();
    expect(screen.getByText("2 × Pelota de hule")).toBeInTheDocument();
  });

  it("says when the password is wrong, and stays", async () => {
    const { api } = apiWithCart();
    const { user } = openShop("/entrar", { api });
    await logIn(user, "equivocada");
    expect(await screen.findByRole("alert")).toHaveTextContent("El correo o la contraseña no son correctos.");
    expect(sessionStore.get()).toBeUndefined();
    expect(screen.getByRole("button", { name: "Entrar" })).toBeEnabled();
  });

  it("does not repeat by itself what has no key", async () => {
    const { api } = apiWithCart();
    const { user } = openShop("/entrar", { api });
    api.refuseNext("POST", /login/);
    await logIn(user, "croquetas1");
    expect(await screen.findByRole("alert")).toHaveTextContent("No pudimos comunicarnos con la tienda.");
    expect(api.callsTo("POST", /login/)).toHaveLength(1);
  });

  it("creates an account", async () => {
    const { api, user } = openShop("/registro");
    await user.type(await screen.findByLabelText("Tu nombre"), "José Peña");
    await user.type(screen.getByLabelText("Correo"), "jose@pawpaw.mx");
    await user.type(screen.getByLabelText("Contraseña"), "chicharrones");
    await user.click(screen.getByRole("button", { name: "Crear cuenta" }));
    expect(await within(screen.getByRole("banner")).findByRole("link", { name: "Mis pedidos" })).toBeInTheDocument();
    expect(api.callsTo("POST", /register/)[0]?.body).toEqual({
      name: "José Peña",
      email: "jose@pawpaw.mx",
      password: "chicharrones",
    });
    expect(sessionStore.get()?.user.name).toBe("José Peña");
  });

  it("ends a session the shop does not take any more", async () => {
    const { api, session } = apiWithCart();
    openShop("/pedidos", { api, session: { ...session, token: "expired" } });
    expect(await screen.findByRole("heading", { name: "¡Qué gusto verte!" })).toBeInTheDocument();
    expect(sessionStore.get()).toBeUndefined();
    await waitFor(() => expect(api.calls.at(-1)?.headers.has("Authorization")).toBe(false));
  });

  it.each([
    ["/pagar", "/pagar"],
    ["https://evil.example", "/"],
    ["//evil.example", "/"],
    ["/\\evil.example", "/"],
  ])("returns from login to %s as %s", (given, expected) => {
    expect(returnPath(new URLSearchParams({ volver: given }))).toBe(expected);
  });
});

describe("order history", () => {
  it("lists the orders, newest first, and opens one", async () => {
    const { api, session } = apiWithCart();
    const order = (street: string, key: string) =>
      api.fetch("/api/orders", {
        method: "POST",
        headers: { Authorization: `Bearer ${session.token}`, "Idempotency-Key": key },
        body: JSON.stringify({
          shippingAddress: { recipient: "Ana", street, city: "Torreón", state: "Coahuila", postalCode: "27000" },
        }),
      });
    await order("Primera 1", "k1");
    api.putInCart(session, 3, 1);
    await order("Segunda 2", "k2");

    const { user } = openShop("/pedidos", { api, session });
    expect((await screen.findAllByRole("listitem")).map((item) => item.textContent)).toEqual([
      expect.stringContaining("1 × Ratón de peluche"),
      expect.stringContaining("2 × Pelota de hule"),
    ]);
    await user.click(screen.getAllByRole("link", { name: /^Pedido / })[1]!);
    expect(await screen.findByText("Primera 1", { exact: false })).toBeInTheDocument();
    expect(screen.queryByText("¡Lotería!")).not.toBeInTheDocument();
  });

  it("is friendly when there is none", async () => {
    const { api, session } = apiWithCart();
    openShop("/pedidos", { api, session });
    expect(await screen.findByRole("heading", { name: "Todavía no hay pedidos" })).toBeInTheDocument();
  });
});
