/** A refund as it is being typed, and what is wrong with it. Pure. */

import type { OrderDetail, RefundWish } from "@simulcast/api";
import { countOf, minorOf } from "../products/amounts";

export type RefundMode = "everything" | "some";

export interface RefundDraft {
  mode: RefundMode;
  /** Pieces by line, as typed. */
  pieces: Record<string, string>;
  shipping: string;
  amount: string;
  restock: boolean;
  reason: string;
}

export const EMPTY_DRAFT: RefundDraft = {
  mode: "everything",
  pieces: {},
  shipping: "",
  amount: "",
  restock: true,
  reason: "",
};

export type Problems = Record<string, string>;

/** The wish, or what has to be put right by field (`line:<id>`, `shipping`, `amount`). */
export function wishOf(draft: RefundDraft, order: OrderDetail): RefundWish | Problems {
  if (draft.mode === "everything") {
    return { lines: [], shipping_minor: 0, amount_minor: 0, everything: true };
  }
  const problems: Problems = {};
  const lines: RefundWish["lines"] = [];
  for (const line of order.lines) {
    const typed = draft.pieces[line.id] ?? "";
    const left = line.quantity - line.refunded_pieces;
    const quantity = typed.trim() ? countOf(typed) : 0;
    if (quantity === null) problems[`line:${line.id}`] = "Enter a whole number.";
    else if (quantity > left) problems[`line:${line.id}`] = `Only ${left} can still be refunded.`;
    else if (quantity > 0) lines.push({ line_id: line.id, quantity });
  }
  const shipping = amountOf(draft.shipping, order.currency);
  if (shipping === null) problems.shipping = "Enter an amount like 4.90.";
  else if (shipping > order.shipping_left_minor) problems.shipping = "That is more than is left of the shipping.";
  const amount = amountOf(draft.amount, order.currency);
  if (amount === null) problems.amount = "Enter an amount like 5.00.";
  else if (amount > order.left_minor) problems.amount = "That is more than is left of this order.";
  if (Object.keys(problems).length) return problems;
  return { lines, shipping_minor: shipping ?? 0, amount_minor: amount ?? 0, everything: false };
}

export function isWish(found: RefundWish | Problems): found is RefundWish {
  return "everything" in found;
}

/** Whether it asks for anything at all. */
export function asksNothing(wish: RefundWish): boolean {
  return !wish.everything && !wish.lines.length && !wish.shipping_minor && !wish.amount_minor;
}

function amountOf(typed: string, currency: string): number | null {
  return typed.trim() ? minorOf(typed, currency) : 0;
}
