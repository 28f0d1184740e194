/** A show's own source in plain words. Pure. */

import type { Feed, SourceKind } from "@simulcast/api";
import { plural } from "../../parts/words";

export interface Choice {
  value: SourceKind | "none";
  title: string;
  /** Of the field for addresses, where there is one. */
  label?: string;
  help: string;
}

const FOLDER = "The name it has in the folder “media” of the media server's data, for example intro.mp4.";

export const SOURCE_KINDS: Choice[] = [
  { value: "none", title: "Nothing: only encoders send", help: "" },
  { value: "pattern", title: "A test pattern with a clock", help: "" },
  {
    value: "pull",
    title: "A stream from an address",
    label: "Address",
    help: "Of a camera or another stream: rtsp://, rtmp://, srt:// or https://…",
  },
  { value: "file", title: "One video file", label: "File", help: FOLDER },
  { value: "playlist", title: "Several video files in turn", label: "Files, one on each line", help: FOLDER },
];

/** What plays now when no encoder sends. */
export function sourceLine(source: Feed["source"]): string {
  const first = "An encoder that sends always goes before it.";
  switch (source?.kind) {
    case "pattern":
      return `Set: the test pattern. ${first}`;
    case "pull":
      return `Set: a stream from an address. ${first}`;
    case "file":
      return `Set: one video file${source.loop ? ", again and again" : ", once"}. ${first}`;
    case "playlist":
      return `Set: ${plural(source.count, "video file")} in turn${source.loop ? ", again and again" : ", once"}. ${first}`;
    default:
      return "For channels that run day and night: something that plays whenever no encoder sends.";
  }
}

export function addressesOf(kind: SourceKind | "none", text: string): string[] {
  if (kind === "none" || kind === "pattern") return [];
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

/** What is missing or wrong, if anything. */
export function sourceProblem(kind: SourceKind | "none", text: string, source: Feed["source"]): string | undefined {
  const addresses = addressesOf(kind, text);
  if (kind === "none" || kind === "pattern") return undefined;
  if (!addresses.length) {
    if (source?.kind === kind) return undefined;
    return kind === "pull" ? "Enter the address of the stream." : "Enter the name of a file.";
  }
  if (kind === "pull" && !/^(rtmps?|srt|https?|rtsps?|rtp|udp):\/\/\S+$/i.test(addresses[0] ?? "")) {
    return "This is no address that can be pulled. It begins with rtsp://, rtmp://, srt:// or https://.";
  }
  return undefined;
}
