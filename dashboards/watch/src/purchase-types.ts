/** What a purchase is made of: its steps, what it asks of the shop, and what survives a reload. */

import type {
  Address,
  Cart,
  CheckoutWish,
  Hold,
  OrderRequest,
  Payment,
  PaymentAction,
  PaymentForm,
  PaymentStep,
  PublicOrder,
} from "@simulcast/api";

/** What could not be reserved, in the hub's words. */
export interface Gone {
  variant_id: string;
  title: string;
  detail: string;
}

export type Step =
  | { name: "reserving" }
  /** Who and where to; only where something is sent. */
  | { name: "details"; problem: string | null; fields?: Record<string, string> }
  | { name: "delivery"; problem: string | null }
  /** The payment step. `ready` is false until all is reserved and its price known. */
  | { name: "form"; problem: string | null; ready: boolean }
  | { name: "paying"; slow: boolean; bank: boolean; review: boolean }
  | { name: "paid"; number: string; token: string | null }
  | { name: "gone"; lines: Gone[] }
  | { name: "sold_out" }
  | { name: "expired"; why: string }
  | { name: "refused"; why: string };

export interface Item {
  variantId: string;
  title: string;
  imageUrl: string | null;
  priceMinor: number;
  currency: string;
  /** The offer it is wanted in; without one, the best that runs. */
  offerId?: string;
}

export interface Buyer {
  email: string;
  name: string;
  /** They want to hear of the next shows. */
  news?: boolean;
}

/** What must survive a reload of the page. `item` is null for the whole cart. */
export interface Unfinished {
  item: Item | null;
  key: string;
  hold: Hold | null;
  buyer: Buyer;
  address: Address | null;
  methodId: string | null;
  orderId: string | null;
}

/** The calls that a purchase makes; `ViewerApi` and `CheckoutApi` have them. */
export interface Shop {
  hold(variantId: string, key: string, quantity?: number, offerId?: string): Promise<Hold>;
  release(holdId: string): Promise<void>;
  cart(): Promise<Cart>;
  put(variantId: string, quantity: number, key: string): Promise<Cart>;
  checkout(wish: CheckoutWish): Promise<PaymentStep>;
  order(request: OrderRequest): Promise<PublicOrder>;
  orderState(orderId: string): Promise<PublicOrder>;
  payAgain(orderId: string, payment: Payment): Promise<PublicOrder>;
  form(orderId: string): Promise<PaymentForm>;
  confirm(orderId: string, answer: Record<string, string>): Promise<PublicOrder>;
}

export interface Surroundings {
  shop: Shop;
  /** Server time in ms. */
  now: () => number;
  onChange: () => void;
  /** What an answer told about the item's stock. */
  onStock: (available: number) => void;
  /** Answers the bank: by the gateway's script, or by going to its page. */
  act: (form: PaymentForm, action: PaymentAction) => Promise<Record<string, string>>;
  newKey?: () => string;
}

/** The hub's or the gateway's no, in words for the buyer. */
export function wordsOf(error: unknown): string {
  return error instanceof Error && error.message ? error.message : "Something went wrong. Try again.";
}
