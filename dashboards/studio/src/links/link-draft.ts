/** A link as it is typed, and as it is asked for. Pure. */

import type { LinkPreview, LinkWish, Placement, TagName, TrackedLink } from "@simulcast/api";
import { minorOf, typedOf } from "../products/amounts";
import { TAG_NAMES } from "./link-words";

/** Empty strings for what is left out. */
export interface LinkDraft {
  title: string;
  show_id: string;
  target_id: string;
  product_id: string;
  offer_id: string;
  host: string;
  placement: Placement;
  boosted: boolean;
  destination: string;
  cost: string;
  currency: string;
  tags: Record<TagName, string>;
}

export function emptyDraft(currency: string, showId = ""): LinkDraft {
  return {
    title: "",
    show_id: showId,
    target_id: "",
    product_id: "",
    offer_id: "",
    host: "",
    placement: "bio",
    boosted: false,
    destination: "",
    cost: "",
    currency,
    tags: tagsOf(() => ""),
  };
}

export function draftOf(link: TrackedLink, currency: string): LinkDraft {
  return {
    title: link.title,
    show_id: link.show_id ?? "",
    target_id: link.target_id ?? "",
    product_id: link.product_id ?? "",
    offer_id: link.offer_id ?? "",
    host: link.host ?? "",
    placement: link.placement,
    boosted: link.utm_medium === "paid_social",
    destination: link.destination ? link.lands_on : "",
    cost: link.cost_minor === null ? "" : typedOf(link.cost_minor, link.currency ?? currency),
    currency: link.currency ?? currency,
    tags: tagsOf((name) => link[name] ?? ""),
  };
}

/** What is as the rule has it anyway is left to the rule: it then follows when the rest is changed. */
export function leftToRule(draft: LinkDraft, ruled: LinkPreview["ruled"]): LinkDraft {
  return { ...draft, tags: tagsOf((name) => (draft.tags[name] === (ruled[name] ?? "") ? "" : draft.tags[name])) };
}

export function wishOf(draft: LinkDraft): LinkWish {
  const cost = draft.cost.trim() ? minorOf(draft.cost, draft.currency) : null;
  return {
    title: draft.title.trim(),
    show_id: draft.show_id || null,
    target_id: (draft.show_id && draft.target_id) || null,
    product_id: draft.product_id || null,
    offer_id: (draft.show_id && draft.offer_id) || null,
    host: draft.host.trim() || null,
    placement: draft.placement,
    boosted: draft.boosted,
    destination: draft.destination.trim() || null,
    cost_minor: cost,
    currency: cost === null ? null : draft.currency,
    ...tagsOf((name) => draft.tags[name].trim() || null),
  };
}

/** What is wrong with it before anybody asks the hub. */
export function problemOf(draft: LinkDraft): string | null {
  if (draft.cost.trim() && minorOf(draft.cost, draft.currency) === null) return "Write the cost as 25 or 24.90.";
  if (!draft.show_id && !draft.destination.trim()) return "Choose a show, or write the address it leads to.";
  return null;
}

function tagsOf<Value>(value: (name: TagName) => Value): Record<TagName, Value> {
  return Object.fromEntries(TAG_NAMES.map((name) => [name, value(name)])) as Record<TagName, Value>;
}
