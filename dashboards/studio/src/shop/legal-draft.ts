/** Legal details, and the numbers that count after the sale, as a form edits them. Pure. */

import type { AftersaleTerms } from "@simulcast/api";
import { countOf, minorOf, typedOf } from "../products/amounts";
import type { Problems } from "./shop-draft";

type Numbers = "return_days" | "longest_delivery_days" | "returner_orders" | "returner_percent";

/** Everything as it is typed. An empty `high_value_minor`: hosts are never reminded. */
export type LegalDraft = Record<keyof AftersaleTerms, string>;

const BOUNDS: Record<Numbers, [number, number]> = {
  return_days: [0, 365],
  longest_delivery_days: [1, 180],
  returner_orders: [1, 1_000],
  returner_percent: [1, 100],
};
const PREFIX = /^[A-Za-z0-9/_-]{0,20}$/;

export function legalDraftOf(terms: AftersaleTerms, currency: string): LegalDraft {
  const { high_value_minor: high } = terms;
  return {
    ...terms,
    return_days: String(terms.return_days),
    longest_delivery_days: String(terms.longest_delivery_days),
    returner_orders: String(terms.returner_orders),
    returner_percent: String(terms.returner_percent),
    high_value_minor: high === null ? "" : typedOf(high, currency),
  };
}

/** What is sent. Call it without problems only. */
export function legalTermsOf(draft: LegalDraft, currency: string): AftersaleTerms {
  const high = draft.high_value_minor.trim();
  return {
    ...draft,
    return_days: Number(draft.return_days),
    longest_delivery_days: Number(draft.longest_delivery_days),
    returner_orders: Number(draft.returner_orders),
    returner_percent: Number(draft.returner_percent),
    high_value_minor: high ? minorOf(high, currency) : null,
  };
}

export function legalProblems(draft: LegalDraft, currency: string): Problems {
  const problems: Problems = {};
  for (const [name, [least, most]] of Object.entries(BOUNDS) as [Numbers, [number, number]][]) {
    const count = countOf(draft[name]);
    if (count === null || count < least || count > most) {
      problems[name] = `Enter a whole number from ${least} to ${most}.`;
    }
  }
  if (!PREFIX.test(draft.invoice_prefix)) {
    problems.invoice_prefix = "Up to 20 letters, digits, and the signs / _ -";
  }
  if (draft.high_value_minor.trim() && minorOf(draft.high_value_minor, currency) === null) {
    problems.high_value_minor = "Enter an amount like 200.";
  }
  return problems;
}

/** Nothing of what stands on an invoice has been said yet. */
export function saysNothing(terms: AftersaleTerms): boolean {
  return !terms.legal_name && !terms.legal_address && !terms.vat_id;
}
