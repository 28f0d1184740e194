/** What groups and benefits are called. Pure. */

import type { BuyerGroup, Segment, SegmentRule } from "@simulcast/api";

export const RULES: { value: SegmentRule; title: string; about: string }[] = [
  { value: "members", title: "Members", about: "Everybody who joined you on your own site, from that moment on." },
  {
    value: "migrated",
    title: "Came over from a platform",
    about: "First met on a social platform; later they told you who they are, or bought on your own site.",
  },
  { value: "buyers", title: "Faithful buyers", about: "Everybody with so many paid orders." },
  { value: "cohort", title: "A saved comparison", about: "The people of a comparison that you saved under Channels." },
];

export function ruleWords({ rule, orders }: Segment): string {
  if (rule === "buyers") return `At least ${orders} paid orders`;
  return RULES.find((one) => one.value === rule)?.title ?? rule;
}

const GROUPS = {
  members: ["Members", "Everybody else"],
  migrated: ["Came over from a platform", "Everybody else"],
} as const;

export function groupWords({ what, yes }: BuyerGroup): string {
  return GROUPS[what][yes ? 0 : 1];
}
