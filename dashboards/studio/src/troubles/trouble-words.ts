/** Deliveries that were not worked on, in words. Pure. */

import type { Connection } from "@simulcast/api";
import type { DeliveryTrouble } from "@simulcast/api/types";
import { closed, plural } from "../parts/words";

/** What one account could not get through to us. */
export interface Trouble {
  key: string;
  /** Nothing happens until a person asks for it; otherwise it is tried again by itself. */
  parked: boolean;
  account: string;
  title: string;
  /** Each reason once, newest first. */
  reasons: string[];
  ids: string[];
}

/** One trouble per account and kind, those that wait for a person first. */
export function troublesOf(deliveries: DeliveryTrouble[], connections: Connection[]): Trouble[] {
  const groups = new Map<string, DeliveryTrouble[]>();
  for (const one of deliveries) {
    const key = `${one.state} ${one.connection_id}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups]
    .map(([key, group]) => troubleOf(key, group, connections))
    .sort((a, b) => Number(b.parked) - Number(a.parked));
}

function troubleOf(key: string, group: DeliveryTrouble[], connections: Connection[]): Trouble {
  const [first] = group;
  const account = connections.find((one) => one.id === first?.connection_id)?.name ?? "an unlinked account";
  const count = `${plural(group.length, "delivery", "deliveries")} from ${account}`;
  const parked = first?.state === "parked";
  return {
    key,
    parked,
    account,
    title: parked ? `${count} could not be processed.` : `${count} not processed yet.`,
    reasons: [...new Set(group.map((one) => closed(one.error)))],
    ids: group.map((one) => one.id),
  };
}
