import { act, screen, waitFor, within } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import type { Session } from "../src/api/types";
import type { FakeShopApi } from "./fakeShopApi";
import { apiWithCart, openShop } from "./shop";

let api: FakeShopApi;
let session: Session;

beforeEach(() => {
  ({ api, session } = apiWithCart());
});

const confirm = () => screen.getByRole("button", { name: "Confirmar pedido" });
const retry = () => screen.findByRole("button", { name: "Reintentar el pedido" });
const placed = () => screen.findByText("¡Lotería!");
const sentKeys = () => api.callsTo("POST", /^\/orders$/).map((call) => call.headers.get("Idempotency-Key"));

async function fillAddress(user: UserEvent, street = "Av. Morelos 1234"): Promise<void> {
  await user.type(await screen.findByLabelText("Calle y número"), street);
  await user.type(screen.getByLabelText("Código postal"), "27000");
}

describe("checkout", () => {
  it("sends the address with a key and shows the order", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    await user.click(confirm());
    await placed();
    expect(screen.getByText("Av. Morelos 1234", { exact: false })).toBeInTheDocument();
    expect(api.orders.map(({ order }) => order.totalCents)).toEqual([19_800]);
    expect(sentKeys()).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(api.callsTo("POST", /^\/orders$/)[0]?.body).toEqual({
      shippingAddress: {
        recipient: "Ana Núñez",
        street: "Av. Morelos 1234",
        city: "Torreón",
        state: "Coahuila",
        postalCode: "27000",
      },
    });
    expect(await within(screen.getByRole("banner")).findByRole("link", { name: "Carrito" })).toBeInTheDocument();
  });

  it("does not send an address that cannot be right", async () => {
    const { user } = openShop("/pagar", { api, session });
    await user.type(await screen.findByLabelText("Código postal"), "27");
    await user.click(confirm());
    expect(screen.getByText("Escribe la calle y el número.")).toBeInTheDocument();
    expect(screen.getByText("El código postal tiene 5 números.")).toBeInTheDocument();
    expect(screen.getByLabelText("Calle y número")).toHaveFocus();
    expect(sentKeys()).toEqual([]);
  });

  it("makes one order of a double click", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    await user.dblClick(confirm());
    await placed();
    expect(sentKeys()).toHaveLength(1);
    expect(api.orders).toHaveLength(1);
  });

  it("makes one order of two submits in the same moment", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    const form = screen.getByRole("form", { name: "¿A dónde lo llevamos?" });
    act(() => {
      form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
      form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    });
    await placed();
    expect(sentKeys()).toHaveLength(1);
  });

  it("repeats by itself a call whose connection broke, and makes one order", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    api.loseNextAnswer("POST", /^\/orders$/);
    await user.click(confirm());
    await placed();
    expect(sentKeys()).toHaveLength(2);
    expect(new Set(sentKeys()).size).toBe(1);
    expect(api.orders).toHaveLength(1);
  });

  it("makes one order although the answers were lost", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    api.loseNextAnswer("POST", /^\/orders$/);
    api.loseNextAnswer("POST", /^\/orders$/);
    await user.click(confirm());
    expect(await screen.findByText("Tu pedido quedó sin confirmar.")).toBeInTheDocument();
    expect(screen.getByLabelText("Calle y número")).toBeDisabled();
    await user.click(await retry());
    await placed();
    expect(sentKeys()).toHaveLength(3);
    expect(new Set(sentKeys()).size).toBe(1);
    expect(api.orders).toHaveLength(1);
  });

  it("keeps the key over a 503", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    api.failNext("POST", /^\/orders$/, 503, { retryAfter: 1 });
    await user.click(confirm());
    await user.click(await retry());
    await placed();
    expect(new Set(sentKeys()).size).toBe(1);
    expect(sentKeys()).toHaveLength(2);
  });

  it("keeps key and address of an unconfirmed order over a reload", async () => {
    const first = openShop("/pagar", { api, session });
    await fillAddress(first.user);
    api.loseNextAnswer("POST", /^\/orders$/);
    api.loseNextAnswer("POST", /^\/orders$/);
    await first.user.click(confirm());
    await retry();
    first.unmount();

    const { user } = openShop("/pagar", { api, session });
    const street = await screen.findByLabelText("Calle y número");
    expect(street).toHaveValue("Av. Morelos 1234");
    expect(street).toBeDisabled();
    await user.click(await retry());
    await placed();
    expect(new Set(sentKeys()).size).toBe(1);
    expect(api.orders).toHaveLength(1);
  });

  it("lets the address be changed after a refusal, with the same key", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    api.failNext("POST", /^\/orders$/, 409, {
      body: { error: { code: "insufficient_stock", message: "Ya no hay suficiente de Pelota." } },
    });
    await user.click(confirm());
    expect(await screen.findByText("Ya no hay suficiente de Pelota.")).toBeInTheDocument();
    await user.type(screen.getByLabelText("Calle y número"), " Pte.");
    await user.click(confirm());
    await placed();
    expect(new Set(sentKeys()).size).toBe(1);
    expect(api.orders[0]?.order.shippingAddress.street).toBe("Av. Morelos 1234 Pte.");
  });

  it("takes a new key for the next order", async () => {
    const first = openShop("/pagar", { api, session });
    await fillAddress(first.user);
    await first.user.click(confirm());
    await placed();
    first.unmount();
    api.putInCart(session, 3, 1);

    const { user } = openShop("/pagar", { api, session });
    expect(await screen.findByLabelText("Calle y número")).toHaveValue("Av. Morelos 1234");
    await user.click(confirm());
    await placed();
    expect(new Set(sentKeys()).size).toBe(2);
    expect(api.orders).toHaveLength(2);
  });

  it("points to the orders when the cart was ordered elsewhere, and drops the key", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    api.failNext("POST", /^\/orders$/, 409, {
      body: { error: { code: "cart_already_ordered", message: "Este carrito ya se pidió." } },
    });
    await user.click(confirm());
    expect(await screen.findByRole("link", { name: "Ver mis pedidos" })).toBeInTheDocument();
    await user.click(confirm());
    await placed();
    expect(new Set(sentKeys()).size).toBe(2);
  });

  it("leaves neither key nor address to the next person", async () => {
    const { user } = openShop("/pagar", { api, session });
    await fillAddress(user);
    api.failNext("POST", /^\/orders$/, 503);
    await user.click(confirm());
    await retry();
    await user.click(screen.getByRole("button", { name: "Salir" }));
    await waitFor(() => expect(Object.keys(localStorage)).toEqual(["pawpaw.cartId"]));
  });
});
