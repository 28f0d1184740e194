/** What the player tells the page around it. Every event bubbles, and says when in the show it happened. */

import type { Quality } from "./quality";
import type { Transport } from "./sources/source";
import type { PlayerState } from "./states";

interface InShow {
  /** Seconds since the programme began, of the picture on the screen; null while there is none. */
  showTime: number | null;
}

export interface PlayerEvents {
  /** `reason` is a sentence where there is one. */
  "simulcast-state": InShow & { state: PlayerState; reason: string };
  /** Once a second while it plays. `latency`: seconds behind live; `duration`: of the show so far, in seconds. */
  "simulcast-time": InShow & { latency: number | null; live: boolean; duration: number | null };
  /** What plays and what was chosen. `height` is null while it is not known. */
  "simulcast-quality": InShow & { height: number | null; chosen: Quality; transport: Transport | null };
  /** A moment of the show: its picture is on the screen now. `begins` and `ends` are in show time. */
  "simulcast-cue": InShow & {
    id: string;
    kind: string;
    title: string;
    reference: string;
    begins: number | null;
    ends: number | null;
  };
  /** Something failed. The player goes on by itself; `code` is a transport and what befell it: "whep_refused". */
  "simulcast-error": InShow & { code: string; detail: string };
  /** Of the video, in px. */
  "simulcast-size": InShow & { width: number; height: number };
  "simulcast-sound": InShow & { muted: boolean; volume: number };
  /** The viewer went to another place of the show: to `showTime`, or back to the live edge. */
  "simulcast-seek": InShow & { live: boolean };
}

export type PlayerEvent = keyof PlayerEvents;

/** An event's own part: show time is added where it is sent. */
export type Said<K extends PlayerEvent> = Omit<PlayerEvents[K], "showTime">;

export type Tell = <K extends PlayerEvent>(name: K, detail: Said<K>) => void;
