// One bundle on purpose: a page left open over a deploy never asks for a chunk that is gone.
import { Route, Routes } from "react-router";
import { CartProvider } from "./cart/CartProvider";
import { CartPage } from "./pages/CartPage";
import { CheckoutPage } from "./pages/CheckoutPage";
import { LoginPage } from "./pages/LoginPage";
import { NotFoundPage } from "./pages/NotFoundPage";
import { OrderPage } from "./pages/OrderPage";
import { OrdersPage } from "./pages/OrdersPage";
import { ProductPage } from "./pages/ProductPage";
import { ProductsPage } from "./pages/ProductsPage";
import { RegisterPage } from "./pages/RegisterPage";
import { RequireSession } from "./session/RequireSession";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { Layout } from "./ui/Layout";
import { NoticeProvider } from "./ui/notices";

export function App() {
  return (
    <ErrorBoundary>
      <NoticeProvider>
        <CartProvider>
          <Routes>
            <Route element={<Layout />}>
              <Route index element={<ProductsPage />} />
              <Route path="producto/:id" element={<ProductPage />} />
              <Route path="carrito" element={<CartPage />} />
              <Route path="entrar" element={<LoginPage />} />
              <Route path="registro" element={<RegisterPage />} />
              <Route element={<RequireSession />}>
                <Route path="pagar" element={<CheckoutPage />} />
                <Route path="pedidos" element={<OrdersPage />} />
                <Route path="pedidos/:id" element={<OrderPage />} />
              </Route>
              <Route path="*" element={<NotFoundPage />} />
            </Route>
          </Routes>
        </CartProvider>
      </NoticeProvider>
    </ErrorBoundary>
  );
}
