/** The page's purchase: at most one at a time, kept across a reload, with its sheet open or not; and the cart. */

import type { Cart, CartLine } from "@simulcast/api";
import { randomKey } from "./checkout-parts";
import { Checkout } from "./checkout";
import type { Buyer, Item, Shop, Surroundings, Unfinished } from "./purchase-types";
import type { OrderNews } from "./room";

/** `UnfinishedPurchase` is one. */
export interface Memory {
  get(): Unfinished | null;
  set(purchase: Unfinished | null): void;
}

export interface PurchaseOptions {
  around: (item: Item | null, onChange: () => void) => Surroundings;
  shop: Shop;
  memory: Memory;
  onChange: () => void;
}

export class Purchase {
  checkout: Checkout | null = null;
  /** Whether the sheet is shown; a payment goes on without it. */
  open = false;
  /** What is kept for later. */
  cart: Cart | null = null;
  private buyer: Buyer = { email: "", name: "" };
  private address: Unfinished["address"] = null;

  constructor(private readonly options: PurchaseOptions) {}

  /** What is in the cart and not being paid. */
  get lines(): CartLine[] {
    return this.cart?.lines.filter(({ state }) => state !== "paying") ?? [];
  }

  /** Reserves an item (null: goes on with the cart); while another one is being paid, shows that instead. */
  async start(item: Item | null): Promise<void> {
    this.open = true;
    if (this.checkout) {
      this.options.onChange();
      return;
    }
    const checkout = this.made(item);
    // The second purchase of an evening is quicker than the first.
    checkout.buyer = this.buyer;
    checkout.address = this.address;
    await checkout.reserve();
  }

  /** One more of it in the cart; the sheet stays closed. Throws the hub's no. */
  async add({ variantId }: Item): Promise<void> {
    const before = this.lines.find((line) => line.variant_id === variantId)?.quantity ?? 0;
    this.cart = await this.options.shop.put(variantId, before + 1, randomKey());
    this.options.onChange();
  }

  /** Goes on with what was under way when the page was loaded again; `answer`: what a bank's page has sent back. */
  async resume(answer: Record<string, string> | null = null): Promise<void> {
    const before = this.options.memory.get();
    if (before && !this.checkout) {
      this.open = true;
      await this.made(before.item).resume(before, answer);
    } else await this.refresh();
  }

  /** What the hub has in the cart now. */
  async refresh(): Promise<void> {
    this.cart = await this.options.shop.cart().catch(() => this.cart);
    this.options.onChange();
  }

  /** For who is signed in there is nothing to type. */
  knows(buyer: Buyer, address: Unfinished["address"]): void {
    this.buyer = buyer;
    this.address ??= address;
    const { checkout } = this;
    if (checkout && !checkout.buyer.email) checkout.buyer = buyer;
  }

  /** The sheet is closed. A payment under way goes on, and shows itself when it is decided. */
  dismiss(keep = false): void {
    const { checkout } = this;
    if (!checkout) return;
    this.open = false;
    if (checkout.step.name !== "paying") {
      checkout.close(keep);
      this.buyer = { ...checkout.buyer, news: false }; // asked anew with each purchase
      this.address = checkout.address;
      this.checkout = null;
      this.options.memory.set(null);
      void this.refresh();
    }
    this.options.onChange();
  }

  show(): void {
    this.open = true;
    this.options.onChange();
  }

  orderChanged(news: OrderNews): void {
    this.checkout?.orderChanged(news);
  }

  private made(item: Item | null): Checkout {
    const checkout: Checkout = new Checkout(
      item,
      this.options.around(item, () => this.changed(checkout)),
    );
    this.checkout = checkout;
    return checkout;
  }

  private changed(checkout: Checkout): void {
    if (checkout !== this.checkout) return;
    this.options.memory.set(checkout.unfinished);
    if (checkout.step.name !== "paying") this.open = true;
    this.options.onChange();
  }
}
