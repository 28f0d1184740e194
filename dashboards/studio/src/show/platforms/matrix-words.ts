/** What works on which platform, and why not, in a producer's words. Pure. */

import type { Connector, Target } from "@simulcast/api";
import { platformName } from "../../parts/words";

/** One cell: it works, or why it does not; empty where the platform is simply not made for it. */
export interface Cell {
  works: boolean;
  why: string;
}

export interface Row {
  title: string;
  /** One for each target, in their order. */
  cells: Cell[];
}

const ABILITIES: [title: string, ability: string][] = [
  ["Announced ahead of the show", "planner"],
  ["Title and texts from here", "metadata"],
  ["Viewers counted", "audience"],
  ["Tells how it likes the picture", "health"],
  ["Chat read here", "chat_source"],
  ["Write in the chat", "chat_sink"],
  ["Answer one person", "replier"],
  ["Answer where nobody else reads it", "private_replier"],
  ["Announce in the chat", "announcer"],
  ["Delete a message", "moderation.delete"],
  ["Hide a message", "moderation.hide"],
  ["Time somebody out", "moderation.timeout"],
  ["Ban somebody", "moderation.ban"],
  ["Orders come in", "order_source"],
  ["Stock is kept right", "stock_sink"],
];

/** The whole table for a show's targets. A connector that is not known yet has nothing to say. */
export function matrixOf(targets: Target[], connectors: Connector[]): Row[] {
  const known = new Map(connectors.map((one) => [one.name, one]));
  const shown = targets.map((target) => known.get(target.connector));
  const cells = (cell: (connector: Connector) => Cell) =>
    shown.map((connector) => (connector ? cell(connector) : { works: false, why: "" }));
  return [
    { title: "Starts by itself", cells: cells(({ limits }) => duty(limits.before_start)) },
    { title: "Ends by itself", cells: cells(({ limits }) => duty(limits.after_end)) },
    ...ABILITIES.map(([title, name]) => ({ title, cells: cells((connector) => ability(connector, name)) })),
  ];
}

function duty(todo: string | null): Cell {
  return todo ? { works: false, why: todo } : { works: true, why: "" };
}

function ability(connector: Connector, name: string): Cell {
  const found = connector.matrix.find((one) => one.name === name);
  return found?.present ? { works: true, why: "" } : { works: false, why: found?.gap ?? "" };
}

/** Columns are narrow: the platform's name is enough where no other target is on it. */
export function columnNames(targets: Target[]): string[] {
  const platforms = targets.map((target) => platformName(target.platform || target.connector));
  const alone = (name: string) => platforms.indexOf(name) === platforms.lastIndexOf(name);
  return targets.map((target, index) => {
    const platform = platforms[index] ?? "";
    return alone(platform) ? platform : target.name;
  });
}

/** What needs no table: works on every target, or on none and nobody would miss it. */
export function everywhere(rows: Row[]): string[] {
  return rows.filter(({ cells }) => cells.every(({ works }) => works)).map(({ title }) => title);
}

export function nowhere(rows: Row[]): string[] {
  return rows.filter(({ cells }) => cells.every(({ works, why }) => !works && !why)).map(({ title }) => title);
}

/** Each reason once, with whom it concerns: "Twitch, TikTok". */
export function reasons(row: Row, names: string[]): { who: string; why: string }[] {
  const found = new Map<string, string[]>();
  row.cells.forEach(({ why }, index) => {
    if (why) found.set(why, [...(found.get(why) ?? []), names[index] ?? ""]);
  });
  return [...found].map(([why, who]) => ({ who: who.join(", "), why }));
}
