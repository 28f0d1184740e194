/** What is said of an offer, on the watch page and in the studio's preview alike. Pure. */

import { countdown, secondsLeft } from "./clock";
import { formatMoney } from "./money";
import type { OfferCount, OfferStanding, PublicOffer, ViewerOffer } from "./offers";

/** A count is worth saying from here on down; above, there are simply enough. */
const COUNTED = 99;

/** Where it stands at this moment of the server's clock: a page does not wait for news to close an offer. */
export function standing(offer: PublicOffer, nowMs: number): OfferStanding {
  if (offer.state === "ended" || (offer.ends_at && Date.parse(offer.ends_at) <= nowMs)) return "ended";
  if (Date.parse(offer.starts_at) > nowMs) return "soon";
  // News that it is gone may be older than the moment it began.
  const counts = offer.tiers.length ? offer.tiers.map((tier) => tier.left) : [offer.left];
  return counts.every((left) => left === 0) ? "gone" : "open";
}

/** "4:59"; null for an offer without an end, or one that is over. */
export function timeLeft(offer: PublicOffer, nowMs: number): string | null {
  const now = standing(offer, nowMs);
  if (now === "soon") return countdown(secondsLeft(offer.starts_at, nowMs));
  if (!offer.ends_at || now === "ended") return null;
  return countdown(secondsLeft(offer.ends_at, nowMs));
}

/** "12 left at this price"; null where nothing is counted. */
export function leftWords(offer: PublicOffer): string | null {
  if (offer.left === null || offer.left > COUNTED) return null;
  return offer.left > 0 ? `${offer.left} left at this price` : "All taken";
}

export interface TierWords {
  text: string;
  now: boolean;
  gone: boolean;
}

/** "20 left at −40 %"; where no percentage may be said, by the price. */
export function tierWords(offer: PublicOffer, variantId: string, locale?: string): TierWords[] {
  const item = offer.items.find((one) => one.variant_id === variantId) ?? offer.items[0];
  const current = offer.tiers.findIndex((tier) => tier.left === null || tier.left > 0);
  return offer.tiers.map((tier, n) => {
    const price = item ? formatMoney(tier.prices[item.variant_id] ?? item.unit_minor, item.currency, locale) : "";
    const at = tier.percent === null ? price : `−${tier.percent} %`;
    if (tier.left === 0) return { text: `${tier.units} at ${at}: all taken`, now: false, gone: true };
    const now = n === current;
    if (tier.left === null) return { text: now ? `Now ${at}` : `Then ${at}`, now, gone: false };
    return { text: now ? `${tier.left} left at ${at}` : `Next ${tier.left} at ${at}`, now, gone: false };
  });
}

/** Why this viewer can't take it now, in a sentence; null when they can. */
export function closedWords(offer: ViewerOffer, nowMs: number, member: boolean): string | null {
  switch (standing(offer, nowMs)) {
    case "ended":
      return "This offer is over.";
    case "soon":
      return "This offer has not begun yet.";
    case "gone":
      return "All are taken. If somebody gives theirs up, it is here again.";
    case "open":
      return membersFirst(offer, nowMs) && !member ? "Members can buy this first. Sign in to join them." : null;
  }
}

/** Whether it is for members only yet. */
export function membersFirst(offer: PublicOffer, nowMs: number): boolean {
  return offer.members_until !== null && Date.parse(offer.members_until) > nowMs;
}

/** The offer whose price a variant has now, as the hub would choose it: the cheapest that is open. */
export function offerFor(
  offers: ViewerOffer[],
  variantId: string,
  nowMs: number,
  member: boolean,
): ViewerOffer | null {
  let best: { offer: ViewerOffer; minor: number } | null = null;
  for (const offer of offers) {
    if (offer.kind === "bundle" || offer.kind === "coupon" || closedWords(offer, nowMs, member)) continue;
    const item = offer.items.find((one) => one.variant_id === variantId);
    if (item && (!best || item.unit_minor < best.minor)) best = { offer, minor: item.unit_minor };
  }
  return best?.offer ?? null;
}

/**
 * What this viewer can have, now or later: an offer for a group they are not in stays out of sight while it is
 * the group's alone. Whoever is in the group needs no membership besides.
 */
export function offersFor(offers: ViewerOffer[], segments: string[], nowMs: number): ViewerOffer[] {
  return offers.flatMap((offer) => {
    if (!offer.segment_id) return [offer];
    if (segments.includes(offer.segment_id)) return [{ ...offer, members_until: null }];
    return offer.members_until && !membersFirst(offer, nowMs) ? [offer] : [];
  });
}

/** One more or another one; what is only this viewer's stays as the page knew it. */
export function withOffer(offers: ViewerOffer[], news: PublicOffer): ViewerOffer[] {
  const known = offers.find((one) => one.id === news.id);
  if (known && known.version > news.version) return offers;
  const mine = { yours: known?.yours ?? 0, open_to_you: known?.open_to_you ?? news.members_until === null };
  if (!known) return [{ ...news, ...mine }, ...offers];
  return offers.map((one) => (one.id === news.id ? { ...news, ...mine } : one));
}

/** Counts of an older version than the last one are dropped: several processes send them. */
export function withOfferCount(offers: ViewerOffer[], news: OfferCount): ViewerOffer[] {
  return offers.map((one) => (one.id === news.id && news.version >= one.version ? { ...one, ...news } : one));
}
