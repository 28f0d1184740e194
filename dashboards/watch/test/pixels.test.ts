/** Pixels load only where the viewer agreed, tell a sale once under the hub's id, and never see a key. */

import type { PublicPixel, PublicShow, SeenIds } from "@simulcast/api";
import { expect, test } from "vitest";
import { clientIn, idsIn, sessionIn } from "../src/pixels/ids";
import { type Bought, keysIn, Pixels, saleOf } from "../src/pixels/pixels";
import { type Page, vendorOf } from "../src/pixels/vendors";

const PIXELS: PublicPixel[] = [
  { kind: "ga4", id: "G-AB12CD34", script_url: "https://www.googletagmanager.com/gtag/js", purpose: "analytics" },
  { kind: "meta_capi", id: "1234567890", script_url: "https://connect.facebook.net/en_US/fbevents.js", purpose: "ads" },
  { kind: "tiktok_events", id: "C4A1B2C3", script_url: "https://analytics.tiktok.com/events.js", purpose: "ads" },
];
const SHOW = {
  pixels: PIXELS,
  products: [{ id: "p", variants: [{ id: "v1", sku: "BAG-RED" }] }],
} as unknown as PublicShow;
const PAID = {
  step: { name: "paid" },
  placed: "0199",
  quote: {
    sums: { currency: "EUR", total_minor: 5490 },
    lines: [{ variant_id: "v1", title: "Bag", quantity: 2, amount_minor: 9800 }],
  },
} as unknown as Bought;

function aPage(address = "https://live.example.com/watch/evening?fbclid=AbC-d&gclid=Gc1") {
  const page: Page = {};
  const scripts: string[] = [];
  const told: SeenIds[] = [];
  const timers: (() => void)[] = [];
  const state = { allowed: { analytics: false, ads: false }, cookies: "", address };
  const pixels = new Pixels({
    api: { tell: async (ids) => void told.push(ids) },
    allowed: () => state.allowed,
    vendorOf: (pixel) => vendorOf(pixel, page, (url) => scripts.push(url)),
    cookies: () => state.cookies,
    address: () => state.address,
    later: (what) => timers.push(what),
  });
  const pass = () => timers.splice(0).forEach((one) => one());
  const queued = () => ({
    google: (page.dataLayer ?? []).map((one) => Array.from(one as ArrayLike<unknown>)),
    meta: (page.fbq?.queue ?? []) as unknown[][],
    tiktok: [...(page.ttq ?? [])] as unknown[][],
  });
  return { page, pixels, scripts, told, state, pass, queued };
}

test("nothing is loaded and nothing told before the viewer agrees", () => {
  const { page, pixels, scripts, told, pass } = aPage();
  pixels.look(SHOW, PAID);
  pass();
  expect(scripts).toEqual([]);
  expect(told).toEqual([]);
  expect(page).toEqual({});
});

test("each script is loaded once, for its purpose alone, and hears of consent first", () => {
  const { pixels, scripts, state, queued } = aPage();
  state.allowed = { analytics: true, ads: false };
  pixels.look(SHOW, null);
  expect(scripts).toEqual(["https://www.googletagmanager.com/gtag/js?id=G-AB12CD34"]);
  const [first, second] = queued().google;
  expect(first?.slice(0, 2)).toEqual(["consent", "default"]);
  expect(second).toEqual([
    "consent",
    "update",
    { ad_storage: "denied", ad_user_data: "denied", ad_personalization: "denied", analytics_storage: "granted" },
  ]);
  state.allowed = { analytics: true, ads: true };
  pixels.look(SHOW, null);
  pixels.look(SHOW, null);
  expect(scripts).toHaveLength(3);
  expect(queued().meta[0]).toEqual(["consent", "grant"]);
  expect(queued().meta.slice(1, 3)).toEqual([
    ["set", "autoConfig", false, "1234567890"],
    ["init", "1234567890"],
  ]);
  expect(queued().tiktok.map(([name]) => name)).toEqual(["grantConsent", "page"]);
  state.allowed = { analytics: false, ads: false };
  pixels.look(SHOW, PAID);
  expect(queued().meta.at(-1)).toEqual(["consent", "revoke"]);
  expect(queued().tiktok.at(-1)).toEqual(["revokeConsent"]);
  expect(queued().google.at(-1)?.[2]).toMatchObject({ analytics_storage: "denied" });
});

