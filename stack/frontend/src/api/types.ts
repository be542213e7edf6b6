// The backend's answers, as its API.md describes them. Money is integer cents of MXN.

export interface Product {
  id: number;
  sku: string;
  name: string;
  description: string;
  category: string;
  priceCents: number;
  stock: number;
  attributes: Record<string, unknown>;
}

export interface CategoryCount {
  slug: string;
  name: string;
  count: number;
}

export interface ProductPage {
  items: Product[];
  page: number;
  pageSize: number;
  total: number;
  pages: number;
  categories: CategoryCount[];
}

export interface ProductQuery {
  search?: string;
  category?: string;
  species?: string;
  page?: number;
  pageSize?: number;
}

export interface CartLine {
  product: Product;
  quantity: number;
  lineTotalCents: number;
}

export interface Cart {
  items: CartLine[];
  totalCents: number;
}

export interface ShippingAddress {
  recipient: string;
  street: string;
  neighborhood?: string;
  city: string;
  state: string;
  postalCode: string;
  phone?: string;
}

export interface OrderLine {
  productId: number;
  name: string;
  unitPriceCents: number;
  quantity: number;
  lineTotalCents: number;
}

export interface Order {
  id: string;
  status: string;
  createdAt: string;
  shippingAddress: ShippingAddress;
  totalCents: number;
  items: OrderLine[];
}

export interface User {
  id: string;
  email: string;
  name: string;
}

export interface Session {
  token: string;
  user: User;
}

export interface ErrorBody {
  error: { code: string; message: string };
}
