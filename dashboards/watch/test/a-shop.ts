/** A shop for tests: it answers what the test says, and remembers what was asked. */

import { ApiError, type Cart, type CartLine, type Hold, type PaymentForm, type PaymentStep, type PublicOrder } from "@simulcast/api";
import { Checkout } from "../src/checkout";
import type { Item, Shop, Surroundings } from "../src/purchase-types";

export const START = Date.parse("2026-01-01T00:00:00Z");
export const ENDS = "2026-01-01T00:01:30Z";
export const HOLD: Hold = {
  hold_id: "h1",
  expires_at: ENDS,
  server_time: "2026-01-01T00:00:00Z",
  unit_minor: 2490,
  currency: "EUR",
  quantity: 1,
  available: 11,
};
export const ITEM: Item = { variantId: "v1", title: "Mug", imageUrl: null, priceMinor: 2490, currency: "EUR" };
export const BUYER = { email: "a@example.org", name: "A" };
export const CARD = { source: "pm_card_visa" };
export const HOME = {
  line1: "Hauptstr. 1",
  line2: "",
  city: "Berlin",
  postcode: "10115",
  region: "",
  country: "DE",
  phone: "",
};

export const refusal = (status: number, code: string, detail = code, more = {}) =>
  new ApiError(status, { code, detail, ...more });

export const order = (state: PublicOrder["state"], message = "", more: Partial<PublicOrder> = {}): PublicOrder => ({
  order_id: "o1",
  number: "SH-2345678",
  state,
  message,
  currency: "EUR",
  subtotal_minor: 2490,
  discount_minor: 0,
  shipping_minor: 0,
  tax_minor: 0,
  total_minor: 2490,
  refunded_minor: 0,
  prices_include_tax: true,
  shipping_method: "",
  shop: "Linnea",
  placed_at: HOLD.server_time,
  server_time: HOLD.server_time,
  hold_expires_at: ENDS,
  can_pay: false,
  lines: [],
  action: null,
  token: "t1",
  ...more,
});

export const line = (more: Partial<CartLine> = {}): CartLine => ({
  variant_id: "v1",
  title: "Mug",
  image_url: null,
  quantity: 1,
  held: 1,
  state: "held",
  expires_at: ENDS,
  amount_minor: 2490,
  list_minor: 2490,
  currency: "EUR",
  available: 11,
  offer_id: null,
  hold_ids: ["h1"],
  return_policy: "",
  ...more,
});

export const FORM: PaymentForm = {
  gateway: "stripe",
  connection_id: "c1",
  title: "Stripe",
  script_url: null,
  public: {},
  session: null,
  test_sources: ["pm_card_visa"],
  saved: [],
};

export const method = (id: string, countries: string[] = []) => ({
  id,
  title: id,
  countries,
  price_minor: 490,
  free_from_minor: null,
  currency: "EUR",
  days: "",
});

export const cart = (lines = [line()], methods: ReturnType<typeof method>[] = []): Cart => ({
  lines,
  delivery: {
    methods,
    countries: methods.length ? [{ code: "DE", region: false, postcode: true }] : [],
  },
  server_time: HOLD.server_time,
});

export const quote = (more: Partial<PaymentStep> = {}): PaymentStep => ({
  lines: [line()],
  hold_ids: ["h1"],
  expires_at: ENDS,
  server_time: HOLD.server_time,
  sums: order("paid"),
  shipping_method_id: null,
  form: FORM,
  proof: false,
  ...more,
});

/** Calls are remembered as [name, first argument]. */
export function open(answers: Partial<Shop> = {}, item: Item | null = ITEM, act?: Surroundings["act"]) {
  const calls: [keyof Shop, unknown][] = [];
  const stock: number[] = [];
  const usual: Shop = {
    hold: async () => HOLD,
    release: async () => undefined,
    cart: async () => cart(),
    put: async () => cart(),
    checkout: async () => quote(),
    order: async () => order("authorising"),
    orderState: async () => order("authorising"),
    payAgain: async () => order("authorising"),
    form: async () => FORM,
    confirm: async () => order("authorising"),
  };
  const shop = Object.fromEntries(
    Object.entries({ ...usual, ...answers }).map(([name, answer]) => [
      name,
      (...given: unknown[]) => {
        calls.push([name as keyof Shop, name === "hold" ? given[1] : given[0]]);
        return (answer as (...all: unknown[]) => unknown)(...given);
      },
    ]),
  ) as unknown as Shop;
  let made = 0;
  const checkout = new Checkout(item, {
    shop,
    now: () => Date.now(),
    onChange: () => undefined,
    onStock: (available) => stock.push(available),
    act: act ?? (async () => ({})),
    newKey: () => `key${++made}`,
  });
  const asked = (name: keyof Shop) => calls.filter(([called]) => called === name).map(([, given]) => given);
  return { checkout, calls, asked, stock, shop };
}
