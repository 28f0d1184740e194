/** What is typed into the offer editor, its templates, and how it becomes a draft. Pure. */

import type { OfferKind, OfferWish, ShowProduct, StaffOffer } from "@simulcast/api";
import { countOf, minorOf } from "../../products/amounts";

export interface TierForm {
  percent: string;
  units: string;
}

export interface ItemForm {
  variantId: string;
  quantity: string;
  /** Its own price in the offer; empty: by the percentage. */
  price: string;
}

export interface OfferForm {
  kind: OfferKind;
  title: string;
  minutes: string;
  percent: string;
  units: string;
  perBuyer: string;
  /** For so long members come first. */
  membersMinutes: string;
  ownSiteOnly: boolean;
  /** For whom; empty: everybody. */
  segmentId: string;
  code: string;
  amountOff: string;
  minTotal: string;
  stackable: boolean;
  items: ItemForm[];
  tiers: TierForm[];
}

export interface Choice {
  variantId: string;
  title: string;
  currency: string;
}

const EMPTY: OfferForm = {
  kind: "flash",
  title: "",
  minutes: "",
  percent: "",
  units: "",
  perBuyer: "",
  membersMinutes: "",
  ownSiteOnly: false,
  segmentId: "",
  code: "",
  amountOff: "",
  minTotal: "",
  stackable: false,
  items: [],
  tiers: [],
};

export interface Template {
  kind: OfferKind;
  title: string;
  about: string;
  form: Partial<OfferForm>;
}

/** One for each kind, with what has worked best. */
export const TEMPLATES: Template[] = [
  {
    kind: "flash",
    title: "Flash sale",
    about: "A lower price for 5 to 10 minutes, by the server's clock.",
    form: { title: "Flash sale", minutes: "5", percent: "20" },
  },
  {
    kind: "quantity",
    title: "Limited quantity",
    about: "A lower price for so many. It ends by itself when they are sold.",
    form: { title: "While they last", percent: "20", units: "20" },
  },
  {
    kind: "tiers",
    title: "The faster, the cheaper",
    about: "The first 20 at 40 % off, the next 50 at 30 %, the rest at 20 %.",
    form: {
      title: "The faster, the cheaper",
      tiers: [
        { percent: "40", units: "20" },
        { percent: "30", units: "50" },
        { percent: "20", units: "" },
      ],
    },
  },
  {
    kind: "bundle",
    title: "Bundle",
    about: "Several things together for less. A buyer gets all of them, or none.",
    form: { title: "Together", minutes: "15", percent: "15" },
  },
  {
    kind: "coupon",
    title: "Code",
    about: "Something off an order for whoever has the code.",
    form: { title: "Code for viewers", code: "", percent: "10", perBuyer: "1" },
  },
  {
    kind: "early_access",
    title: "Members first",
    about: "Members can buy some minutes before everybody else.",
    form: { title: "Members first", membersMinutes: "10" },
  },
  {
    kind: "live_exclusive",
    title: "Only live",
    about: "Sold only while the show is live. Needs products marked as sold live only.",
    form: { title: "Only in this show" },
  },
];

export const MINUTES = ["5", "8", "10", "15"];

/** A fresh form of a kind, for the product on screen where there is one. */
export function started(kind: OfferKind, products: ShowProduct[]): OfferForm {
  const template = TEMPLATES.find((one) => one.kind === kind);
  const lit = products.find((product) => product.highlighted) ?? products[0];
  const variants = kind === "coupon" ? [] : (lit?.variants ?? []);
  const items = variants.map(({ id }) => ({ variantId: id, quantity: "1", price: "" }));
  return { ...EMPTY, items, ...template?.form, kind };
}

/** Everything of the show that can be offered. */
export function choices(products: ShowProduct[]): Choice[] {
  return products.flatMap((product) =>
    product.variants.map((variant) => ({
      variantId: variant.id,
      title: product.variants.length > 1 ? `${product.title}, ${variant.title || variant.sku}` : product.title,
      currency: variant.currency,
    })),
  );
}

