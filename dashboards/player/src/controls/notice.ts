/** What stands over the picture: the state in words, and the one thing to do about it. */

import { html, nothing } from "lit";
import type { Message } from "../words";
import * as icons from "./icons";
import type { Doings, View } from "./view";

/** `count` runs down to the start; "" when it is too far away. Screen readers hear the state elsewhere. */
export function notice(view: View, words: Message | null, count: string, replay: boolean, doings: Doings) {
  if (!words) return nothing;
  const busy = view.state === "loading" || view.state === "stalled" || view.state === "waiting";
  return html`<div class="notice">
    ${busy ? html`<div class="spinner" aria-hidden="true"></div>` : nothing}
    <div class="words" aria-hidden="true">
      <strong>${words.title}</strong>
      ${count ? html`<span class="count">${count}</span>` : nothing}
      ${words.detail ? html`<span>${words.detail}</span>` : nothing}
    </div>
    ${deed(view, replay, doings)}
  </div>`;
}

function deed({ state }: View, replay: boolean, doings: Doings) {
  if (state === "ended" && replay) {
    return html`<button class="deed" @click=${doings.replay}>${icons.again} Watch again</button>`;
  }
  const hopeless = state === "error" || state === "offline" || state === "full";
  return hopeless ? html`<button class="deed" @click=${doings.retry}>Try now</button>` : nothing;
}

/** The large button on the picture: play where nothing plays, sound where a browser allowed none. */
export function bigButton({ state, muted, mini }: View, silenced: boolean, doings: Doings) {
  if (state === "paused") {
    return html`<button class="big" @click=${doings.togglePlay}>${icons.play} Play</button>`;
  }
  const playing = state === "live" || state === "replay" || state === "stalled";
  if (!playing || !muted || !silenced || mini) return nothing;
  return html`<button class="big sound" @click=${doings.toggleSound}>${icons.muted} Tap for sound</button>`;
}
