import { request } from "./http";
import type { Cart, Order, Product, ProductPage, ProductQuery, Session, ShippingAddress } from "./types";

export function listProducts(query: ProductQuery, signal?: AbortSignal): Promise<ProductPage> {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") params.set(name, String(value));
  }
  return request(`/products?${params}`, { signal });
}

export function getProduct(id: string, signal?: AbortSignal): Promise<Product> {
  return request(`/products/${encodeURIComponent(id)}`, { signal });
}

export function getCart(signal?: AbortSignal): Promise<Cart> {
  return request("/cart", { signal });
}

export function putCartItem(productId: number, quantity: number): Promise<Cart> {
  return request(`/cart/items/${productId}`, { method: "PUT", body: { quantity } });
}

export function deleteCartItem(productId: number): Promise<Cart> {
  return request(`/cart/items/${productId}`, { method: "DELETE" });
}

export function login(email: string, password: string): Promise<Session> {
  return request("/auth/login", { method: "POST", body: { email, password } });
}

export function register(name: string, email: string, password: string): Promise<Session> {
  return request("/auth/register", { method: "POST", body: { name, email, password } });
}

export function placeOrder(shippingAddress: ShippingAddress, idempotencyKey: string): Promise<Order> {
  return request("/orders", {
    method: "POST",
    body: { shippingAddress },
    headers: { "Idempotency-Key": idempotencyKey },
  });
}

export async function listOrders(signal?: AbortSignal): Promise<Order[]> {
  return (await request<{ items: Order[] }>("/orders", { signal })).items;
}

export function getOrder(id: string, signal?: AbortSignal): Promise<Order> {
  return request(`/orders/${encodeURIComponent(id)}`, { signal });
}
