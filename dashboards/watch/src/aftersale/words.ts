/** What a buyer may do with their order, in words. Pure. */

import { type BuyerRights, type Deadline, formatMoney, type MyOrder, type Withdrawal } from "@simulcast/api";

/** "24 Nov 2026, 18:30" where the buyer is. */
export function moment(iso: string, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** "8 December 2026" for a calendar day, whatever zone the reader is in. */
export function day(date: string, locale?: string): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });
  return format.format(new Date(`${date}T00:00:00Z`));
}

/** Until when, and what it is counted from. */
export function untilWords(deadline: Deadline, locale?: string): string {
  const until = `until the end of ${day(deadline.last_day, locale)}`;
  if (deadline.counted_from === "delivery") return until;
  return `${until} (no delivery is noted yet, so the longest stated delivery time is counted)`;
}

export function cancelWords(rights: BuyerRights, locale?: string): string {
  return (
    `Until ${moment(rights.cancel_until, locale)} you can cancel with one tap, at no cost. ` +
    "All you paid goes back to you."
  );
}

export function refundWords({ refund_minor, currency }: Withdrawal, locale?: string): string {
  if (!refund_minor) return "Nothing was charged, so nothing has to go back.";
  return `You get back ${formatMoney(refund_minor, currency, locale)} within 14 days, the way you paid.`;
}

const KINDS = { cancel: "Cancelled", withdrawal: "Withdrawal", return: "Return" };
const STATES = {
  asked: "the shop will answer",
  approved: "please send the goods back",
  received: "the shop has the goods",
  refunded: "your money is on its way",
  rejected: "the shop can't take it back",
  closed: "closed",
};

export function returnWords({ kind, state, number, answer }: MyOrder["returns"][number]): string {
  const stands = kind === "cancel" ? "at no cost to you" : STATES[state];
  const said = answer && state === "rejected" ? `: ${answer}` : "";
  return `${KINDS[kind]} ${number}: ${stands}${said}.`;
}

/** Pieces of each line as chosen in a form; lines of which nothing is chosen are left out. */
export function chosenIn(form: HTMLFormElement, order: MyOrder): { line_id: string; quantity: number }[] {
  const typed = new FormData(form);
  return order.lines.flatMap(({ id, returnable }) => {
    const quantity = Math.min(Number(typed.get(`line:${id}`) ?? 0), returnable);
    return quantity > 0 ? [{ line_id: id, quantity }] : [];
  });
}

/** Whether all that can go back is chosen. */
export function all(chosen: { quantity: number }[], order: MyOrder): boolean {
  const sum = (of: number[]) => of.reduce((a, b) => a + b, 0);
  return sum(chosen.map(({ quantity }) => quantity)) === sum(order.lines.map(({ returnable }) => returnable));
}

/** 128 random bits; crypto.randomUUID exists on https pages only. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
