/** Plain words for what the hub says in codes. */

import { ApiError } from "@simulcast/api";

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet" | "air";

const PLATFORMS: Record<string, string> = {
  youtube: "YouTube",
  facebook: "Facebook",
  instagram: "Instagram",
  tiktok: "TikTok",
  tiktok_shop: "TikTok Shop",
  twitch: "Twitch",
  amazon: "Amazon Live",
  kick: "Kick",
  linkedin: "LinkedIn",
  x: "X",
  shopify: "Shopify",
  woocommerce: "WooCommerce",
  meta_catalog: "Meta catalogue",
  ga4: "Google Analytics 4",
  meta_capi: "Meta Conversions API",
  tiktok_events: "TikTok Events API",
  stripe: "Stripe",
  rtmp: "Address",
  own: "Watch page",
};

export function platformName(platform: string): string {
  return PLATFORMS[platform] ?? sentence(platform.replaceAll("_", " "));
}

/** One sentence about what went wrong. */
export function why(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something went wrong. Try again.";
  if (error.code === "offline") return "The server can't be reached. Check your network and try again.";
  if (error.code === "timeout") return "The server did not answer in time. Try again.";
  if (error.code.startsWith("http_5")) return "The server is not answering properly. Try again in a moment.";
  const wait = error.problem.retry_after;
  if (error.code === "too_many_attempts" && wait) {
    return `Too many failed sign-ins. Wait ${roughly(wait)}, then try again.`;
  }
  return error.message;
}

/** "5 minutes" for 290; "40 seconds" for 40. Never less than there is. */
export function roughly(seconds: number): string {
  if (seconds < 60) return plural(seconds, "second");
  return plural(Math.ceil(seconds / 60), "minute");
}

/** "1 order", "12 orders". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** With a full stop, whoever wrote it. */
export function closed(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

export function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "24 Nov, 18:30" in the reader's own place and language. */
export function dateTime(iso: string, locale?: string): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  return format.format(new Date(iso));
}

/** "18:30". */
export function timeOfDay(iso: string, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}
