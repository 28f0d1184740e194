/** The page's purchase: at most one at a time, kept across a reload, with its sheet open or not. */

import { Checkout, type Buyer, type Item, type Surroundings, type Unfinished } from "./checkout";
import type { OrderNews } from "./room";

/** `UnfinishedPurchase` is one. */
export interface Memory {
  get(): Unfinished | null;
  set(purchase: Unfinished | null): void;
}

export interface PurchaseOptions {
  around: (item: Item, onChange: () => void) => Surroundings;
  memory: Memory;
  onChange: () => void;
}

export class Purchase {
  checkout: Checkout | null = null;
  /** Whether the sheet is shown; a payment goes on without it. */
  open = false;
  private buyer: Buyer = { email: "", name: "" };

  constructor(private readonly options: PurchaseOptions) {}

  /** Reserves an item; while another one is being paid, shows that instead. */
  async start(item: Item): Promise<void> {
    this.open = true;
    if (this.checkout) {
      this.options.onChange();
      return;
    }
    const checkout = this.made(item);
    checkout.buyer = this.buyer; // the second purchase of an evening is quicker than the first
    await checkout.reserve();
  }

  /** Goes on with what was under way when the page was loaded again. */
  async resume(): Promise<void> {
    const before = this.options.memory.get();
    if (!before || this.checkout) return;
    this.open = true;
    await this.made(before.item).resume(before);
  }

  /** The sheet is closed. A payment under way goes on, and shows itself when it is decided. */
  dismiss(): void {
    const { checkout } = this;
    if (!checkout) return;
    this.open = false;
    if (checkout.step.name !== "paying") {
      checkout.close();
      this.buyer = checkout.buyer;
      this.checkout = null;
      this.options.memory.set(null);
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

  private made(item: Item): Checkout {
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
