/** A product while it is edited: texts as typed, and what is wrong with them. Pure. */

import type { BundlePart, CatalogProduct, CatalogVariant, Medium, ProductChange, VariantChange } from "@simulcast/api";
import { countOf, minorOf, typedOf } from "./amounts";

export interface VariantDraft {
  /** Null while it is new. */
  id: string | null;
  key: string;
  sku: string;
  title: string;
  currency: string;
  price: string;
  cost: string;
  onHand: string;
  options: { name: string; value: string }[];
  prices: { currency: string; price: string }[];
  parts: { id: string; quantity: string }[];
  archived: boolean;
}

export interface ProductDraft {
  title: string;
  description: string;
  state: "draft" | "active";
  taxClass: string;
  liveOnly: boolean;
  ownSiteOnly: boolean;
  returnPolicy: string;
  media: Medium[];
  variants: VariantDraft[];
}

export function draftOf(product: CatalogProduct): ProductDraft {
  return {
    title: product.title,
    description: product.description,
    state: product.state === "draft" ? "draft" : "active",
    taxClass: product.tax_class,
    liveOnly: product.live_only,
    ownSiteOnly: product.own_site_only,
    returnPolicy: product.return_policy,
    media: product.media.map(({ kind, url, alt }) => ({ kind, url, alt })),
    variants: product.variants.map(variantDraft),
  };
}

function variantDraft(variant: CatalogVariant): VariantDraft {
  const { currency } = variant;
  return {
    id: variant.id,
    key: variant.id,
    sku: variant.sku,
    title: variant.title,
    currency,
    price: typedOf(variant.price_minor, currency),
    cost: variant.cost_minor === null ? "" : typedOf(variant.cost_minor, currency),
    onHand: "",
    options: Object.entries(variant.options).map(([name, value]) => ({ name, value })),
    prices: variant.prices.map((one) => ({
      currency: one.currency,
      price: typedOf(one.price_minor, one.currency),
    })),
    parts: variant.components.map((one) => ({ id: one.variant_id, quantity: String(one.quantity) })),
    archived: variant.archived,
  };
}

/** Another variant, with what it probably shares with the last one. */
export function newVariant(draft: ProductDraft, currency: string): VariantDraft {
  const last = draft.variants.at(-1);
  return {
    id: null,
    key: `new ${draft.variants.length}`,
    sku: "",
    title: "",
    currency: last?.currency ?? currency,
    price: last?.price ?? "",
    cost: last?.cost ?? "",
    onHand: "",
    options: last?.options.map(({ name }) => ({ name, value: "" })) ?? [],
    prices: [],
    parts: [],
    archived: false,
  };
}

/** What is wrong, by the field's place ("title", "variants.0.sku"); empty when it can be saved. */
export function problemsOf(draft: ProductDraft): Record<string, string> {
  const found: Record<string, string> = {};
  if (!draft.title.trim()) found["title"] = "Give it a name.";
  if (!/^[a-z0-9_-]{1,40}$/i.test(draft.taxClass.trim())) {
    found["taxClass"] = "One short word, like standard or reduced.";
  }
  draft.media.forEach((medium, index) => {
    if (!/^(https?:\/\/\S|data:image\/|\/[^/])/.test(medium.url.trim())) {
      found[`media.${index}`] = "Enter its https address.";
    }
  });
  const skus = draft.variants.map((variant) => variant.sku.trim());
  draft.variants.forEach((variant, index) => {
    const at = `variants.${index}`;
    const sku = variant.sku.trim();
    if (!sku) found[`${at}.sku`] = "Enter its SKU.";
    else if (skus.indexOf(sku) < index) found[`${at}.sku`] = "This SKU is here twice.";
    Object.assign(found, variantProblems(variant, at));
  });
  return found;
}

function variantProblems(variant: VariantDraft, at: string): Record<string, string> {
  const found: Record<string, string> = {};
  if (minorOf(variant.price, variant.currency) === null) {
    found[`${at}.price`] = "Enter a price, for example 24.90.";
  }
  if (variant.cost.trim() && minorOf(variant.cost, variant.currency) === null) {
    found[`${at}.cost`] = "Enter an amount, or nothing.";
  }
  if (!variant.id && variant.onHand.trim() && countOf(variant.onHand) === null) {
    found[`${at}.onHand`] = "Enter a whole number.";
  }
  variant.prices.forEach((one, index) => {
    const known = /^[A-Z]{3}$/.test(one.currency);
    const twice = variant.prices.findIndex((other) => other.currency === one.currency) < index;
    if (!known || twice || one.currency === variant.currency) {
      found[`${at}.prices.${index}`] = "Three letters of another currency, like USD, each once.";
    } else if (minorOf(one.price, one.currency) === null) {
      found[`${at}.prices.${index}`] = "Enter a price, for example 24.90.";
    }
  });
  if (variant.options.some((one) => !one.name.trim())) found[`${at}.options`] = "Name each option.";
  variant.parts.forEach((one, index) => {
    const twice = variant.parts.findIndex((other) => other.id === one.id) < index;
    if (!one.id || twice || !countOf(one.quantity)) {
      found[`${at}.parts.${index}`] = "Choose a SKU, each once, and how many of it.";
    }
  });
  return found;
}

/** What to save; null while something is wrong. */
export function changeOf(draft: ProductDraft, version: number): ProductChange | null {
  if (Object.keys(problemsOf(draft)).length) return null;
  return {
    version,
    title: draft.title.trim(),
    description: draft.description.trim(),
    state: draft.state,
    tax_class: draft.taxClass.trim().toLowerCase(),
    live_only: draft.liveOnly,
    own_site_only: draft.ownSiteOnly,
    return_policy: draft.returnPolicy.trim(),
    media: draft.media.map((one) => ({ ...one, url: one.url.trim(), alt: one.alt.trim() })),
    variants: draft.variants.map(variantChange),
  };
}

function variantChange(variant: VariantDraft): VariantChange {
  return {
    ...(variant.id ? { id: variant.id } : { on_hand: countOf(variant.onHand) ?? 0 }),
    sku: variant.sku.trim(),
    title: variant.title.trim(),
    currency: variant.currency,
    price_minor: minorOf(variant.price, variant.currency) ?? 0,
    cost_minor: minorOf(variant.cost, variant.currency),
    options: Object.fromEntries(variant.options.map(({ name, value }) => [name.trim(), value.trim()])),
    prices: variant.prices.map((one) => ({
      currency: one.currency,
      price_minor: minorOf(one.price, one.currency) ?? 0,
    })),
    components: variant.parts.map(
      (one): BundlePart => ({ variant_id: one.id, quantity: countOf(one.quantity) ?? 1 }),
    ),
    archived: variant.archived,
  };
}

/** One entry of a list moved by so many places. */
export function moved<T>(list: T[], index: number, by: number): T[] {
  const to = index + by;
  if (to < 0 || to >= list.length) return list;
  const rest = list.toSpliced(index, 1);
  return rest.toSpliced(to, 0, list[index] as T);
}
