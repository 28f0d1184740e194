/** Carts, the payment step and orders, as the hub's public API says them. */

import type { OrderState } from "./types";

export interface CartLine {
  variant_id: string;
  title: string;
  image_url: string | null;
  quantity: number;
  held: number;
  /** held: reserved until `expires_at`; paying: its order is being paid; waiting: not reserved. */
  state: "held" | "paying" | "waiting";
  expires_at: string | null;
  amount_minor: number;
  /** What it would cost without offers. */
  list_minor: number;
  currency: string;
  available: number;
  offer_id: string | null;
  hold_ids: string[];
  return_policy: string;
}

/** What a form asks for in a country. */
export interface CountryRule {
  code: string;
  region: boolean;
  postcode: boolean;
}

export interface ShippingMethod {
  id: string;
  title: string;
  /** Empty: everywhere. */
  countries: string[];
  price_minor: number;
  free_from_minor: number | null;
  currency: string;
  days: string;
}

export interface CartDelivery {
  methods: ShippingMethod[];
  /** Empty: nothing is sent, and no address is asked for. */
  countries: CountryRule[];
}

export interface Cart {
  lines: CartLine[];
  delivery: CartDelivery;
  server_time: string;
}

export interface Address {
  line1: string;
  line2: string;
  city: string;
  postcode: string;
  region: string;
  country: string;
  phone: string;
}

export interface Sums {
  currency: string;
  subtotal_minor: number;
  discount_minor: number;
  shipping_minor: number;
  tax_minor: number;
  total_minor: number;
  prices_include_tax: boolean;
}

export interface SavedMethod {
  id: string;
  card_brand: string;
  last4: string;
  exp_month: number | null;
  exp_year: number | null;
}

/** What the gateway's own fields are drawn from. */
export interface PaymentForm {
  gateway: string;
  connection_id: string;
  title: string;
  script_url: string | null;
  public: Record<string, string>;
  session: string | null;
  /** Tokens of test cards, where no real money moves. */
  test_sources: string[];
  saved: SavedMethod[];
}

export interface CheckoutWish {
  key: string;
  address?: Address;
  shipping_method_id?: string;
  code?: string;
}

/** The payment step: everything in it is reserved. */
export interface PaymentStep {
  lines: CartLine[];
  hold_ids: string[];
  expires_at: string;
  server_time: string;
  sums: Sums;
  shipping_method_id: string | null;
  /** Null when there is nothing to pay. */
  form: PaymentForm | null;
  /** Before a saved card is charged, the buyer shows that it is they. */
  proof: boolean;
}

/** A gateway's token (card data never comes here), or a method kept for this buyer. */
export type Payment =
  | { source: string; gateway?: string; save?: boolean }
  | { saved_method_id: string };

/** What the bank asks: go to `url`, let the gateway's script do it with `data`, or only say that you are there. */
export interface PaymentAction {
  gateway: string;
  kind: "redirect" | "script" | "return";
  url: string | null;
  data: string | null;
}

export interface BoughtLine {
  title: string;
  quantity: number;
  unit_minor: number;
  list_minor: number;
  paid_minor: number;
}

export interface PublicOrder extends Sums {
  order_id: string;
  number: string;
  state: OrderState;
  /** A sentence for the buyer. */
  message: string;
  refunded_minor: number;
  shipping_method: string;
  shop: string;
  placed_at: string;
  server_time: string;
  hold_expires_at: string | null;
  /** Another card may be tried. */
  can_pay: boolean;
  lines: BoughtLine[];
  action: PaymentAction | null;
  /** Opens /orders/TOKEN; only the buyer's own page is told it. */
  token: string | null;
}

export interface OrderRequest {
  hold_id?: string;
  hold_ids?: string[];
  email: string;
  name: string;
  payment?: Payment;
  address?: Address;
  shipping_method_id?: string;
  code?: string;
  key?: string;
  /** Whether they ticked that they want to hear of the next shows. */
  news?: boolean;
}

export interface Shopper {
  name: string;
  email: string;
  member_since: string | null;
  passkeys: number;
  saved: SavedMethod[];
  address: Address | null;
  /** The groups they are in. */
  segments: string[];
}

export interface Me {
  shopper: Shopper | null;
  viewer_token: string;
}
