/** How a show shares out its stock, as a form edits it. Pure. */

import type { StockRules } from "@simulcast/api";
import { countOf } from "../../products/amounts";

export interface StockDraft {
  policy: StockRules["hold_policy"];
  /** Empty: as long as the hub is set up for. */
  seconds: string;
  units: string;
  /** What all buyers behind one address may reserve together; 0 is no limit. */
  network: string;
}

export type StockProblems = Partial<Record<"seconds" | "units" | "network", string>>;

export const POLICIES: { value: StockRules["hold_policy"]; title: string; sentence: string }[] = [
  {
    value: "hold",
    title: "Hold",
    sentence: "Whoever presses Buy has it reserved until their time is over.",
  },
  {
    value: "first_paid",
    title: "First paid",
    sentence: "A press on Buy keeps only the price: whoever comes to pay first gets it.",
  },
  {
    value: "hybrid",
    title: "Hybrid",
    sentence: "Like Hold, but the time gets shorter, down to 20 seconds, while more is wanted than there is.",
  },
];

export function stockDraftOf(rules: StockRules): StockDraft {
  return {
    policy: rules.hold_policy,
    seconds: rules.hold_seconds === null ? "" : String(rules.hold_seconds),
    units: String(rules.units_per_buyer),
    network: String(rules.units_per_network),
  };
}

/** What is another than before. Call it without problems only. */
export function stockChangeOf(draft: StockDraft, before: StockRules): Partial<StockRules> {
  const seconds = draft.seconds.trim() ? Number(draft.seconds) : null;
  const units = Number(draft.units);
  const network = Number(draft.network);
  return {
    ...(draft.policy === before.hold_policy ? {} : { hold_policy: draft.policy }),
    ...(seconds === before.hold_seconds ? {} : { hold_seconds: seconds }),
    ...(units === before.units_per_buyer ? {} : { units_per_buyer: units }),
    ...(network === before.units_per_network ? {} : { units_per_network: network }),
  };
}

export function stockProblems(draft: StockDraft): StockProblems {
  const seconds = draft.seconds.trim() ? countOf(draft.seconds) : 20;
  const units = countOf(draft.units);
  const network = countOf(draft.network);
  return {
    ...(seconds !== null && seconds >= 20 && seconds <= 3_600 ? {} : { seconds: "From 20 to 3600 seconds, or empty." }),
    ...(units !== null && units >= 1 && units <= 100 ? {} : { units: "From 1 to 100." }),
    ...(network !== null && network >= 0 && network <= 10_000 ? {} : { network: "From 0 to 10000; 0 is no limit." }),
  };
}
