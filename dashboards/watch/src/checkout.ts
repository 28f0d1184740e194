/** One purchase, from the reservation to paid or an honest reason why not. */

import {
  ApiError,
  type Hold,
  type OrderRequest,
  type OrderState,
  type PlacedOrder,
  type PublicOrder,
  secondsLeft,
} from "@simulcast/api";

export type Step =
  | { name: "reserving" }
  | { name: "form"; problem: string | null }
  | { name: "paying"; slow: boolean }
  | { name: "paid"; number: string }
  | { name: "sold_out" }
  | { name: "expired"; why: string }
  | { name: "refused"; why: string };

export interface Item {
  variantId: string;
  title: string;
  imageUrl: string | null;
  priceMinor: number;
  currency: string;
}

export interface Buyer {
  email: string;
  name: string;
}

/** What must survive a reload of the page. */
export interface Unfinished {
  item: Item;
  key: string;
  hold: Hold | null;
  buyer: Buyer;
  orderId: string | null;
}

/** The calls that a purchase makes; `ViewerApi` has them. */
export interface Shop {
  hold(variantId: string, key: string): Promise<Hold>;
  release(holdId: string): Promise<void>;
  order(request: OrderRequest): Promise<PlacedOrder>;
  orderState(orderId: string): Promise<PublicOrder>;
}

export interface Surroundings {
  shop: Shop;
  /** Server time in ms. */
  now: () => number;
  onChange: () => void;
  /** What an answer told about the item's stock. */
  onStock: (available: number) => void;
  newKey?: () => string;
}

const POLL_MS = 2_000;
const SLOW_MS = 8_000;
const TIME_IS_UP = "The time for this reservation ran out. Nothing was charged.";

export class Checkout {
  step: Step = { name: "reserving" };
  hold: Hold | null = null;
  /** As last typed: kept for the next try. */
  buyer: Buyer = { email: "", name: "" };
  private orderId: string | null = null;
  private closed = false;
  private key: string;
  private timers: ReturnType<typeof setTimeout>[] = [];
  private readonly newKey: () => string;

  constructor(
    readonly item: Item,
    private readonly around: Surroundings,
  ) {
    this.newKey = around.newKey ?? randomKey;
    this.key = this.newKey();
  }

  get secondsLeft(): number {
    return this.hold ? secondsLeft(this.hold.expires_at, this.around.now()) : 0;
  }

  /** Null when nothing is left to go on with. */
  get unfinished(): Unfinished | null {
    const { item, key, hold, buyer, orderId, step } = this;
    const open = step.name === "reserving" || step.name === "form" || step.name === "paying";
    return open && !this.closed ? { item, key, hold, buyer, orderId } : null;
  }

  /** The same key until there is an answer, so that nothing is reserved twice. */
  async reserve(): Promise<void> {
    this.go({ name: "reserving" });
    try {
      const hold = await this.around.shop.hold(this.item.variantId, this.key);
      this.hold = hold;
      this.around.onStock(hold.available);
      if (this.closed) this.free();
      else this.go({ name: "form", problem: null });
    } catch (error) {
      this.refused(asApiError(error));
    }
  }

  /** Once more after a refusal, or with a new key when the old reservation is over. */
  again(): Promise<void> {
    if (this.hold) this.key = this.newKey();
    this.hold = null;
    return this.reserve();
  }

  /** Goes on after the page was loaded again. */
  async resume({ key, hold, buyer, orderId }: Unfinished): Promise<void> {
    Object.assign(this, { key, hold, buyer, orderId });
    if (orderId) {
      this.wait();
      await this.ask();
    } else if (!hold) await this.reserve();
    else if (this.secondsLeft > 0) this.go({ name: "form", problem: null });
    else this.go({ name: "expired", why: TIME_IS_UP });
  }

  async pay(buyer: Buyer, source: string): Promise<void> {
    if (!this.hold || this.step.name !== "form") return;
    this.buyer = buyer;
    this.wait();
    try {
      const request = { hold_id: this.hold.hold_id, ...buyer, payment: { source } };
      const placed = await this.around.shop.order(request);
      this.orderId = placed.order_id;
      this.around.onChange();
      this.heard(placed);
      this.askLater();
    } catch (error) {
      this.orderRefused(asApiError(error));
    }
  }

  /** News of an order, from the gateway or from asking. Of other orders nothing is taken. */
  orderChanged(news: { order_id: string; state: OrderState; message: string; number: string }): void {
    if (news.order_id === this.orderId) this.heard(news);
  }

  /** Twice a second: a reservation that ran out is over, whatever the screen shows. */
  tick(): void {
    if (this.step.name !== "form") return;
    if (this.secondsLeft === 0) this.go({ name: "expired", why: TIME_IS_UP });
    else this.around.onChange();
  }

  /** The buyer changed their mind: what nobody buys is free for the next one at once. */
  close(): void {
    this.closed = true;
    this.timers.forEach(clearTimeout);
    if (this.step.name === "form") this.free();
  }

  private free(): void {
    if (!this.hold) return;
    // If this is lost, the reservation runs out by itself.
    void this.around.shop.release(this.hold.hold_id).catch(() => undefined);
    this.hold = null;
  }

  private heard({ state, message, number }: Pick<PublicOrder, "state" | "message" | "number">): void {
    if (this.step.name !== "paying") return;
    if (state === "paid") this.go({ name: "paid", number });
    else if (state === "sold_out") this.go({ name: "sold_out" });
    else if (state === "expired") this.go({ name: "expired", why: message || TIME_IS_UP });
    else if (state === "failed" || state === "cancelled" || state === "refunded") {
      this.orderId = null;
      const why = message || "The payment did not go through. Nothing was charged.";
      // The reservation outlives a declined card: there is time for another try.
      this.go(this.secondsLeft > 0 ? { name: "form", problem: why } : { name: "refused", why });
    }
  }

  private askLater(): void {
    if (!this.closed) this.timers.push(setTimeout(() => void this.ask(), POLL_MS));
  }

  /** The gateway tells at once; asking is for when its news got lost. */
  private async ask(): Promise<void> {
    const { orderId } = this;
    if (!orderId || this.step.name !== "paying") return;
    try {
      this.orderChanged(await this.around.shop.orderState(orderId));
    } catch (error) {
      const refusal = asApiError(error);
      if (!refusal.temporary) {
        this.go({ name: "refused", why: refusal.message });
        return;
      }
    }
    this.askLater();
  }

  private wait(): void {
    this.go({ name: "paying", slow: false });
    this.timers.push(setTimeout(() => this.slow(), SLOW_MS));
  }

  private slow(): void {
    if (this.step.name === "paying") this.go({ name: "paying", slow: true });
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

  private orderRefused(error: ApiError): void {
    if (error.code === "hold_over" || error.code === "hold_unknown") {
      this.go({ name: "expired", why: error.message });
      return;
    }
    // One reservation is charged once, so sending the same again is safe.
    const problem = error.temporary ? `${error.message} You will not be charged twice.` : error.message;
    this.go({ name: "form", problem });
  }

  private go(step: Step): void {
    this.step = step;
    this.around.onChange();
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, { code: "unexpected", detail: "Something went wrong. Try again." });
}

/** 128 random bits; crypto.randomUUID exists on https pages only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
