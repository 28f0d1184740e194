/** Plain words for an offer's state and what came of it. Pure. */

import { formatMoney, type OfferKind, type StaffOffer } from "@simulcast/api";
import { plural, type Tone } from "../../parts/words";

const KINDS: Record<OfferKind, string> = {
  flash: "Flash sale",
  quantity: "Limited quantity",
  tiers: "The faster, the cheaper",
  bundle: "Bundle",
  coupon: "Code",
  early_access: "Members first",
  live_exclusive: "Only live",
};

const ENDED: Record<string, string> = {
  time: "time was up",
  gone: "all sold",
  staff: "ended by hand",
  show: "the show ended",
};

export function kindWords(kind: OfferKind): string {
  return KINDS[kind];
}

export function stateWords(offer: StaffOffer, nowMs: number): { tone: Tone; text: string } {
  if (offer.state === "draft") return { tone: "quiet", text: "Draft" };
  const over = offer.ends_at !== null && Date.parse(offer.ends_at) <= nowMs;
  if (offer.state === "ended" || over) {
    const why = ENDED[offer.ended_why ?? "time"] ?? "ended";
    return { tone: "quiet", text: `Ended: ${why}` };
  }
  if (offer.starts_at && Date.parse(offer.starts_at) > nowMs) return { tone: "busy", text: "Begins soon" };
  if (offer.units !== null && offer.taken >= offer.units) return { tone: "warn", text: "All taken" };
  return { tone: "air", text: "Live" };
}

/** "12 of 20 taken"; a line per step of a tiered offer. */
export function counterWords(offer: StaffOffer): string[] {
  if (offer.tiers.length) {
    return offer.tiers.map((tier) =>
      tier.units === null
        ? `The rest at −${tier.percent_off} %: ${tier.taken} taken`
        : `${tier.units - tier.taken} of ${tier.units} left at −${tier.percent_off} %`,
    );
  }
  if (offer.kind === "coupon") {
    const uses = plural(offer.results.uses, "use");
    return [offer.units === null ? uses : `${uses} of ${offer.units}`];
  }
  if (offer.units !== null) return [`${offer.units - offer.taken} of ${offer.units} left`];
  return offer.state === "draft" ? [] : [`${offer.taken} taken`];
}

/** "14 sold, 2 held, €420.00, 70 % of holds paid". */
export function resultWords(offer: StaffOffer): string | null {
  const { units, held, revenue_minor: revenue, currency, conversion } = offer.results;
  if (offer.state === "draft" || !currency) return null;
  const said = [
    offer.kind === "coupon" ? null : `${units} sold`,
    held ? `${held} held` : null,
    formatMoney(revenue, currency),
    conversion === null ? null : `${Math.round(conversion * 100)} % of reservations paid`,
  ];
  return said.filter(Boolean).join(", ");
}
