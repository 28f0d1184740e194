/** Orders after the sale: the list, one order with all that happened to it, refunds and returns. */

import { call, type Call, type Fetch } from "./http";
import type { OrderState } from "./types";

export type ReturnState = "asked" | "approved" | "received" | "refunded" | "rejected" | "closed";
export type ReturnKind = "cancel" | "withdrawal" | "return";
export type RefundState = "queued" | "sent" | "done" | "failed";

export interface OrderRow {
  id: string;
  number: string;
  channel: string;
  state: OrderState;
  message: string;
  currency: string;
  subtotal_minor: number;
  discount_minor: number;
  shipping_minor: number;
  tax_minor: number;
  total_minor: number;
  captured_minor: number;
  refunded_minor: number;
  placed_at: string;
  updated_at: string;
  buyer_name: string | null;
  country: string | null;
  test: boolean;
  show_id: string | null;
  show_title: string | null;
  pieces: number;
  lines: string | null;
  open_return: boolean;
}

export interface OrderPage {
  orders: OrderRow[];
  next: string | null;
}

/** `q`: number, name or SKU, or a whole e-mail address. */
export interface OrderFilter {
  q?: string;
  state?: string;
  channel?: string;
  show_id?: string;
  since?: string;
  until?: string;
}

/** When a right ends; its last day is by the buyer's calendar. */
export interface Deadline {
  until: string;
  last_day: string;
  counted_from: "delivery" | "longest_delivery";
}

export interface BuyerRights {
  cancel_until: string;
  can_cancel: boolean;
  /** Null where the law of the buyer's country gives no such right. */
  withdrawal: Deadline | null;
  can_withdraw: boolean;
  returns: Deadline;
  can_return: boolean;
}

export interface SoldLine {
  id: string;
  title: string;
  sku: string | null;
  quantity: number;
  unit_minor: number;
  list_minor: number;
  discount_minor: number;
  tax_minor: number;
  tax_percent: string;
  /** For all of it, with tax and discount. */
  paid_minor: number;
  state: string;
  refunded_pieces: number;
  refunded_minor: number;
  returned: number;
  returnable: number;
}

export interface OrderEvent {
  at: string;
  kind: string;
  text: string;
  /** A member's name; null when nobody of the staff did it. */
  author: string | null;
}

export interface RefundPart {
  /** Null for shipping. */
  order_line_id: string | null;
  quantity: number;
  amount_minor: number;
  restocked: number;
}

export interface GivenRefund {
  id: string;
  amount_minor: number;
  state: RefundState;
  reason: string;
  message: string;
  created_at: string;
  author: string | null;
  parts: RefundPart[];
}

export interface ReturnLine {
  id: string;
  order_line_id: string;
  title: string;
  sku: string | null;
  quantity: number;
  received: number;
  restock: boolean | null;
  reason: string;
}

export interface Return {
  id: string;
  order_id: string;
  order_number: string;
  buyer_name: string | null;
  currency: string;
  number: string;
  state: ReturnState;
  kind: ReturnKind;
  reason: string;
  note: string;
  answer: string;
  author_name: string | null;
  refund_state: RefundState | null;
  refund_minor: number | null;
  created_at: string;
  updated_at: string;
  lines: ReturnLine[];
}

export interface Paper {
  id: string;
  number: string;
  kind: "invoice" | "credit_note";
  issued_at: string;
  total_minor: number;
}

/** A signal for people: nothing is refused by it. */
export interface Returner {
  id: string;
  name: string | null;
  orders: number;
  orders_returned: number;
  pieces: number;
  returned: number;
  last_order_at: string;
  marked: boolean;
  threshold_orders: number;
  threshold_percent: number;
}

export interface PostalAddress {
  line1: string;
  line2: string;
  city: string;
  postcode: string;
  region: string;
  country: string;
  phone: string;
}

