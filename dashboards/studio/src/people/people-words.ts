/** Plain words for who somebody is and what they did. Pure. */

import {
  formatMoney,
  type PersonChange,
  type PersonMoment,
  type PersonMoves,
  type PersonNode,
  type PersonRow,
} from "@simulcast/api";
import { platformName, plural, sentence, type Tone } from "../parts/words";

export const NOBODY = "Name not known";

/** "2 orders · €98.00 · Shopify, Watch page". */
export function bought(row: PersonRow): string {
  const sums = row.revenue.map((sum) => formatMoney(sum.minor, sum.currency)).join(" + ");
  const where = row.channels.map(platformName).join(", ");
  return [plural(row.orders, "order"), sums, where].filter(Boolean).join(" · ");
}

/** "87 % sure". */
export function sure(confidence: string): string {
  return `${Math.round(Number(confidence) * 100)} % sure`;
}

const NODE_KINDS: Record<PersonNode["kind"], string> = {
  email: "E-mail",
  phone: "Phone",
  platform_user: "Account",
  visitor: "Browser",
  account: "Account with you",
  payment: "Card",
};

/** "E-mail ana@example.com". */
export function handle(node: PersonNode): string {
  if (node.kind === "visitor" || node.kind === "payment") return NODE_KINDS[node.kind];
  if (node.kind === "platform_user") {
    // "shopify:gid://shopify/Customer/73": what a person can find there again is the number.
    const user = (node.value ?? node.hint).replace(/^[^: ]*[: ]/, "").replace(/^gid:.*\//, "");
    return `${platformName(node.source)} account ${user}`;
  }
  return `${NODE_KINDS[node.kind]} ${node.value ?? node.hint}`.trim();
}

/** What there is to say of a handle beside its value. */
export function handleState(node: PersonNode): { label: string; tone: Tone } | null {
  if (node.state === "shared") return { label: "Used by several people", tone: "warn" };
  if (node.state === "ignored") return { label: "Nobody's own", tone: "quiet" };
  if (node.verified_at) return { label: "Signed in with it", tone: "good" };
  if (!node.met) return { label: "Only mentioned", tone: "quiet" };
  return null;
}

const CHANGES: Record<PersonChange["kind"], string> = {
  merged: "Joined with another person",
  confirmed: "Joined with another person",
  split: "Something was split off",
  dismissed: "Kept apart from another person",
  quarantined: "A shared handle was taken out",
  undone: "Taken back",
};

export function changed(change: PersonChange): string {
  return CHANGES[change.kind];
}

/** "2 orders, 1 visit and 1 sign-in go along". */
export function movesAlong(moves: PersonMoves): string {
  const parts = [
    moves.orders && plural(moves.orders, "order"),
    moves.visits && plural(moves.visits, "visit"),
    moves.sign_ins && plural(moves.sign_ins, "sign-in"),
    moves.cards && plural(moves.cards, "saved card"),
    moves.passkeys && plural(moves.passkeys, "passkey"),
  ].filter((part): part is string => Boolean(part));
  if (!parts.length) return "Nothing they did goes along.";
  const last = parts.pop() ?? "";
  return `${parts.length ? `${parts.join(", ")} and ${last}` : last} would go along.`;
}

/** One line of what a person did. */
export function did(moment: PersonMoment): string {
  const { facts } = moment;
  const said = (name: string) => String(facts[name] ?? "");
  /** Moderators and viewers are told no amounts. */
  const money = facts.minor === undefined ? "" : formatMoney(Number(facts.minor), said("currency"));
  switch (moment.kind) {
    case "message":
      return `Wrote on ${platformName(said("platform"))}: “${said("text")}”${facts.deleted ? " (taken down)" : ""}`;
    case "chat":
      return `Was in the chat on ${platformName(said("source"))}`;
    case "hold":
      return `Reserved ${said("quantity")} × ${said("product")} (${HOLDS[said("state")] ?? said("state")})`;
    case "claim":
      return `Claimed on ${platformName(said("platform"))}: “${said("text")}”`;
    case "order":
      return `Ordered ${said("number")} on ${platformName(said("channel"))}${money && `: ${money}`} (${said("state").replaceAll("_", " ")})`;
    case "refund":
      return `${money || "Money"} given back for ${said("number")}${facts.state === "done" ? "" : " (under way)"}`;
    case "consent":
      return `${facts.granted ? "Agreed to" : "Said no to"} ${PURPOSES[said("purpose")] ?? said("purpose")}`;
    case "change":
      return said("why");
    case "sign_in":
      return facts.by === "passkey" ? "Signed in with a passkey" : "Signed in with a code by mail";
    default:
      return came(moment);
  }
}

function came({ kind, facts }: PersonMoment): string {
  const source = facts.source ? `${String(facts.source)}${facts.campaign ? `, ${String(facts.campaign)}` : ""}` : "";
  const what = kind === "visit" ? "Came" : sentence(`by ${kind}`);
  return source ? `${what} from ${source}` : `${what} by themselves`;
}

const HOLDS: Record<string, string> = {
  held: "still held",
  committed: "bought",
  released: "let go of",
  expired: "ran out",
};
const PURPOSES: Record<string, string> = {
  analytics: "being counted",
  ads: "advertising",
  email: "mail from you",
};
