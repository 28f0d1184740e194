/** Links in words. Pure. */

import { formatMoney, type LinkPost, type Placement, type PostHow, type TagName, type TrackedLink } from "@simulcast/api";
import { dateTime, platformName, plural, type Tone } from "../parts/words";

export const PLACEMENTS: Record<Placement, string> = {
  chat: "Chat",
  pin: "Pinned message",
  bio: "Bio or profile",
  qr: "Printed QR code",
  overlay: "In the picture",
  description: "Description of the stream",
  other: "Somewhere else",
};

export const HOWS: Record<PostHow, string> = {
  announce: "Announcement in the chat",
  message: "Message in the chat",
  overlay: "In the picture",
};

export const TAGS: Record<TagName, { label: string; help: string }> = {
  utm_source: { label: "Source", help: "Where it is: the platform" },
  utm_medium: { label: "Medium", help: "social, or paid_social where it is paid for" },
  utm_campaign: { label: "Campaign", help: "The show" },
  utm_content: { label: "Content", help: "The host and the place" },
  utm_term: { label: "Term", help: "The SKU" },
  utm_id: { label: "Campaign id", help: "The show's id" },
};

export const TAG_NAMES = Object.keys(TAGS) as TagName[];

/** What a link is called where nobody gave it a title. */
export function nameOf(link: TrackedLink): string {
  if (link.title) return link.title;
  const about = [link.product_title ?? link.offer_title, link.target_name, link.host].filter(Boolean);
  return about.length ? about.join(" · ") : (link.show_title ?? link.lands_on);
}

/** Show, target, product, offer, host and place, as far as they are not its name already. */
export function aboutOf(link: TrackedLink): string {
  const platform = link.platform ? platformName(link.platform) : null;
  const target = link.target_name && link.target_name !== platform ? `${platform} (${link.target_name})` : platform;
  const parts = [link.show_title, target, link.product_title, link.offer_title, link.host, PLACEMENTS[link.placement]];
  return parts.filter(Boolean).join(" · ");
}

/** "12 clicks, 3 bots, 2 previews": people first; what nobody did is not said. */
export function clickWords(link: TrackedLink): string {
  const rest = [
    link.bots ? plural(link.bots, "bot") : null,
    link.previews ? plural(link.previews, "preview") : null,
  ].filter(Boolean);
  return [plural(link.persons, "click"), ...rest].join(", ");
}

/** "3 orders, €120.00" per currency. */
export function salesWords(link: TrackedLink): string {
  if (!link.sales.length) return "No orders";
  return link.sales
    .map((one) => `${plural(one.orders, "order")}, ${formatMoney(one.revenue_minor, one.currency)}`)
    .join(" + ");
}

/** How often, or where in its life a post is. */
export function postWords(post: LinkPost): string {
  const often = post.every_minutes ? `every ${plural(post.every_minutes, "minute")} while live` : "once, when live";
  if (post.how === "overlay") return HOWS.overlay;
  return `${HOWS[post.how]}, ${often}`;
}

export function lastWords(post: LinkPost): string {
  if (!post.last_at) return "Not posted yet";
  if (post.how === "overlay") return `Since ${dateTime(post.last_at)}`;
  return `Last ${dateTime(post.last_at)}, ${plural(post.times, "time")} in all`;
}

export function postState(post: LinkPost): { tone: Tone; word: string } {
  if (post.state === "failed") return { tone: "bad", word: "Failed" };
  if (post.problem) return { tone: "warn", word: post.state === "stopped" ? "Stopped" : "Look at this" };
  if (post.state === "stopped") return { tone: "quiet", word: "Stopped" };
  if (post.state === "waiting") return { tone: "busy", word: post.last_at ? "Repeating" : "Waiting" };
  if (post.how === "overlay") return { tone: "good", word: "Shown" };
  return post.delivery === "queued" ? { tone: "busy", word: "Being sent" } : { tone: "good", word: "Posted" };
}
