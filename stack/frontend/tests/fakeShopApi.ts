import type {
  Cart,
  CategoryCount,
  ErrorBody,
  Order,
  Product,
  ProductPage,
  Session,
  ShippingAddress,
  User,
} from "../src/api/types";

// A FAKE of the backend, in memory, to test the pages with the network cut at fetch. It keeps the rules of the
// API's contract that the pages lean on; the real backend has its own tests, and e2e/ drives both together.

interface Account extends User {
  password: string;
}

interface PlacedOrder {
  key: string;
  userId: string;
  body: string;
  order: Order;
}

/** What a test makes go wrong with the next call that matches. */
interface Fault {
  method: string;
  path: RegExp;
  kind: "status" | "refuse-connection" | "lose-answer" | "late";
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  until?: Promise<void>;
}

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

interface Answer {
  status: number;
  body: unknown;
}

/** Rejects when the caller gives up, as fetch does. */
function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class FakeShopApi {
  readonly calls: Call[] = [];
  readonly orders: PlacedOrder[] = [];
  private readonly accounts: Account[] = [];
  private readonly carts = new Map<string, Map<number, number>>();
  private readonly faults: Fault[] = [];
  private gate: Promise<void> = Promise.resolve();

  constructor(
    readonly products: Product[],
    private readonly categoryNames: Record<string, string>,
  ) {}

  addAccount(name: string, email: string, password: string): Session {
    const account: Account = { id: `user-${this.accounts.length + 1}`, name, email, password };
    this.accounts.push(account);
    return this.sessionOf(account);
  }

  putInCart(owner: Session | string, productId: number, quantity: number): void {
    this.cartOf(typeof owner === "string" ? owner : owner.user.id).set(productId, quantity);
  }

  failNext(method: string, path: RegExp, status: number, options: { retryAfter?: number; body?: ErrorBody | string } = {}): void {
    const { retryAfter, body = { error: { code: "unavailable", message: "La tienda no está disponible." } } } = options;
    this.faults.push({
      method,
      path,
      kind: "status",
      status,
      headers: retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  refuseNext(method: string, path: RegExp): void {
    this.faults.push({ method, path, kind: "refuse-connection" });
  }

  /** The work is done, but the answer never arrives. */
  loseNextAnswer(method: string, path: RegExp): void {
    this.faults.push({ method, path, kind: "lose-answer" });
  }

  /** Holds one answer until the returned function is called. */
  holdNext(method: string, path: RegExp): () => void {
    let release: () => void = () => undefined;
    this.faults.push({ method, path, kind: "late", until: new Promise((resolve) => (release = resolve)) });
    return release;
  }

  /** Holds every answer until the returned function is called. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.gate = new Promise((resolve) => (release = resolve));
    return release;
  }

  callsTo(method: string, path: RegExp): Call[] {
    return this.calls.filter((call) => call.method === method && path.test(call.path));
  }

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input), "http://shop.test");
    const call: Call = {
      method: init.method ?? "GET",
      path: url.pathname.replace(/^\/api/, ""),
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
    };
    this.calls.push(call);
    const at = this.faults.findIndex((fault) => fault.method === call.method && fault.path.test(call.path));
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0];
    await Promise.race([fault?.until ?? this.gate, aborted(init.signal)]);

    if (fault?.kind === "refuse-connection") throw new TypeError("fetch failed");
    if (fault?.kind === "status") return new Response(fault.body, { status: fault.status!, headers: fault.headers! });
    const { status, body } = this.answer(call);
    if (fault?.kind === "lose-answer") throw new TypeError("fetch failed");
    return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  };

  private answer(call: Call): Answer {
    try {
      return this.route(call);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: error.status, body: { error: { code: error.code, message: error.message } } satisfies ErrorBody };
    }
  }

  private route(call: Call): Answer {
    const [, resource, ...rest] = call.path.split("/");
    const route = `${call.method} ${resource}/${rest.map((part) => (/^\d+$|^order-/.test(part) ? ":id" : part)).join("/")}`;
    switch (route) {
      case "GET products/":
        return { status: 200, body: this.listProducts(call.query) };
      case "GET products/:id":
        return { status: 200, body: this.product(Number(rest[0])) };
      case "POST auth/register":
        return this.register(call);
      case "POST auth/login":
        return this.login(call);
      case "GET cart/":
        return { status: 200, body: this.viewCart(this.ownerOf(call)) };
      case "PUT cart/items/:id":
        return this.putItem(call, Number(rest[1]));
      case "DELETE cart/items/:id":
        this.cartOf(this.ownerOf(call)).delete(Number(rest[1]));
        return { status: 200, body: this.viewCart(this.ownerOf(call)) };
      case "POST orders/":
        return this.placeOrder(call);
      case "GET orders/":
        return { status: 200, body: { items: this.ordersOf(this.userOf(call)).reverse() } };
      case "GET orders/:id": {
        const order = this.ordersOf(this.userOf(call)).find(({ id }) => id === rest[0]);
        if (!order) throw new Refusal(404, "not_found", "No existe ese pedido.");
        return { status: 200, body: order };
      }
      default:
        throw new Error(`the fake has no ${route}`);
    }
  }

  private listProducts(query: URLSearchParams): ProductPage {
    const fold = (text: string) => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
    const terms = fold(query.get("search") ?? "").split(/\s+/).filter(Boolean);
    const category = query.get("category");
    const species = query.get("species");
    const page = Number(query.get("page") ?? 1);
    const pageSize = Number(query.get("pageSize") ?? 24);
    const found = this.products.filter(
      (product) =>
        (!category || product.category === category) &&
        (!species || product.attributes["especie"] === species) &&
        terms.every((term) => fold(`${product.name} ${product.description}`).includes(term)),
    );
    const categories: CategoryCount[] = Object.entries(this.categoryNames).map(([slug, name]) => ({
      slug,
      name,
      count: this.products.filter((product) => product.category === slug).length,
    }));
    return {
      items: found.slice((page - 1) * pageSize, page * pageSize),
      page,
      pageSize,
      total: found.length,
      pages: Math.ceil(found.length / pageSize),
      categories,
    };
  }

  private product(id: number): Product {
    const product = this.products.find((candidate) => candidate.id === id);
    if (!product) throw new Refusal(404, "not_found", "No existe ese producto.");
    return product;
  }

  private register(call: Call): Answer {
    const { name, email, password } = call.body as Account;
    if (this.accounts.some((account) => account.email === email)) {
      throw new Refusal(409, "email_taken", "Ya existe una cuenta con ese correo.");
    }
    const session = this.addAccount(name, email, password);
    this.adoptCart(call, session.user.id);
    return { status: 201, body: session };
  }

  private login(call: Call): Answer {
    const { email, password } = call.body as Account;
    const account = this.accounts.find((candidate) => candidate.email === email && candidate.password === password);
    if (!account) throw new Refusal(401, "bad_credentials", "El correo o la contraseña no son correctos.");
    this.adoptCart(call, account.id);
    return { status: 200, body: this.sessionOf(account) };
  }

  private adoptCart(call: Call, userId: string): void {
    const anonymous = call.headers.get("X-Cart-Id") ?? "";
    for (const [productId, quantity] of this.cartOf(anonymous)) this.cartOf(userId).set(productId, quantity);
    this.carts.delete(anonymous);
  }

  private putItem(call: Call, productId: number): Answer {
    const { quantity } = call.body as { quantity: number };
    if (quantity > this.product(productId).stock) {
      throw new Refusal(409, "insufficient_stock", `No hay suficiente de ${this.product(productId).name}.`);
    }
    this.cartOf(this.ownerOf(call)).set(productId, quantity);
    return { status: 200, body: this.viewCart(this.ownerOf(call)) };
  }

  private placeOrder(call: Call): Answer {
    const userId = this.userOf(call);
    const key = call.headers.get("Idempotency-Key");
    if (!key) throw new Refusal(400, "idempotency_key_required", "Falta el encabezado Idempotency-Key.");
    const body = JSON.stringify(call.body);
    const earlier = this.orders.find((placed) => placed.key === key && placed.userId === userId);
    if (earlier && earlier.body !== body) {
      throw new Refusal(422, "idempotency_key_reused", "La clave de idempotencia ya se usó con otros datos.");
    }
    if (earlier) return { status: 200, body: earlier.order };
    const cart = this.viewCart(userId);
    if (cart.items.length === 0) throw new Refusal(409, "empty_cart", "Tu carrito está vacío.");
    const order: Order = {
      id: `order-${String(this.orders.length + 1).padStart(4, "0")}`,
      status: "placed",
      createdAt: "2025-11-24T18:30:00.000Z",
      shippingAddress: (call.body as { shippingAddress: ShippingAddress }).shippingAddress,
      totalCents: cart.totalCents,
      items: cart.items.map(({ product, quantity, lineTotalCents }) => ({
        productId: product.id,
        name: product.name,
        unitPriceCents: product.priceCents,
        quantity,
        lineTotalCents,
      })),
    };
    this.orders.push({ key, userId, body, order });
    this.carts.delete(userId);
    return { status: 201, body: order };
  }

  private viewCart(owner: string): Cart {
    const items = [...this.cartOf(owner)].map(([productId, quantity]) => {
      const product = this.product(productId);
      return { product, quantity, lineTotalCents: product.priceCents * quantity };
    });
    return { items, totalCents: items.reduce((sum, line) => sum + line.lineTotalCents, 0) };
  }

  private cartOf(owner: string): Map<number, number> {
    const cart = this.carts.get(owner) ?? new Map<number, number>();
    this.carts.set(owner, cart);
    return cart;
  }

  private ordersOf(userId: string): Order[] {
    return this.orders.filter((placed) => placed.userId === userId).map(({ order }) => order);
  }

  private ownerOf(call: Call): string {
    if (call.headers.has("Authorization")) return this.userOf(call);
    const cartId = call.headers.get("X-Cart-Id");
    if (!cartId || !/^[0-9a-f-]{36}$/.test(cartId)) throw new Refusal(400, "invalid_request", "Falta el encabezado X-Cart-Id.");
    return cartId;
  }

  private userOf(call: Call): string {
    const token = call.headers.get("Authorization")?.replace("Bearer ", "");
    const account = this.accounts.find(({ id }) => token === `token-of-${id}`);
    if (!account) throw new Refusal(401, "unauthorized", "Inicia sesión para continuar.");
    return account.id;
  }

  private sessionOf({ id, name, email }: Account): Session {
    return { token: `token-of-${id}`, user: { id, name, email } };
  }
}
