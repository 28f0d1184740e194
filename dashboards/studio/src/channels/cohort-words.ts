/** Cohorts in words, and what a builder's rows come to. Pure. */

import type { CohortDefinition, CohortLeaf, CohortNode } from "@simulcast/api";
import { platformName } from "../parts/words";
import { BY, OFFER_KINDS } from "./figure-words";

/** One row of the builder. */
export interface Row {
  leaf: CohortLeaf;
  not: boolean;
}

export interface Draft {
  /** Whether all rows must fit, or one is enough. */
  join: "all" | "any";
  rows: Row[];
}

export const LEAVES: { value: CohortLeaf["kind"]; title: string; fresh: CohortLeaf }[] = [
  {
    value: "chatted",
    title: "Wrote in the chat",
    fresh: { kind: "chatted", questions: true, first_minutes: 10, platform: null },
  },
  { value: "came_from", title: "Came from", fresh: { kind: "came_from", by: "source", value: "" } },
  { value: "watched", title: "Watched for", fresh: { kind: "watched", minutes: 5 } },
  { value: "viewed", title: "Looked at a product", fresh: { kind: "viewed", product_id: "" } },
  { value: "held_not_bought", title: "Reserved, did not buy", fresh: { kind: "held_not_bought" } },
  { value: "bought", title: "Bought", fresh: { kind: "bought", channel: null, offer_kind: null } },
  { value: "bought_again", title: "Bought again", fresh: { kind: "bought_again", days: 90 } },
  { value: "member", title: "Is a member", fresh: { kind: "member" } },
];

/** Early askers may buy more than others: the question this page was made for. */
export const FIRST_DRAFT: Draft = {
  join: "all",
  rows: [{ leaf: { kind: "chatted", questions: true, first_minutes: 10, platform: null }, not: false }],
};

export function definitionOf({ join, rows }: Draft): CohortDefinition {
  const nodes: CohortNode[] = rows.map(({ leaf, not }) => (not ? { kind: "not", of: leaf } : leaf));
  const [only] = nodes;
  if (only && nodes.length === 1) return { v: 1, where: only };
  return { v: 1, where: join === "all" ? { kind: "all", of: nodes } : { kind: "any", of: nodes } };
}

/** What is still missing before it can be asked; empty when nothing is. */
export function missing({ rows }: Draft): string {
  if (rows.length === 0) return "Add a condition.";
  for (const { leaf } of rows) {
    if (leaf.kind === "came_from" && !leaf.value.trim()) return "Say where they came from, such as youtube.";
    if (leaf.kind === "viewed" && !leaf.product_id) return "Choose the product.";
    if (leaf.kind === "watched" && !(leaf.minutes >= 1)) return "Say for how many minutes.";
    if (leaf.kind === "bought_again" && !(leaf.days >= 1)) return "Say within how many days.";
  }
  return "";
}

/** The builder's rows of a definition; null where it was nested deeper than the builder shows. */
export function draftOf({ where }: CohortDefinition): Draft | null {
  const nodes = where.kind === "all" || where.kind === "any" ? where.of : [where];
  const rows = nodes.map(rowOf);
  if (rows.some((row) => row === null)) return null;
  return { join: where.kind === "any" ? "any" : "all", rows: rows as Row[] };
}

function rowOf(node: CohortNode): Row | null {
  if (node.kind === "all" || node.kind === "any") return null;
  if (node.kind !== "not") return { leaf: node, not: false };
  const { of } = node;
  return of.kind === "all" || of.kind === "any" || of.kind === "not" ? null : { leaf: of, not: true };
}

/** A definition as a sentence part: "asked a question in the first 10 minutes and not: bought". */
export function cohortWords(node: CohortNode): string {
  if (node.kind === "not") return `not: ${cohortWords(node.of)}`;
  if (node.kind === "all" || node.kind === "any") {
    return node.of.map(cohortWords).join(node.kind === "all" ? " and " : " or ");
  }
  return leafWords(node);
}

function leafWords(leaf: CohortLeaf): string {
  switch (leaf.kind) {
    case "chatted": {
      const what = leaf.questions ? "asked a question" : "wrote in the chat";
      const where = leaf.platform ? ` on ${platformName(leaf.platform)}` : "";
      return `${what}${where}${leaf.first_minutes ? ` in the first ${leaf.first_minutes} minutes` : ""}`;
    }
    case "came_from":
      return `came from ${BY.find((by) => by.value === leaf.by)?.title.toLowerCase()} ${leaf.value}`;
    case "watched":
      return `watched at least ${leaf.minutes} minutes`;
    case "viewed":
      return "looked at a product";
    case "held_not_bought":
      return "reserved and did not buy";
    case "bought": {
      const where = leaf.channel ? ` in ${platformName(leaf.channel)}` : "";
      return `bought${where}${leaf.offer_kind ? ` in an offer (${OFFER_KINDS[leaf.offer_kind] ?? leaf.offer_kind})` : ""}`;
    }
    case "bought_again":
      return `bought again within ${leaf.days} days`;
    case "member":
      return "is a member";
  }
}
