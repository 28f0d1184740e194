/** Where in the show the picture is, with the chapters on the way. */

import type { Chapter } from "@simulcast/api";
import { html, nothing, svg } from "lit";
import { chapterAt } from "../chapters";
import { clock, spokenClock } from "../timeline";
import type { Doings } from "./view";

/** The drawing is this wide, whatever the bar is. */
const WIDTH = 1000;

/** While the viewer drags, ticks do not move the handle: the element keeps where it is in `at`. */
export function seekBar(
  { from, to, at }: { from: number; to: number; at: number },
  chapters: readonly Chapter[],
  { seek }: Doings,
) {
  const x = (seconds: number) => (WIDTH * (Math.min(to, Math.max(from, seconds)) - from)) / (to - from);
  const chapter = chapterAt(chapters, at);
  const value = (event: Event) => Number((event.target as HTMLInputElement).value);
  return html`<div class="seek">
    <svg class="track" viewBox="0 0 ${WIDTH} 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rail" width=${WIDTH} height="8"></rect>
      <rect class="done" width=${x(at)} height="8"></rect>
      ${chapters.map(({ begins_at }) => svg`<rect class="tick" x=${x(begins_at)} width="3" height="8"></rect>`)}
    </svg>
    <input
      type="range"
      step="1"
      min=${Math.floor(from)}
      max=${Math.ceil(to)}
      .value=${String(Math.round(at))}
      aria-label="Place in the show"
      aria-valuetext="${spokenClock(at)} of ${spokenClock(to)}${chapter ? `, ${chapter.title}` : ""}"
      @change=${(event: Event) => seek(value(event))}
    />
    <span class="time"
      >${clock(at)} / ${clock(to)}${chapter ? html`<span class="chapter"> · ${chapter.title}</span>` : nothing}</span
    >
  </div>`;
}
