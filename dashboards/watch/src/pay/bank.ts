/** The bank's question: by a redirect, or in a dialog of ours that a gateway draws into. */

import { BANK_CLOSED, BANK_MS, NO_BANK, PaymentProblem, SLOW_BANK, within } from "./problem";
import type { PaymentAction } from "./widget";

/** What needs no script: a redirect, or ("return") only that the buyer is here now. Null for the rest. */
export function withoutScript(action: PaymentAction): Promise<Record<string, string>> | null {
  if (action.kind === "redirect") return leaveFor(action.url);
  return action.kind === "return" ? Promise.resolve({}) : null;
}

/** Leaves the page for the bank's; nothing comes after. */
export function leaveFor(url: string | null, go = (to: string) => location.assign(to)): Promise<never> {
  // Only pages: an address that runs something here is none of a bank's.
  if (!url || !/^https?:$/.test(new URL(url, location.href).protocol)) throw new PaymentProblem(NO_BANK);
  go(url);
  return new Promise<never>(() => undefined);
}

/** `ask` draws the bank's page into the element and tells what it brings. The buyer may close it. */
export async function inDialog<T>(ask: (into: HTMLElement) => Promise<T>, ms = BANK_MS): Promise<T> {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "pay-bank-title");
  Object.assign(dialog.style, { maxWidth: "96vw", width: "34rem", border: "0", borderRadius: "12px" });
  const title = document.createElement("h2");
  title.id = "pay-bank-title";
  title.textContent = "Your bank wants to confirm this payment";
  const into = document.createElement("div");
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Cancel this payment";
  Object.assign(close.style, { minHeight: "2.75rem", padding: "0 1rem", font: "inherit" }); // a thumb has to hit it
  const left = new Promise<never>((_, reject) => {
    const leave = () => reject(new PaymentProblem(BANK_CLOSED));
    close.addEventListener("click", leave);
    dialog.addEventListener("cancel", leave);
  });
  dialog.append(title, into, close);
  document.body.append(dialog);
  dialog.showModal();
  try {
    return await within(ms, SLOW_BANK, Promise.race([ask(into), left]));
  } finally {
    dialog.remove();
  }
}
