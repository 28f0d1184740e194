// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { GatewayEvent, Message, PublicShow } from "@simulcast/api";
import { chatLines, closedBecause, crowdSaid, featured, kept, opened, reduce, stockLabel, withMessage } from "../src/reduce";

const message = (id: string, seq: number): Message => ({
  id,
  seq,
  platform: "youtube",
  target_id: null,
  external_id: id,
  author_name: "A",
  author_picture: null,
  badges: [],
  text: id,
  fragments: [],
  kind: "text",
  amount_minor: null,
  currency: null,
  reply_to: null,
  at: "2026-01-01T00:00:00Z",
  received_at: "2026-01-01T00:00:00Z",
  show_time_ms: null,
  deleted: false,
  outgoing: false,
  hidden: false,
  staff_only: false,
});

const product = (id: string) => ({
  id,
  title: id,
  description: "",
  image_url: null,
  highlighted: false,
  variants: [{ id: `${id}-v`, sku: id, title: "One", price_minor: 100, currency: "EUR", available: 3 }],
});

const show: PublicShow = {
  show: { slug: "s", title: "S", description: "", state: "live", starts_at: null, live_at: null, brand: "B" },
  playback: null,
  gateway: { url: "" },
  viewer_token: "",
  viewer_id: "",
  server_time: "2026-01-01T00:00:00Z",
  products: [product("mug"), product("bag")],
  messages: [message("a", 1), message("c", 3)],
  seq: 3,
  payment: { gateway: "stripe", test_source: "pm_card_visa" },
};

describe("reduce", () => {
  it("puts messages in their order and shows each once", () => {
    const ids = (messages: Message[]) => messages.map(({ id }) => id).join("");
    const all = withMessage(show.messages, message("b", 2));
    expect(ids(all)).toBe("abc");
    expect(ids(withMessage(all, message("b", 2)))).toBe("abc");
    expect(ids(withMessage(all, { ...message("b", 2), deleted: true }))).toBe("ac");
  });

  it("keeps the newest two hundred", () => {
    let messages: Message[] = [];
    for (let seq = 1; seq <= 250; seq++) messages = withMessage(messages, message(`m${seq}`, seq));
    expect(messages).toHaveLength(200);
    expect(messages[0]?.seq).toBe(51);
  });

  it("shows where there were too many messages, in one line, and all of them when asked", () => {
    const skipped = (count: number, first_seq: number, last_seq: number) =>
      ({ kind: "messages.skipped", seq: null, data: { count, first_seq, last_seq } }) as const;
    const stormy = [skipped(240, 4, 250), skipped(10, 252, 270)].reduce(reduce, show);
    const [more] = chatLines(stormy.messages, stormy.skipped ?? []).slice(-1);
    expect(more).toEqual({ count: 250, first_seq: 4, last_seq: 270 });
    const all = opened(stormy, more as never, [message("d", 4), message("z", 300)]);
    expect(chatLines(all.messages, all.skipped ?? []).map((one) => "id" in one && one.id)).toEqual(["a", "c", "d"]);
  });

  it("takes deleted messages away", () => {
    const after = reduce(show, { kind: "message.deleted", seq: 4, data: { ids: ["a"] } });
    expect(after.messages.map(({ id }) => id)).toEqual(["c"]);
  });

  it("changes the stock of one variant and nothing in place", () => {
    const after = reduce(show, {
      kind: "stock.changed",
      seq: 4,
      data: { variant_id: "bag-v", available: 0, version: 7 },
    });
    expect(after.products[1]?.variants[0]?.available).toBe(0);
    expect(show.products[1]?.variants[0]?.available).toBe(3);
    expect(after.products[0]).toBe(show.products[0]);
  });

  it("does not let older stock news undo newer", () => {
    const news = (available: number, version: number) =>
      ({ kind: "stock.changed", seq: null, data: { variant_id: "bag-v", available, version } }) as const;
    const after = reduce(reduce(show, news(0, 8)), news(1, 7));
    expect(after.products[1]?.variants[0]?.available).toBe(0);
    expect(reduce(after, news(2, 9)).products[1]?.variants[0]?.available).toBe(2);
  });

  it("features the highlighted product, else the first", () => {
    expect(featured(show)?.id).toBe("mug");
    const after = reduce(show, { kind: "product.highlighted", seq: 4, data: { product_id: "bag" } });
    expect(featured(after)?.id).toBe("bag");
  });
});

