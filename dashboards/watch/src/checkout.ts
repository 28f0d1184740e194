/** One purchase, of an item or of the whole cart, from the reservation to paid or an honest reason why not. */

import {
  type Address,
  ApiError,
  type Cart,
  type CartLine,
  type Hold,
  type OrderState,
  type Payment,
  type PaymentStep,
  type PublicOrder,
  secondsLeft,
  type ShippingMethod,
} from "@simulcast/api";
import { asApiError, firstEndOf, goneOf, quoteOf, randomKey, requestOf, stepAfter } from "./checkout-parts";
import {
  type Buyer,
  type Gone,
  type Item,
  type Step,
  type Surroundings,
  type Unfinished,
  wordsOf,
} from "./purchase-types";

const POLL_MS = 2_000;
const SLOW_MS = 8_000;
const NOT_THROUGH = "The payment did not go through. Nothing was charged.";
const TIME_IS_UP = "The time for this reservation ran out. Nothing was charged.";
const OPEN: readonly Step["name"][] = ["reserving", "details", "delivery", "form", "paying"];
const OVER: readonly OrderState[] = ["failed", "cancelled", "refunded"];

export class Checkout {
  step: Step = { name: "reserving" };
  hold: Hold | null = null;
  cart: Cart | null = null;
  /** The payment step's sums and form, once all is reserved. */
  quote: PaymentStep | null = null;
  /** As last typed: kept for the next try. */
  buyer: Buyer = { email: "", name: "" };
  address: Address | null = null;
  methodId: string | null = null;
  code = "";
  /** Why the last code could not be used. */
  codeProblem = "";
  private orderId: string | null = null;
  private link: string | null = null;
  private acting = "";
  /** A card is on its way to the hub: what is heard meanwhile is about the one before. */
  private sending = false;
  private closed = false;
  private key: string;
  private timers: ReturnType<typeof setTimeout>[] = [];
  private readonly newKey: () => string;

  constructor(
    /** What was pressed; null for the cart. */
    readonly item: Item | null,
    private readonly around: Surroundings,
  ) {
    this.newKey = around.newKey ?? randomKey;
    this.key = this.newKey();
  }

  /** Until the first of its reservations ends; 0 when there is none. */
  get secondsLeft(): number {
    const ends = this.quote?.expires_at ?? this.firstEnd ?? this.hold?.expires_at;
    return ends ? secondsLeft(ends, this.around.now()) : 0;
  }

  /** The lines that are being bought. */
  get lines(): CartLine[] {
    return this.quote?.lines ?? this.cart?.lines.filter((line) => line.state !== "paying") ?? [];
  }

  /** Whether any of it is reserved. */
  get held(): boolean {
    return Boolean(this.quote || this.firstEnd || (this.hold && !this.cart));
  }

  /** Whether its order is placed: the cart can't be changed any more. */
  get paying(): boolean {
    return this.orderId !== null;
  }

  /** Its order, once it is placed. */
  get placed(): string | null {
    return this.orderId;
  }

  /** Whether something is sent, and an address needed. */
  get sends(): boolean {
    return Boolean(this.cart?.delivery.countries.length);
  }

  /** The ways of delivery to the address. */
  get methods(): ShippingMethod[] {
    const country = this.address?.country ?? "";
    const all = this.cart?.delivery.methods ?? [];
    return all.filter(({ countries }) => !countries.length || countries.includes(country));
  }

  /** Null when nothing is left to go on with. */
  get unfinished(): Unfinished | null {
    const { item, key, hold, buyer, address, methodId, orderId, step } = this;
    const open = OPEN.includes(step.name) && !this.closed;
    return open ? { item, key, hold, buyer, address, methodId, orderId } : null;
  }

  /** The same key until there is an answer, so that nothing is reserved twice. */
  async reserve(): Promise<void> {
    this.go({ name: "reserving" });
    try {
      if (this.item) {
        const hold = await this.around.shop.hold(this.item.variantId, this.key, 1, this.item.offerId);
        this.hold = hold;
        this.around.onStock(hold.available);
        if (this.closed) return this.free();
        this.go({ name: "form", problem: null, ready: false });
      }
      await this.begin();
    } catch (error) {
      this.refused(asApiError(error));
    }
  }

  /** Once more after a refusal, or with a new key when the old reservation is over. */
  again(): Promise<void> {
    if (this.hold || this.quote) this.key = this.newKey();
    this.hold = this.cart = this.quote = null;
    return this.reserve();
  }

  /** Goes on after the page was loaded again; `answer`: what a bank's page has sent back. */
  async resume(before: Unfinished, answer: Record<string, string> | null = null): Promise<void> {
    const { key, hold, buyer, address, methodId, orderId } = before;
    Object.assign(this, { key, hold, buyer, address, methodId, orderId });
    if (orderId) {
      this.wait();
      // Before anything is asked: the order still has the bank's question, and would send the buyer back there.
      if (answer) await this.answered(orderId, answer);
      if (await this.ask()) this.askLater();
    } else if (this.item && !hold) await this.reserve();
    else if (hold && this.secondsLeft === 0) this.go({ name: "expired", why: TIME_IS_UP });
    else {
      this.go({ name: "form", problem: null, ready: false });
      await this.begin().catch((error: unknown) => this.refused(asApiError(error)));
    }
  }

