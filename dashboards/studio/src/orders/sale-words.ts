/** Orders, returns and refunds in words. Pure. */

import {
  type BuyerRights,
  formatMoney,
  type GivenRefund,
  type OrderDetail,
  type Return,
  type Returner,
  type ReturnKind,
  type ReturnState,
} from "@simulcast/api";
import { share } from "../parts/amounts";
import { dateTime, plural, type Tone } from "../parts/words";

interface Word {
  label: string;
  tone: Tone;
}

export const RETURN_STATES: Record<ReturnState, Word> = {
  asked: { label: "Waits for you", tone: "warn" },
  approved: { label: "On its way back", tone: "busy" },
  received: { label: "Arrived", tone: "busy" },
  refunded: { label: "Money is back", tone: "good" },
  rejected: { label: "Rejected", tone: "bad" },
  closed: { label: "Closed", tone: "quiet" },
};

export const RETURN_KINDS: Record<ReturnKind, string> = {
  cancel: "Cancel",
  withdrawal: "Withdrawal (legal right)",
  return: "Return",
};

export const REFUND_STATES: Record<GivenRefund["state"], Word> = {
  queued: { label: "On its way", tone: "busy" },
  sent: { label: "On its way", tone: "busy" },
  done: { label: "Given back", tone: "good" },
  failed: { label: "Did not go back", tone: "bad" },
};

/** What a payment's state means to a person. */
const PAYMENT_WORDS: Record<string, string> = {
  queued: "waiting",
  authorising: "being confirmed",
  action_required: "waits for the buyer's bank",
  authorised: "set aside, not taken yet",
  capturing: "being taken",
  captured: "taken",
  capture_failed: "could not be taken",
  declined: "declined",
  voiding: "being set free",
  voided: "set free",
  refunded: "given back",
};

export function paymentWords(state: string): string {
  return PAYMENT_WORDS[state] ?? state.replaceAll("_", " ");
}

/** What the buyer may still do, as sentences. */
export function rightsWords(rights: BuyerRights, now: number): string[] {
  const said: string[] = [];
  if (rights.can_cancel) said.push(`The buyer can cancel with one tap until ${dateTime(rights.cancel_until)}.`);
  if (rights.withdrawal && rights.can_withdraw) {
    const counted =
      rights.withdrawal.counted_from === "delivery"
        ? "counted from the delivery"
        : "no delivery is noted, so the longest stated delivery time is counted";
    said.push(`They can withdraw by law until the end of ${dayOf(rights.withdrawal.last_day)} (${counted}).`);
  } else if (rights.withdrawal && Date.parse(rights.withdrawal.until) <= now) {
    said.push(`The legal time to withdraw ended with ${dayOf(rights.withdrawal.last_day)}.`);
  } else if (!rights.withdrawal) {
    said.push("The law of the buyer's country gives no right to withdraw.");
  }
  if (rights.can_return) said.push(`They can ask for a return until the end of ${dayOf(rights.returns.last_day)}.`);
  return said;
}

/** "8 Dec 2026" for a calendar day, whatever the reader's zone. */
export function dayOf(day: string, locale?: string): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  return format.format(new Date(`${day}T00:00:00Z`));
}

/** "3 of 7 pieces came back (42.8 %), in 2 of 4 orders." */
export function returnerWords(one: Returner): string {
  return (
    `${one.returned} of ${plural(one.pieces, "piece")} came back (${share(one.returned, one.pieces)}), ` +
    `in ${one.orders_returned} of ${plural(one.orders, "order")}.`
  );
}

/** Why a customer is marked, with the thresholds. */
export function markWords(one: Returner): string {
  return (
    `From ${plural(one.threshold_orders, "order")} and ${one.threshold_percent} % returned on, customers are ` +
    "marked. It is for you to know; nothing is refused by it."
  );
}

/** What can be done to a return next. */
export function stepsOf({ state, kind, refund_state }: Return) {
  const waits = state === "asked";
  const open = waits || state === "approved";
  return {
    approve: waits,
    reject: (open || state === "received") && kind !== "withdrawal",
    receive: open,
    refund:
      (state === "received" || (state === "approved" && kind === "withdrawal")) &&
      (refund_state === null || refund_state === "failed"),
    close: open,
  };
}

/** The order's sums, in the order in which they are read. */
export function sumsOf(order: OrderDetail): { title: string; value: string }[] {
  const money = (minor: number) => formatMoney(minor, order.currency);
  const rows = [{ title: "Goods", value: money(order.subtotal_minor) }];
  if (order.discount_minor) rows.push({ title: "Discount", value: money(-order.discount_minor) });
  const shipping = order.shipping_method ? `Shipping (${order.shipping_method})` : "Shipping";
  if (order.shipping_minor || order.shipping_method) {
    rows.push({ title: shipping, value: money(order.shipping_minor) });
  }
  if (order.tax_minor) {
    rows.push({ title: order.prices_include_tax ? "Tax included" : "Tax", value: money(order.tax_minor) });
  }
  rows.push({ title: "Total", value: money(order.total_minor) });
  if (order.refunded_minor) rows.push({ title: "Given back", value: money(order.refunded_minor) });
  return rows;
}