/** What went wrong in typing, by field; the hub judges the rest. */
export function typos(form: OfferForm, currency: string): Record<string, string> {
  const found: Record<string, string> = {};
  const whole = (field: string, text: string, most: number) => {
    const count = countOf(text);
    if (text.trim() && (count === null || count < 1 || count > most)) {
      found[field] = `Enter a whole number from 1 to ${most.toLocaleString("en")}.`;
    }
  };
  if (!form.title.trim()) found["title"] = "Give it a name that viewers understand.";
  whole("minutes", form.minutes, 24 * 60);
  whole("percent_off", form.percent, 99);
  whole("units", form.units, 1e9);
  whole("per_buyer", form.perBuyer, 1_000);
  whole("members_minutes", form.membersMinutes, 24 * 60);
  for (const tier of form.tiers) {
    if (countOf(tier.percent) === null || Number(tier.percent) < 1 || Number(tier.percent) > 99) {
      found["tiers"] = "Each step needs a percentage from 1 to 99.";
    }
    whole("tiers", tier.units, 1e9);
  }
  const money = (field: string, text: string) => {
    if (text.trim() && minorOf(text, currency) === null) found[field] = "Enter a price like 24.90.";
  };
  money("amount_off_minor", form.amountOff);
  money("min_total_minor", form.minTotal);
  for (const item of form.items) money("items", item.price);
  return found;
}

/** As it is sent. Ask `typos` first. */
export function wishOf(form: OfferForm, showId: string, currency: string): OfferWish {
  const coupon = form.kind === "coupon";
  return {
    show_id: showId,
    kind: form.kind,
    title: form.title.trim(),
    minutes: countOf(form.minutes),
    percent_off: form.kind === "tiers" ? null : countOf(form.percent),
    units: form.kind === "tiers" ? null : countOf(form.units),
    per_buyer: countOf(form.perBuyer),
    members_minutes: coupon ? null : countOf(form.membersMinutes),
    own_site_only: form.ownSiteOnly && !coupon,
    segment_id: form.segmentId || null,
    code: coupon ? form.code.trim().toUpperCase() : null,
    amount_off_minor: coupon ? minorOf(form.amountOff, currency) : null,
    currency: coupon ? currency : null,
    min_total_minor: coupon ? minorOf(form.minTotal, currency) : null,
    stackable: form.stackable,
    items: form.items.map((item) => ({
      variant_id: item.variantId,
      quantity: form.kind === "bundle" ? (countOf(item.quantity) ?? 1) : 1,
      unit_minor: form.kind === "tiers" || coupon ? null : minorOf(item.price, currency),
    })),
    tiers:
      form.kind === "tiers"
        ? form.tiers.map((tier) => ({ percent_off: Number(tier.percent), units: countOf(tier.units) }))
        : [],
  };
}

/** A draft that is opened again. */
export function formOf(offer: StaffOffer, currency: string): OfferForm {
  const text = (value: number | null) => (value === null ? "" : String(value));
  return {
    kind: offer.kind,
    title: offer.title,
    minutes: text(offer.minutes),
    percent: text(offer.percent_off),
    units: text(offer.units),
    perBuyer: text(offer.per_buyer),
    membersMinutes: text(offer.members_minutes),
    ownSiteOnly: offer.own_site_only,
    segmentId: offer.segment_id ?? "",
    code: offer.code ?? "",
    amountOff: typed(offer.amount_off_minor, currency),
    minTotal: typed(offer.min_total_minor, currency),
    stackable: offer.stackable,
    items: offer.items.map((item) => ({
      variantId: item.variant_id,
      quantity: String(item.quantity),
      price: typed(item.unit_minor, currency),
    })),
    tiers: offer.tiers.map((tier) => ({ percent: String(tier.percent_off), units: text(tier.units) })),
  };
}

/** 2490 → "24.90". */
function typed(minor: number | null, currency: string): string {
  if (minor === null) return "";
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return (minor / 10 ** digits).toFixed(digits);
}
