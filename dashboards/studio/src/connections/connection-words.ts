/** Connections in words. */

import type { Connection } from "@simulcast/api";
import type { Tone } from "../parts/words";

const ABILITIES: [string, string][] = [
  ["destination", "shows the video"],
  ["chat_source", "chat is read"],
  ["chat_sink", "chat can be answered"],
  ["order_source", "orders come in"],
  ["stock_sink", "stock is kept in step"],
  ["payments", "takes payments"],
  ["delivery", "delivers the player through its CDN"],
];

/** "Shows the video, chat is read." */
export function abilities(capabilities: string[]): string {
  const words = ABILITIES.filter(([name]) => capabilities.includes(name)).map(([, text]) => text);
  const line = words.join(", ");
  return line && `${line.charAt(0).toUpperCase()}${line.slice(1)}.`;
}

export function stateOf(connection: Connection): { label: string; tone: Tone } {
  switch (connection.state) {
    case "ok":
      return { label: "Linked", tone: "good" };
    case "reconnect":
      return { label: "Link again", tone: "bad" };
    case "off":
      return { label: "Unlinked", tone: "quiet" };
  }
}
