import { act, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { apiWithCart, newApi, openShop } from "./shop";

afterEach(() => {
  vi.useRealTimers();
});

describe("when the shop is away", () => {
  it("says so and comes back at the press of a button", async () => {
    const api = newApi();
    api.failNext("GET", /^\/products$/, 503);
    const { user } = openShop("/", { api });
    expect(await screen.findByRole("heading", { name: "Estamos acomodando la tienda" })).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Reintentar" }));
    expect(await screen.findAllByRole("article")).toHaveLength(4);
  });

  it("tries again by itself when Retry-After is over, not before", async () => {
    vi.useFakeTimers();
    const api = newApi();
    api.failNext("GET", /^\/products$/, 503, { retryAfter: 7 });
    openShop("/", { api });
    await act(() => vi.advanceTimersByTimeAsync(0));
    expect(screen.getByRole("heading", { name: "Estamos acomodando la tienda" })).toBeInTheDocument();
    await act(() => vi.advanceTimersByTimeAsync(6_900));
    expect(api.callsTo("GET", /^\/products$/)).toHaveLength(1);
    await act(() => vi.advanceTimersByTimeAsync(200));
    expect(screen.getAllByRole("article")).toHaveLength(4);
  });

  it("understands a gateway that answers with a page of its own", async () => {
    const api = newApi();
    api.failNext("GET", /^\/products$/, 502, { body: "<html>Bad Gateway</html>" });
    openShop("/", { api });
    expect(await screen.findByRole("heading", { name: "Estamos acomodando la tienda" })).toBeInTheDocument();
  });

  it("tells no answer at all from maintenance", async () => {
    const api = newApi();
    api.refuseNext("GET", /^\/products$/);
    api.refuseNext("GET", /^\/products$/);
    openShop("/", { api });
    expect(await screen.findByRole("heading", { name: "No hay comunicación con la tienda" })).toBeInTheDocument();
  });

  it("does not notice one broken connection", async () => {
    const api = newApi();
    api.refuseNext("GET", /^\/products$/);
    openShop("/", { api });
    expect(await screen.findAllByRole("article")).toHaveLength(4);
  });

  it("gives up an answer that takes too long", async () => {
    vi.useFakeTimers();
    const api = newApi();
    api.hold();
    openShop("/", { api });
    await act(() => vi.advanceTimersByTimeAsync(19_000));
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    expect(screen.getByRole("heading", { name: "No hay comunicación con la tienda" })).toBeInTheDocument();
  });

  it.each([
    ["/producto/2", /^\/products\/2$/],
    ["/carrito", /^\/cart$/],
    ["/pedidos", /^\/orders$/],
    ["/pagar", /^\/cart$/],
  ])("keeps %s on its feet", async (path, call) => {
    const { api, session } = apiWithCart();
    api.failNext("GET", call, 503);
    const { user } = openShop(path, { api, session });
    await user.click(await screen.findByRole("button", { name: "Reintentar" }));
    expect(await screen.findByRole("heading", { level: 1 })).not.toHaveTextContent("Estamos acomodando la tienda");
  });

  it("does not retry by itself what will not change", async () => {
    vi.useFakeTimers();
    const api = newApi();
    api.failNext("GET", /^\/products$/, 500, { body: { error: { code: "internal", message: "Algo falló." } } });
    openShop("/", { api });
    await act(() => vi.advanceTimersByTimeAsync(0));
    await act(() => vi.advanceTimersByTimeAsync(120_000));
    expect(screen.getByRole("alert")).toHaveTextContent("Algo falló.");
    expect(api.callsTo("GET", /^\/products$/)).toHaveLength(1);
  });
});
