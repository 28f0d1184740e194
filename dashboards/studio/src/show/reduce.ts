/** What each piece of news does to the control page's picture of the show. Pure. */

import type {
  Action,
  Delivery,
  EventData,
  GatewayEvent,
  Ingest,
  Message,
  NoIngest,
  ShowOrder,
  ShowProduct,
  ShowSnapshot,
  StaffMessage,
  Target,
} from "@simulcast/api";
import { admit, type Crowd } from "./chat/crowd";

/** Enough to scroll back through a busy half hour without slowing the page. */
const KEPT_MESSAGES = 1_000;
const KEPT_ORDERS = 100;
const KEPT_ACTIONS = 50;

export interface Picture {
  show: ShowSnapshot;
  orders: ShowOrder[];
  viewers: number;
  /** Why the last encoder was sent away, until one is let in. */
  refused: string | null;
  /** What was too much to be shown. */
  crowd: Crowd;
  /** Moderation since this page was opened, newest first. */
  actions: Action[];
  /** Messages that were not passed on for want of room, by the target they were for. */
  dropped: Record<string, number>;
}

export function reduce(picture: Picture, news: GatewayEvent): Picture {
  const { show } = picture;
  const change = (part: Partial<ShowSnapshot>): Picture => ({ ...picture, show: { ...show, ...part } });
  switch (news.kind) {
    case "hello":
      return { ...picture, viewers: news.data.viewers };
    case "viewers.changed":
      return { ...picture, viewers: news.data.count };
    case "message.added": {
      const { crowd, shown } = admit(picture.crowd, news.data);
      if (!shown) return { ...picture, crowd };
      return { ...change({ messages: withMessages(show.messages, [news.data]) }), crowd };
    }
    case "message.hidden":
    case "message.shown":
      return change({ messages: withHidden(show.messages, news.data.ids, news.kind === "message.hidden") });
    case "moderation.changed":
      return { ...picture, actions: withAction(picture.actions, news.data) };
    case "relay.dropped": {
      const { target_id: id, dropped } = news.data;
      return { ...picture, dropped: { ...picture.dropped, [id]: dropped } };
    }
    case "message.deleted":
      return change({ messages: show.messages.filter((message) => !news.data.ids.includes(message.id)) });
    case "delivery.changed":
      return change({ messages: withDelivery(show.messages, news.data.message_id, news.data.delivery) });
    case "target.changed":
      return change({ targets: withTarget(show.targets, news.data) });
    case "target.removed":
      return change({ targets: show.targets.filter((target) => target.id !== news.data.id) });
    case "health.changed":
      return change({ health: news.data });
    case "chat.changed":
      return change({
        chats: show.chats.map((chat) => (chat.target_id === news.data.target_id ? news.data : chat)),
      });
    case "ingest.changed":
      return withFeed(picture, news.data);
    case "ingest.refused":
      return { ...picture, refused: news.data.reason ?? "An encoder was sent away." };
    case "stock.changed":
      return change({ products: withStock(show.products, news.data) });
    case "product.highlighted": {
      const { product_id: id } = news.data;
      return change({ products: show.products.map((one) => ({ ...one, highlighted: one.id === id })) });
    }
    case "show.changed":
      return change({ show: { ...show.show, ...news.data } });
    case "sales.changed":
      return change({ sales: news.data });
    case "order.placed":
      return { ...picture, orders: withOrder(picture.orders, news.data) };
    case "order.changed": {
      const { order_id: id, state, message } = news.data;
      const changed = (one: ShowOrder) => (one.id === id ? { ...one, state, message } : one);
      return { ...picture, orders: picture.orders.map(changed) };
    }
    default:
      return picture;
  }
}

/** Each message once, in the show's order; what is known of a reply's way is kept. */
export function withMessages(known: StaffMessage[], added: (Message | StaffMessage)[]): StaffMessage[] {
  const byId = new Map(known.map((message) => [message.id, message]));
  for (const message of added) {
    const deliveries = "deliveries" in message ? message.deliveries : [];
    const before = byId.get(message.id)?.deliveries ?? [];
    byId.set(message.id, { ...message, deliveries: missingAdded(before, deliveries) });
  }
  return [...byId.values()]
    .filter((message) => !message.deleted)
    .sort((a, b) => a.seq - b.seq)
    .slice(-KEPT_MESSAGES);
}

function withHidden(messages: StaffMessage[], ids: string[], hidden: boolean): StaffMessage[] {
  const changed = new Set(ids);
  return messages.map((message) => (changed.has(message.id) ? { ...message, hidden } : message));
}

function withAction(actions: Action[], news: Action): Action[] {
  const known = actions.some((action) => action.id === news.id);
  if (known) return actions.map((action) => (action.id === news.id ? news : action));
  return [news, ...actions].slice(0, KEPT_ACTIONS);
}

/** A list that was read may be older than the news that was heard meanwhile: it only fills holes. */
function missingAdded(known: Delivery[], read: Delivery[]): Delivery[] {
  const missing = read.filter((one) => !known.some((other) => sameWay(one, other)));
  return missing.length ? [...known, ...missing] : known;
}

function sameWay(a: Delivery, b: Delivery): boolean {
  return a.platform === b.platform && a.target_id === b.target_id;
}

function withDelivery(messages: StaffMessage[], id: string, delivery: Delivery): StaffMessage[] {
  return messages.map((message) => {
    if (message.id !== id) return message;
    const known = message.deliveries.some((one) => sameWay(one, delivery));
    const deliveries = known
      ? message.deliveries.map((one) => (sameWay(one, delivery) ? delivery : one))
      : [...message.deliveries, delivery];
    return { ...message, deliveries };
  });
}

/** News of a target comes without its tracked link: that never changes. A new one was added elsewhere. */
function withTarget(targets: Target[], news: EventData["target.changed"]): Target[] {
  if (!targets.some((target) => target.id === news.id)) {
    return [...targets, { key_expires_at: null, ...news, link_url: null }];
  }
  return targets.map((target) =>
    target.id === news.id ? { ...target, ...news, link_url: target.link_url } : target,
  );
}

function withFeed(picture: Picture, data: Ingest | NoIngest): Picture {
  const feed = data.publishing ? data : null;
  return {
    ...picture,
    refused: feed ? null : picture.refused,
    show: { ...picture.show, ingest: feed },
  };
}

/** News may overtake each other between processes: the version says which is newer. */
function withStock(products: ShowProduct[], news: EventData["stock.changed"]): ShowProduct[] {
  return products.map((product) =>
    product.variants.some((variant) => variant.id === news.variant_id)
      ? {
          ...product,
          variants: product.variants.map((variant) => {
            const { variant_id: id, ...numbers } = news;
            if (variant.id !== id || news.version < variant.stock.version) return variant;
            return { ...variant, stock: { ...variant.stock, ...numbers } };
          }),
        }
      : product,
  );
}

function withOrder(orders: ShowOrder[], order: ShowOrder): ShowOrder[] {
  return [order, ...orders.filter((other) => other.id !== order.id)].slice(0, KEPT_ORDERS);
}