describe("a product that is edited while the page is open", () => {
  const edited = (product_id: string, product: object | null) =>
    reduce(show, { kind: "product.changed", data: { product_id, product } } as unknown as GatewayEvent);
  const { highlighted: _, ...bag } = product("bag");
  const dearer = { ...bag, title: "Big bag", variants: [{ ...bag.variants[0]!, price_minor: 150, available: 99 }] };

  it("is shown as it is now, in its place, with the stock that the page knows", () => {
    const after = edited("bag", dearer);
    expect(after.products.map(({ title }) => title)).toEqual(["mug", "Big bag"]);
    expect(after.products[1]?.variants[0]).toMatchObject({ price_minor: 150, currency: "EUR", available: 3 });
  });
  it("goes when it is off sale, and comes when it is on sale again", () => {
    expect(edited("bag", null).products.map(({ id }) => id)).toEqual(["mug"]);
    expect(edited("hat", { ...bag, id: "hat" }).products.map(({ id }) => id)).toEqual(["mug", "bag", "hat"]);
  });
});

describe("what is back in stock", () => {
  it("is said only of what was sold out while the page was open", () => {
    const news = (seen: PublicShow, available: number, version: number) => {
      const state = available > 5 ? "in_stock" : available ? "low" : "sold_out";
      return reduce(seen, { kind: "stock.changed", seq: null, data: { variant_id: "bag-v", available, version, state } });
    };
    const label = ({ products }: PublicShow) => {
      const variant = products[1]?.variants[0];
      return stockLabel(variant?.available ?? 0, variant?.back);
    };
    const gone = news(news(show, 2, 1), 0, 2);
    expect(label(news(show, 2, 1))).toBe("2 left");
    expect(label(gone)).toBe("Sold out");
    expect(label(news(gone, 3, 3))).toBe("Back in stock: 3 left");
    expect(label(news(news(gone, 3, 3), 20, 4))).toBe("Back in stock: 20 left");
    // A process that is late tells of the moment before.
    expect(label(news(news(gone, 3, 3), 0, 2))).toBe("Back in stock: 3 left");
    expect(label(news(news(gone, 3, 3), 0, 4))).toBe("Sold out");
    // The document is read anew after a gap, or for the picture's address.
    const again = kept(news(gone, 3, 3), show);
    expect([label(kept(show, show)), label(kept(gone, show)), label(again)]).toEqual([
      "3 left",
      "Back in stock: 3 left",
      "Back in stock: 3 left",
    ]);
    expect(label(news(again, 0, 2))).toBe("Back in stock: 3 left");
  });
});

describe("stockLabel", () => {
  it("counts down what is scarce", () => {
    expect([0, 1, 12, 99, 100].map((left) => stockLabel(left))).toEqual(["Sold out", "1 left", "12 left", "99 left", "In stock"]);
  });
});

describe("how many watch", () => {
  const watched = (part: Partial<PublicShow["show"]>) => crowdSaid({ ...show, show: { ...show.show, ...part } }, 3_000);
  it("is said of a live show, unless its brand keeps it to itself", () => {
    expect(watched({})).toBe(3_000);
    expect(watched({ viewers_shown: false })).toBeNull();
    expect(watched({ state: "scheduled", viewers_shown: true })).toBeNull();
    expect(crowdSaid(show, null)).toBeNull();
  });
});

describe("closedBecause", () => {
  it("says why nothing can be bought, and nothing when it can", () => {
    expect(closedBecause(show)).toBeNull();
    expect(closedBecause({ ...show, show: { ...show.show, state: "ended" } })).toMatch(/over/);
    expect(closedBecause({ ...show, payment: null })).toMatch(/no payments/);
  });
});
