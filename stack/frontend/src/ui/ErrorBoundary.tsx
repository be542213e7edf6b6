import { Component, type ErrorInfo, type ReactNode } from "react";

export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="state" role="alert">
        <h1>Algo se nos cayó de la mesa</h1>
        <p>La página tuvo un error. Tu carrito está a salvo.</p>
        <a className="button" href="/">
          Volver a la tienda
        </a>
      </main>
    );
  }
}
