import type { Server } from 'node:http';
import type { RequestHandler } from 'express';
import type { DrainConfig } from '../config.js';

/** Whether this process is on its way out, and the way out. */
export class Lifecycle {
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  /** Tells clients that keep connections open to bring their next request elsewhere. */
  readonly middleware: RequestHandler = (_req, res, next) => {
    if (this.#draining) res.set('Connection', 'close');
    next();
  };

  /** Unready at once, closed after the delay, then waits for what is in flight. False if some of it had to be cut. */
  async drain(server: Server, { delayMs, timeoutMs }: DrainConfig): Promise<boolean> {
    this.#draining = true;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // A connection whose answer began before the drain stays open, idle, until somebody closes it.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    let cut = false;
    const deadline = setTimeout(() => {
      cut = true;
      server.closeAllConnections();
    }, timeoutMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(deadline);
    return !cut;
  }
}