test("a sale is told once to each, under the id the hub uses", () => {
  const { pixels, state, queued } = aPage();
  state.allowed = { analytics: true, ads: true };
  for (const bought of [null, { ...PAID, step: { name: "paying" } }, PAID, PAID]) pixels.look(SHOW, bought);
  const { google, meta, tiktok } = queued();
  const sales = google.filter(([, name]) => name === "purchase");
  expect(sales).toHaveLength(1);
  expect(sales[0]?.[2]).toMatchObject({ transaction_id: "0199", value: 54.9, currency: "EUR" });
  expect(meta.filter(([, name]) => name === "Purchase").map((one) => one[3])).toEqual([
    { eventID: "0199:purchase" },
  ]);
  expect(tiktok.filter(([, name]) => name === "Purchase").map((one) => one[3])).toEqual([
    { event_id: "0199:purchase" },
  ]);
});

test("what the browser is called is told when it is news, and again when consent is taken back", () => {
  const { pixels, told, state, pass } = aPage();
  state.allowed = { analytics: true, ads: true };
  pixels.look(SHOW, null);
  state.cookies = "_ga=GA1.1.11.22; _ga_AB12CD34=GS2.1.s1790000123$o1$g1; _fbp=fb.1.1790000000000.77; _ttp=2Fttp";
  pass();
  pixels.look(SHOW, null);
  pass();
  expect(told).toEqual([
    {
      ga_client: "11.22",
      ga_sessions: { "G-AB12CD34": "1790000123" },
      gclid: "Gc1",
      fbp: "fb.1.1790000000000.77",
      fbclid: "AbC-d",
      ttp: "2Fttp",
    },
  ]);
  state.allowed = { analytics: false, ads: false };
  pixels.look(SHOW, null);
  expect(told.slice(1)).toEqual([{}]);
});

test("with a key in the address no script is loaded: it would tell its maker", () => {
  for (const key of ["access=secret", "claim=secret", "sh_v=secret"]) {
    const address = `https://live.example.com/watch/evening?${key}`;
    expect(keysIn(address)).toBe(true);
    const { pixels, scripts, state, told } = aPage(address);
    state.allowed = { analytics: true, ads: true };
    pixels.look(SHOW, PAID);
    expect([scripts, told]).toEqual([[], []]);
  }
});

test("Google's cookies are read in both their spellings, and nothing else is taken for one", () => {
  expect(clientIn("GA1.1.1234567890.1790000000")).toBe("1234567890.1790000000");
  expect(clientIn("GA1.2.1.2")).toBe("1.2");
  expect(clientIn("something")).toBeUndefined();
  expect(sessionIn("GS1.1.1790000123.2.1.1790000200.0.0.0")).toBe("1790000123");
  expect(sessionIn("GS2.1.s1790000123$o2$g1$t1790000200$j60$l0$h0")).toBe("1790000123");
  expect(sessionIn("x")).toBeUndefined();
  expect(idsIn("", "https://live.example.com/watch/evening")).toEqual({});
});

test("amounts are in the currency's own unit", () => {
  const quote = { ...PAID.quote, sums: { currency: "JPY", total_minor: 5490 } } as NonNullable<Bought["quote"]>;
  expect(saleOf(SHOW, "1", quote).value).toBe(5490);
  expect(saleOf(SHOW, "1", PAID.quote as NonNullable<Bought["quote"]>).items).toEqual([
    { id: "BAG-RED", title: "Bag", quantity: 2, price: 49 },
  ]);
});
