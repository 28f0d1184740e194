/** Figures as people read them. Pure. */

import {
  type Audience,
  type CreditBy,
  type CreditedRow,
  type CreditModel,
  type CreditWindow,
  formatMoney,
  type TimesAs,
} from "@simulcast/api";

export const NOTHING = "–";

export const BY: { value: CreditBy; title: string }[] = [
  { value: "source", title: "Source" },
  { value: "channel_group", title: "Channel group" },
  { value: "target", title: "Target" },
  { value: "link", title: "Link" },
  { value: "campaign", title: "Campaign" },
];

export const MODELS: { value: CreditModel; title: string }[] = [
  { value: "last_non_direct", title: "Last known source" },
  { value: "first", title: "First touch" },
  { value: "last", title: "Last touch" },
  { value: "linear", title: "Every touch the same" },
  { value: "time_decay", title: "Newer touches more" },
  { value: "position", title: "First and last most (40/20/40)" },
  { value: "markov", title: "What would be missing (Markov)" },
  { value: "shapley", title: "Fair share (Shapley)" },
];

export const WINDOWS: { value: CreditWindow; title: string }[] = [
  { value: "session", title: "Same visit" },
  { value: "24h", title: "24 hours" },
  { value: "7d", title: "7 days" },
  { value: "30d", title: "30 days" },
];

export const OFFER_KINDS: Record<string, string> = {
  flash: "Flash price",
  quantity: "Quantity price",
  tiers: "Price steps",
  bundle: "Bundle",
  coupon: "Coupon",
  early_access: "Early access",
  live_exclusive: "Live only",
};

const PLACES = { own: "Your site", shop: "Your shop", platform: "Platform's shop" };

export function placeWords(place: keyof typeof PLACES): string {
  return PLACES[place];
}

export function money(minor: number | null, currency: string | null): string {
  return minor === null || currency === null ? NOTHING : formatMoney(minor, currency);
}

/** "4.2 %"; never "0 %" for something. */
export function percent(share: number | null): string {
  if (share === null) return NOTHING;
  const tenths = Math.round(share * 1_000) / 10;
  return share > 0 && tenths === 0 ? "< 0.1 %" : `${tenths} %`;
}

export function count(number: number | null): string {
  return number === null ? NOTHING : number.toLocaleString();
}

/** Orders in parts: "12", "3.5". */
export function parts(text: string): string {
  return String(Math.round(Number(text) * 100) / 100);
}

/** "5.1 times (2.3 to 11)", or why there is none. */
export function timesWords(ratio: TimesAs | undefined): string {
  if (!ratio || ratio.times === null) return "Too few to compare";
  const short = (value: number | null) => String(Math.round((value ?? 0) * 10) / 10);
  const range = `${short(ratio.times)} times (${short(ratio.low)} to ${short(ratio.high)})`;
  return ratio.sure ? range : `${range}; may be chance`;
}

const SOURCES: Record<Audience["source"], string> = {
  events: "Viewers are counted from viewer events.",
  visits: "Viewers are counted from tagged visits: no viewer events are kept of this.",
  both: "Viewers are counted from viewer events, and from tagged visits for shows without them.",
  none: "Nobody's visit to your page is known yet.",
};

export function sourceWords(source: Audience["source"]): string {
  return SOURCES[source];
}

/** Currencies of the rows, the one with most orders first. */
export function currenciesOf(rows: { currency: string | null }[]): string[] {
  return [...new Set(rows.flatMap((row) => (row.currency ? [row.currency] : [])))];
}

/** Rows of one currency, and those that brought nothing in any. */
export function inCurrency<Row extends { currency: string | null }>(rows: Row[], currency: string): Row[] {
  return rows.filter((row) => row.currency === currency || row.currency === null);
}

/** A row's part of the largest one, for its bar: 0 to 1. */
export function partOf(row: CreditedRow, rows: CreditedRow[]): number {
  const largest = Math.max(0, ...rows.map((one) => one.credited_minor));
  return largest > 0 ? Math.max(0, row.credited_minor) / largest : 0;
}