export interface OrderDetail
  extends Omit<OrderRow, "lines" | "pieces" | "show_title" | "open_return" | "country"> {
  prices_include_tax: boolean;
  /** What can still be given back, in all and of the shipping. */
  left_minor: number;
  shipping_left_minor: number;
  shipping_method: string;
  email: string | null;
  address: PostalAddress | null;
  lines: SoldLine[];
  payments: {
    gateway: string;
    state: string;
    amount_minor: number;
    captured_minor: number;
    message: string;
    updated_at: string;
  }[];
  refunds: GivenRefund[];
  returns: Return[];
  invoices: Paper[];
  delivery: { sent_at: string | null; delivered_at: string | null; tracking: string } | null;
  rights: BuyerRights;
  returner: Returner | null;
  timeline: OrderEvent[];
}

export interface RefundWish {
  lines: { line_id: string; quantity: number }[];
  shipping_minor: number;
  /** On top, for nothing in particular. */
  amount_minor: number;
  everything: boolean;
}

export interface ReturnRate {
  id: string;
  title: string;
  pieces: number;
  returned: number;
}

export interface AftersaleTerms {
  legal_name: string;
  legal_address: string;
  vat_id: string;
  invoice_prefix: string;
  invoice_note: string;
  return_address: string;
  return_days: number;
  longest_delivery_days: number;
  returner_orders: number;
  returner_percent: number;
  high_value_minor: number | null;
}

/** "Say the return terms": ticked once somebody said them. */
export interface TermsPrompt {
  product_id: string;
  title: string;
  price_minor: number;
  currency: string;
  policy: string;
  said_at: string | null;
  said_by: string | null;
}

/** Writes carry this header, which another site's form cannot send. */
const WRITE = { "X-Requested-With": "simulcast" };

/** One method per route; every method throws `ApiError`. */
export class OrdersApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  list = (filter: OrderFilter, cursor: string | null, signal?: AbortSignal) =>
    this.read<OrderPage>(`/orders?${queryOf({ ...filter, ...(cursor ? { cursor } : {}) })}`, signal);
  /** A file of all orders of the filter. */
  exportUrl = (kind: "csv" | "json", filter: OrderFilter) => `/api/v1/orders/export.${kind}?${queryOf(filter)}`;
  order = (id: string, signal?: AbortSignal) =>
    this.read<OrderDetail>(`/orders/${encodeURIComponent(id)}`, signal);
  /** What a refund would come to; nothing is changed. */
  previewRefund = (id: string, wish: RefundWish, signal?: AbortSignal) =>
    this.write<{ total_minor: number; parts: RefundPart[] }>(
      "POST",
      `/orders/${id}/refunds/preview`,
      wish,
      signal,
    );
  /** The same key refunds once. */
  refund = (id: string, wish: RefundWish & { key: string; reason: string; restock: boolean }) =>
    this.write<OrderDetail>("POST", `/orders/${id}/refunds`, wish);
  cancel = (id: string, reason: string) =>
    this.write<OrderDetail>("POST", `/orders/${id}/cancel`, { reason });
  addNote = (id: string, reason: string) =>
    this.write<OrderDetail>("POST", `/orders/${id}/notes`, { reason });
  setDelivery = (
    id: string,
    delivery: { sent_at: string | null; delivered_at: string | null; tracking: string },
  ) => this.write<OrderDetail>("PUT", `/orders/${id}/delivery`, delivery);
  addReturn = (
    id: string,
    wish: { key: string; reason: string; lines: { line_id: string; quantity: number }[] },
  ) => this.write<OrderDetail>("POST", `/orders/${id}/returns`, wish);
  returns = (state: "open" | null, signal?: AbortSignal) =>
    this.read<Return[]>(`/returns${state ? `?state=${state}` : ""}`, signal);
  decide = (returnId: string, step: "approve" | "reject" | "close", reason: string) =>
    this.write<OrderDetail>("POST", `/returns/${returnId}/${step}`, { reason });
  receive = (
    returnId: string,
    arrival: { reason: string; lines: { id: string; pieces: number; restock: boolean }[] },
  ) => this.write<OrderDetail>("PUT", `/returns/${returnId}/arrival`, arrival);
  refundReturn = (returnId: string, wish: { reason: string; shipping_minor: number }) =>
    this.write<OrderDetail>("PUT", `/returns/${returnId}/refund`, wish);
  rates = (signal?: AbortSignal) =>
    this.read<{ shows: ReturnRate[]; offers: ReturnRate[] }>("/returns/rates", signal);
  returners = (signal?: AbortSignal) => this.read<Returner[]>("/returns/returners", signal);
  invoiceUrl = (id: string) => `/api/v1/invoices/${id}`;
  terms = (signal?: AbortSignal) => this.read<AftersaleTerms>("/aftersale/terms", signal);
  changeTerms = (change: Partial<AftersaleTerms>) =>
    this.write<AftersaleTerms>("PATCH", "/aftersale/terms", change);
  prompts = (showId: string, signal?: AbortSignal) =>
    this.read<TermsPrompt[]>(`/shows/${showId}/terms-prompts`, signal);
  termsSaid = (showId: string, productId: string) =>
    this.write<TermsPrompt[]>("PUT", `/shows/${showId}/terms-prompts/${productId}`);

  private read<R>(path: string, signal?: AbortSignal): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { signal });
  }

  private write<R>(
    method: NonNullable<Call["method"]>,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<R> {
    return call<R>(this.fetch, `/api/v1${path}`, { method, body, headers: WRITE, signal });
  }
}

