/** What a viewer's cart, orders and sign-in ask of the hub. Every call throws `ApiError`. */

import type { Address, Cart, CheckoutWish, Me, OrderRequest, Payment, PaymentForm, PaymentStep, PublicOrder } from "./cart";
import { call, type Fetch } from "./http";
import type { OwnCopy } from "./privacy";
import type { ViewerApi } from "./viewer";

type Json = Record<string, unknown>;

/** In a rush an order waits for its turn, for half a minute at most. */
const ORDER_TIMEOUT_MS = 45_000;

export class CheckoutApi {
  constructor(private readonly viewer: ViewerApi) {}

  cart = () => this.viewer.ask<Cart>("/cart", {});

  /** So many of a variant from now on; 0 takes it out. The same `key` reserves nothing twice. */
  put = (variantId: string, quantity: number, key: string) =>
    this.viewer.ask<Cart>(`/cart/lines/${variantId}`, { method: "PUT", body: { quantity, key } });

  /** Reserves all of the cart, and only then says what it costs and how to pay. */
  checkout = (wish: CheckoutWish) =>
    this.viewer.ask<PaymentStep>("/checkout", { method: "POST", body: wish });

  /** The same `key`, or the same reservations, answer the same order. */
  order = (request: OrderRequest) =>
    this.viewer.ask<PublicOrder>("/orders", { method: "POST", body: request, timeoutMs: ORDER_TIMEOUT_MS });

  orderState = (orderId: string) => this.viewer.ask<PublicOrder>(`/orders/${orderId}`, {});

  /** Another card for an order whose payment failed. */
  payAgain = (orderId: string, payment: Payment) =>
    this.viewer.ask<PublicOrder>(`/orders/${orderId}/payment`, {
      method: "POST",
      body: { payment },
      timeoutMs: ORDER_TIMEOUT_MS,
    });

  /** The form to pay an order with that is placed already. */
  form = (orderId: string) => this.viewer.ask<PaymentForm>(`/orders/${orderId}/form`, {});

  /** What the bank's page or the gateway's script answered. */
  confirm = (orderId: string, answer: Record<string, string>) =>
    this.viewer.ask<PublicOrder>(`/orders/${orderId}/confirmation`, { method: "POST", body: answer });

  me = () => this.known(this.viewer.ask<Me>("/me", {}));

  sendCode = (email: string) =>
    this.viewer.ask<void>("/sign-in/codes", { method: "POST", body: { email } });

  signIn = (email: string, code: string) =>
    this.known(this.viewer.ask<Me>("/sign-in", { method: "POST", body: { email, code } }));

  signOut = async (): Promise<void> => {
    await this.viewer.ask<void>("/sign-in", { method: "DELETE" });
    await this.viewer.renew();
  };

  join = () => this.known(this.viewer.ask<Me>("/me/membership", { method: "PUT" }));

  /** Their own copy of what is kept about them: ask for one, how far it is, the ZIP. */
  askCopy = () => this.viewer.ask<OwnCopy>("/me/copy", { method: "POST" });
  copy = () => this.viewer.ask<OwnCopy>("/me/copy", {});
  copyFile = () => this.viewer.file("/me/copy/file");

  forgetMethod = (methodId: string) =>
    this.viewer.ask<void>(`/me/methods/${methodId}`, { method: "DELETE" });

  /** Options for `navigator.credentials`, and what it gave. */
  passkeyWish = () => this.viewer.ask<Json>("/passkeys/registration", { method: "POST" });
  passkeyMade = (credential: Json) =>
    this.viewer.ask<void>("/passkeys", { method: "POST", body: { credential } });
  passkeyQuestion = () => this.viewer.ask<Json>("/passkeys/question", { method: "POST" });
  passkeyAnswer = (credential: Json) =>
    this.known(this.viewer.ask<Me>("/passkeys/answer", { method: "POST", body: { credential } }));

  /** Who is signed in has another viewer token: prices for members depend on it. */
  private async known(asked: Promise<Me>): Promise<Me> {
    const me = await asked;
    this.viewer.take(me.viewer_token);
    return me;
  }
}

/** One order, by the token of its link; nobody is signed in. */
export class OrderStatusApi {
  constructor(
    private readonly token: string,
    private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init),
  ) {}

  load = () => call<PublicOrder>(this.fetch, `/api/v1/public/orders/${encodeURIComponent(this.token)}`);
}

/** An address with nothing in it yet. */
export const noAddress = (country = ""): Address => ({
  line1: "",
  line2: "",
  city: "",
  postcode: "",
  region: "",
  country,
  phone: "",
});
