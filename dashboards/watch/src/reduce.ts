/** What each piece of news does to the page's picture of the show. Pure: nothing is changed in place. */

import {
  type GatewayEvent,
  type Message,
  type ProductNews,
  type PublicProduct,
  type PublicShow,
  type PublicVariant,
  type Skipped,
  withOffer,
  withOfferCount,
} from "@simulcast/api";

/** More than this is not scrolled back to on a phone, and it keeps a busy chat light. */
const KEPT_MESSAGES = 200;
const KEPT_SKIPS = 50;
/** More than this is plenty, and not worth counting down. */
const COUNTED_STOCK = 99;

interface StockNews {
  variant_id: string;
  available: number;
  version?: number;
}

export function reduce(show: PublicShow, event: GatewayEvent): PublicShow {
  switch (event.kind) {
    case "message.added":
      return { ...show, messages: withMessage(show.messages, event.data) };
    case "messages.skipped":
      return { ...show, skipped: [...(show.skipped ?? []), event.data].slice(-KEPT_SKIPS) };
    case "message.shown":
      return { ...show, messages: event.data.messages.reduce(withMessage, show.messages) };
    case "message.hidden":
    case "message.deleted": {
      const gone = new Set(event.data.ids);
      return { ...show, messages: show.messages.filter((message) => !gone.has(message.id)) };
    }
    case "stock.changed":
      return withStock(show, event.data);
    case "offer.changed":
      return { ...show, offers: withOffer(show.offers ?? [], event.data) };
    case "offer.counted":
      return { ...show, offers: withOfferCount(show.offers ?? [], event.data) };
    case "product.changed":
      return withProduct(show, event.data);
    case "product.highlighted": {
      const { product_id: id } = event.data;
      return { ...show, products: show.products.map((p) => ({ ...p, highlighted: p.id === id })) };
    }
    default:
      return show;
  }
}

/** Adds a message in its place; the same message twice (posted, then heard back) stays one. */
export function withMessage(messages: Message[], message: Message): Message[] {
  const others = messages.filter((other) => other.id !== message.id);
  if (message.deleted) return others;
  const later = others.findIndex((other) => other.seq > message.seq);
  others.splice(later < 0 ? others.length : later, 0, message);
  return others.slice(-KEPT_MESSAGES);
}

/** What was skipped is shown now, as far as there is room for it. */
export function opened(show: PublicShow, skipped: Skipped, found: Message[]): PublicShow {
  const missing = found.filter(({ seq }) => seq <= skipped.last_seq);
  return {
    ...show,
    skipped: (show.skipped ?? []).filter((one) => one.last_seq < skipped.first_seq || one.first_seq > skipped.last_seq),
    messages: missing.reduce(withMessage, show.messages),
  };
}

/** Messages, and where there were too many to be shown, in their order. */
export function chatLines(messages: Message[], skipped: Skipped[]): (Message | Skipped)[] {
  const from = messages[0]?.seq ?? 0;
  const waiting = skipped.filter((one) => one.last_seq > from);
  const lines: (Message | Skipped)[] = [];
  for (const message of messages) {
    while (waiting[0] && waiting[0].last_seq < message.seq) {
      const last = lines.at(-1);
      const next = waiting.shift() as Skipped;
      if (last && "count" in last) lines[lines.length - 1] = joined(last, next);
      else lines.push(next);
    }
    lines.push(message);
  }
  return [...lines, ...(waiting.length ? [waiting.reduce(joined)] : [])];
}

function joined(one: Skipped, next: Skipped): Skipped {
  return { count: one.count + next.count, first_seq: one.first_seq, last_seq: next.last_seq };
}

/** News of an older version than the last one are dropped: several processes send them. */
export function withStock(show: PublicShow, news: StockNews): PublicShow {
  const taken = (variant: PublicVariant): PublicVariant => {
    if (variant.id !== news.variant_id) return variant;
    if ((news.version ?? Infinity) < (variant.version ?? 0)) return variant;
    const { available, version = variant.version } = news;
    const back = isBack(variant, available);
    return { ...variant, available, ...(version === undefined ? {} : { version }), back };
  };
  const products = show.products.map((product) =>
    product.variants.some(({ id }) => id === news.variant_id)
      ? { ...product, variants: product.variants.map(taken) }
      : product,
  );
  return { ...show, products };
}

/** The page's document once more: what sold out before this page's eyes is still what is back. */
export function kept(before: PublicShow, now: PublicShow): PublicShow {
  const known = new Map(before.products.flatMap(({ variants }) => variants.map((one) => [one.id, one])));
  const told = (variant: PublicVariant): PublicVariant => {
    const was = known.get(variant.id);
    if (!was) return variant;
    // It was read after the newest news: older ones are still old.
    const { version } = was;
    return { ...variant, ...(version === undefined ? {} : { version }), back: isBack(was, variant.available) };
  };
  return { ...now, products: now.products.map((one) => ({ ...one, variants: one.variants.map(told) })) };
}

function isBack(was: PublicVariant, available: number): boolean {
  return available > 0 && Boolean(was.back || was.available <= 0);
}

/** A product as it is since somebody edited it. The stock has news of its own. */
export function withProduct(show: PublicShow, { product_id, product }: ProductNews): PublicShow {
  const others = show.products.filter(({ id }) => id !== product_id);
  if (!product) return { ...show, products: others };
  const before = show.products.find(({ id }) => id === product_id);
  const variants = product.variants.map((variant): PublicVariant => {
    const known = before?.variants.find(({ id }) => id === variant.id);
    return { ...known, ...variant, available: known?.available ?? variant.available };
  });
  const fresh = { ...product, variants, highlighted: before?.highlighted ?? false };
  const products = before ? show.products.map((one) => (one === before ? fresh : one)) : [...others, fresh];
  return { ...show, products };
}

/** The product under the video: the highlighted one, else the first. */
export function featured(show: PublicShow): PublicProduct | undefined {
  return show.products.find((product) => product.highlighted) ?? show.products[0];
}

/** "12 left"; `back`: it was sold out a moment ago. */
export function stockLabel(available: number, back = false): string {
  if (available <= 0) return "Sold out";
  if (available > COUNTED_STOCK) return back ? "Back in stock" : "In stock";
  return back ? `Back in stock: ${available} left` : `${available} left`;
}

/** How many watch, where the show says so and it is live. */
export function crowdSaid({ show }: PublicShow, viewers: number | null): number | null {
  return show.state === "live" && show.viewers_shown !== false ? viewers : null;
}

/** Why nothing can be bought here, or null when it can. */
export function closedBecause({ show, payment }: PublicShow): string | null {
  if (show.state === "ended") return "The show is over. Thank you for watching.";
  if (payment === null) return "This shop takes no payments here yet.";
  return null;
}