/** The buyer's half. `order` is the token of the link in their mail, or an id beside the page's token. */
export class MyOrderApi {
  constructor(
    private readonly order: string,
    private readonly token: string | null = null,
    private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init),
  ) {}

  after = (signal?: AbortSignal) => this.send<MyOrder>("GET", "/after", undefined, signal);
  cancel = () => this.send<MyOrder>("POST", "/cancel");
  /** With `confirm` false nothing happens: the answer says what would be declared. */
  withdraw = (wish: WithdrawalWish) => this.send<Withdrawal>("POST", "/withdrawal", wish);
  sendBack = (wish: {
    key: string;
    lines: { line_id: string; quantity: number }[];
    reason: string;
    note: string;
  }) => this.send<MyOrder>("POST", "/returns", wish);
  /** The PDF. By `fetch`, as the page's token goes in a header. */
  invoice = async (id: string): Promise<Blob> => {
    const response = await this.fetch(`${this.path}/invoices/${id}`, {
      headers: this.headers,
      credentials: "same-origin",
    });
    if (!response.ok) throw new Error("The invoice can't be loaded. Try again.");
    return response.blob();
  };

  private get path(): string {
    return `/api/v1/public/orders/${encodeURIComponent(this.order)}`;
  }

  private get headers(): Record<string, string> {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  private send<R>(
    method: NonNullable<Call["method"]>,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<R> {
    return call<R>(this.fetch, `${this.path}${path}`, { method, body, headers: this.headers, signal });
  }
}

export interface WithdrawalWish {
  key: string;
  name: string;
  email: string | null;
  /** Null: all of it. */
  lines: { line_id: string; quantity: number }[] | null;
  confirm: boolean;
}

export interface Withdrawal {
  statement: string;
  refund_minor: number;
  currency: string;
  number: string | null;
  at: string | null;
}

/** An order after the sale, as its buyer may see it. */
export interface MyOrder {
  number: string;
  state: OrderState;
  message: string;
  currency: string;
  total_minor: number;
  refunded_minor: number;
  rights: BuyerRights;
  lines: {
    id: string;
    title: string;
    quantity: number;
    paid_minor: number;
    refunded_minor: number;
    returnable: number;
  }[];
  returns: { number: string; kind: ReturnKind; state: ReturnState; answer: string; created_at: string }[];
  invoices: Paper[];
  return_address: string;
}

function queryOf(values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, String(value));
  return query.toString();
}
