import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { vi } from "vitest";
import { App } from "../src/App";
import type { Product, Session } from "../src/api/types";
import { sessionStore } from "../src/session/sessionStore";
import { FakeShopApi } from "./fakeShopApi";

const CATEGORIES = { alimento: "Alimento", juguetes: "Juguetes", camas: "Camas" };

export function product(id: number, overrides: Partial<Product> = {}): Product {
  return {
    id,
    sku: `PP-${id}`,
    name: `Producto ${id}`,
    description: "Una descripción.",
    category: "juguetes",
    priceCents: 10_000,
    stock: 20,
    attributes: { especie: "perro" },
    ...overrides,
  };
}

export const CROQUETAS = product(1, { name: "Croquetas de salmón", category: "alimento", priceCents: 123_456 });
export const PELOTA = product(2, { name: "Pelota de hule", priceCents: 9_900 });
export const RATON = product(3, { name: "Ratón de peluche", priceCents: 6_950, attributes: { especie: "gato" } });
export const CAMA = product(4, { name: "Cama afelpada", category: "camas", priceCents: 79_900, stock: 0 });

export interface OpenShop {
  api: FakeShopApi;
  user: ReturnType<typeof userEvent.setup>;
  unmount: () => void;
}

/** The whole application at an address, over a fake API. */
export function openShop(
  path: string,
  { api = newApi(), session }: { api?: FakeShopApi; session?: Session } = {},
): OpenShop {
  vi.stubGlobal("fetch", api.fetch);
  if (session) sessionStore.set(session);
  const { unmount } = render(
    <MemoryRouter initialEntries={[path]}>
      <App />
    </MemoryRouter>,
  );
  return { api, user: userEvent.setup(), unmount };
}

export function newApi(products: Product[] = [CROQUETAS, PELOTA, RATON, CAMA]): FakeShopApi {
  return new FakeShopApi(products, CATEGORIES);
}

/** An API with Ana's account and the pelota in her cart twice. */
export function apiWithCart(): { api: FakeShopApi; session: Session } {
  const api = newApi();
  const session = api.addAccount("Ana Núñez", "ana@pawpaw.mx", "croquetas1");
  api.putInCart(session, PELOTA.id, 2);
  return { api, session };
}