  /** Who buys and where to; goes on to the delivery, or to the payment where there is nothing to choose. */
  async enter(buyer: Buyer, address: Address): Promise<void> {
    Object.assign(this, { buyer, address });
    const { methods } = this;
    if (!methods.some(({ id }) => id === this.methodId)) this.methodId = methods[0]?.id ?? null;
    if (!methods.length) {
      this.go({ name: "details", problem: "This shop does not deliver to this country." });
    } else if (methods.length > 1) this.go({ name: "delivery", problem: null });
    else await this.openPayment();
  }

  deliverBy(methodId: string): Promise<void> {
    this.methodId = methodId;
    return this.openPayment();
  }

  /** One step back; what was typed stays. */
  back(): void {
    const { name } = this.step;
    this.quote = null;
    if (name === "form" && this.methods.length > 1) this.go({ name: "delivery", problem: null });
    else this.go({ name: "details", problem: null });
  }

  /** Reserves whatever is not yet, and only then shows the price and the way to pay. */
  async openPayment(code = this.code): Promise<void> {
    const { address, methodId } = this;
    const before = this.step;
    this.go({ name: "form", problem: null, ready: false });
    try {
      this.quote = await this.around.shop.checkout({
        key: this.key,
        ...(address ? { address } : {}),
        ...(methodId ? { shipping_method_id: methodId } : {}),
        ...(code ? { code } : {}),
      });
      this.code = code;
      this.go({ name: "form", problem: null, ready: true });
    } catch (error) {
      this.notOpened(asApiError(error), before);
    }
  }

  /** Another code; "" takes the one there is out. */
  useCode(code: string): Promise<void> {
    this.codeProblem = "";
    return this.openPayment(code);
  }

  /** The payment step anew: prices and saved cards depend on who is signed in. */
  renew(): Promise<void> {
    return this.begin().catch((error: unknown) => this.refused(asApiError(error)));
  }

  /** Goes on with what could be reserved. */
  async without(gone: Gone[]): Promise<void> {
    for (const { variant_id } of gone) await this.change(variant_id, 0).catch(() => undefined);
  }

  /** Changes how many of a line are wanted; 0 takes it out. */
  async change(variantId: string, quantity: number): Promise<void> {
    try {
      this.cart = await this.around.shop.put(variantId, quantity, this.newKey());
      if (!this.lines.length) return this.go({ name: "refused", why: "Your cart is empty." });
      this.quote = null;
      await this.begin();
    } finally {
      this.around.onChange();
    }
  }

  /** Gives what the page has chosen to pay with; null when there is nothing to pay. */
  async pay(buyer: Buyer, payment: Payment | null): Promise<void> {
    const { quote, address } = this;
    if (!quote || this.step.name !== "form") return;
    this.buyer = buyer;
    this.wait();
    this.sending = true;
    try {
      const { shop } = this.around;
      const placing = this.orderId
        ? shop.payAgain(this.orderId, payment as Payment)
        : shop.order(requestOf(quote, { ...buyer, key: this.key, payment, address, code: this.code }));
      const placed = await placing.finally(() => (this.sending = false));
      this.orderId = placed.order_id;
      this.around.onChange();
      this.heard(placed);
      this.askLater();
    } catch (error) {
      this.orderRefused(asApiError(error));
    }
  }

  /** Something about paying went wrong on the page itself: a card field, a passkey. */
  problem(why: string): void {
    if (this.step.name === "form") this.go({ ...this.step, problem: why });
  }

  /** News of an order, from the gateway. Of other orders nothing is taken. */
  orderChanged(news: { order_id: string; state: OrderState; message: string; number: string }): void {
    if (news.order_id !== this.orderId) return;
    // What the bank asks is told to the buyer's own page alone: it asks for it.
    if (news.state === "authorising") void this.ask();
    else this.heard(news);
  }

  /** Twice a second: a reservation that ran out is over, whatever the screen shows. */
  tick(): void {
    const { name } = this.step;
    if (name !== "form" && name !== "details" && name !== "delivery") return;
    const reserved = this.hold || this.quote || this.firstEnd;
    if (reserved && this.secondsLeft === 0) this.go({ name: "expired", why: TIME_IS_UP });
    else this.around.onChange();
  }

  /** The buyer changed their mind: what nobody buys is free for the next one at once. */
  close(keep = false): void {
    this.closed = true;
    this.timers.forEach(clearTimeout);
    if (!keep && OPEN.includes(this.step.name) && this.step.name !== "paying") this.free();
  }

  private get firstEnd(): string | null {
    return firstEndOf(this.lines);
  }

  private async begin(): Promise<void> {
    this.cart = await this.around.shop.cart();
    if (this.sends && !(this.address && this.methods.length)) this.go({ name: "details", problem: null });
    else await this.openPayment();
  }

