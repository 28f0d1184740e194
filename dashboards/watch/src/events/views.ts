/** Which products are on the viewer's screen, and for how long: a view is one second of half of a card. */

export const VIEW_MS = 1_000;
const HALF = 0.5;

/** What shows a product. */
export interface Card extends Element {
  product?: { id: string };
}

export interface ViewsOptions {
  onView: (productId: string) => void;
  /** Not in every browser, and in no test's. */
  observer?: typeof IntersectionObserver | undefined;
}

/** Call `look` with all cards there are whenever the page has changed. */
export class Views {
  private readonly timers = new Map<Element, ReturnType<typeof setTimeout>>();
  private readonly seen = new Set<Element>();
  private readonly observer: IntersectionObserver | null;

  constructor(private readonly options: ViewsOptions) {
    const Observer = "observer" in options ? options.observer : globalThis.IntersectionObserver;
    this.observer = Observer ? new Observer((changes) => this.changed(changes), { threshold: HALF }) : null;
  }

  look(cards: Iterable<Element>): void {
    const now = new Set(cards);
    for (const card of now) {
      if (this.seen.has(card)) continue;
      this.seen.add(card);
      this.observer?.observe(card);
    }
    for (const card of this.seen) {
      if (now.has(card)) continue;
      this.seen.delete(card);
      this.observer?.unobserve(card);
      this.gone(card);
    }
  }

  stop(): void {
    this.observer?.disconnect();
    for (const card of this.timers.keys()) this.gone(card);
    this.seen.clear();
  }

  private changed(changes: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of changes) {
      if (!isIntersecting) this.gone(target);
      else if (!this.timers.has(target)) this.timers.set(target, setTimeout(() => this.viewed(target), VIEW_MS));
    }
  }

  private gone(card: Element): void {
    clearTimeout(this.timers.get(card));
    this.timers.delete(card);
  }

  private viewed(card: Card): void {
    if (card.product) this.options.onView(card.product.id);
  }
}
