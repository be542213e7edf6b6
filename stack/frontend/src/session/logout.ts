import { forgetCheckout } from "../checkout/attempt";
import { sessionStore } from "./sessionStore";

export function logout(): void {
  // The next person at this computer must not find the address, nor repeat the order.
  forgetCheckout();
  sessionStore.clear();
}