  private free(): void {
    if (!this.hold) return;
    // If this is lost, the reservation runs out by itself.
    void this.around.shop.release(this.hold.hold_id).catch(() => undefined);
    this.hold = null;
  }

  private heard(news: Pick<PublicOrder, "state" | "message" | "number"> & Partial<PublicOrder>): void {
    const { state, message, number, action } = news;
    const { step } = this;
    if (this.sending || (step.name !== "paying" && step.name !== "form")) return;
    this.link = news.token ?? this.link; // news that everybody's gateway carries has no key to the order
    if (state === "paid") return this.go({ name: "paid", number, token: this.link });
    if (step.name === "form") return; // another card is being entered
    if (state === "sold_out") this.go({ name: "sold_out" });
    else if (state === "expired") this.go({ name: "expired", why: message || TIME_IS_UP });
    else if (state === "review") this.go({ ...step, review: true });
    else if (action) void this.act(news as PublicOrder);
    else if (OVER.includes(state)) void this.failed(message || NOT_THROUGH, true);
  }

  /** The reservation outlives a declined card: there is time for another one, on the same order. */
  private async failed(why: string, news = false): Promise<void> {
    const { orderId, quote } = this;
    try {
      const order = orderId ? await this.around.shop.orderState(orderId) : null;
      // Late news of the card before: by now another one is being charged.
      if (news && order && !OVER.includes(order.state)) return this.heard(order);
      if (!order?.can_pay || !order.hold_expires_at) return this.go({ name: "refused", why });
      const form = quote?.form ?? (await this.around.shop.form(order.order_id));
      this.quote = { ...(quote ?? quoteOf(order)), form, expires_at: order.hold_expires_at };
      this.go({ name: "form", problem: why, ready: true });
    } catch {
      this.go({ name: "refused", why });
    }
  }

  /** The question stays in the order until the gateway was told: it counts as asked. */
  private async answered(orderId: string, answer: Record<string, string>): Promise<void> {
    const news = await this.around.shop.confirm(orderId, answer).catch(() => null); // asking goes on
    if (!news) return;
    this.acting = JSON.stringify(news.action);
    this.heard(news);
  }

  /** Once for each question of the bank; the answer goes to the hub, and the payment goes on. */
  private async act({ order_id, action, message }: PublicOrder): Promise<void> {
    const question = JSON.stringify(action);
    if (!action || question === this.acting) return;
    this.acting = question;
    if (this.step.name === "paying") this.go({ ...this.step, bank: true });
    try {
      // The bank asks through the account that takes the money, which need not be the form's.
      const form = await this.around.shop.form(order_id);
      const answer = await this.around.act(form, action);
      if (this.step.name === "paying") this.go({ ...this.step, bank: false });
      this.heard(await this.around.shop.confirm(order_id, answer));
    } catch (error) {
      this.acting = "";
      if (!(error instanceof ApiError)) await this.failed(wordsOf(error) || message);
    }
  }

  /** The gateway tells at once; asking is for when its news got lost. */
  private askLater(): void {
    const on = () => void this.ask().then((more) => more && this.askLater());
    if (!this.closed) this.timers.push(setTimeout(on, POLL_MS));
  }

  /** False when there is nothing more to ask. */
  private async ask(): Promise<boolean> {
    const { orderId } = this;
    if (!orderId || this.step.name !== "paying") return false;
    try {
      this.heard(await this.around.shop.orderState(orderId));
    } catch (error) {
      const refusal = asApiError(error);
      if (!refusal.temporary) {
        this.go({ name: "refused", why: refusal.message });
        return false;
      }
    }
    return true;
  }

  private wait(): void {
    this.go({ name: "paying", slow: false, bank: false, review: false });
    const slow = () => this.step.name === "paying" && this.go({ ...this.step, slow: true });
    this.timers.push(setTimeout(slow, SLOW_MS));
  }

  private refused(error: ApiError): void {
    if (error.code === "sold_out") {
      this.around.onStock(0);
      this.go({ name: "sold_out" });
      return;
    }
    if (!error.temporary) this.key = this.newKey(); // that key has its answer
    this.go({ name: "refused", why: error.message });
  }

  private notOpened(error: ApiError, before: Step): void {
    const lines = error.problem.lines as Gone[] | undefined;
    if (error.code === "some_gone" && lines) {
      if (this.lines.length <= 1) this.refused(new ApiError(error.status, goneOf(error, lines)));
      else this.go({ name: "gone", lines });
    } else if (error.code.startsWith("coupon_") && this.quote) {
      this.codeProblem = error.message;
      this.go({ name: "form", problem: null, ready: true });
    } else this.go(stepAfter(error, before));
  }

  private orderRefused(error: ApiError): void {
    if (error.code === "hold_over" || error.code === "hold_unknown") {
      this.go({ name: "expired", why: error.message });
      return;
    }
    // One reservation is charged once, so sending the same again is safe.
    const problem = error.temporary ? `${error.message} You will not be charged twice.` : error.message;
    this.go({ name: "form", problem, ready: true });
  }

  private go(step: Step): void {
    this.step = step;
    this.around.onChange();
  }
}
