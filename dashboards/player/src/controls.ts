/** The player's buttons, drawn over the picture. */

import { html, nothing } from "lit";
import * as icons from "./icons";
import { delayLabel, type PlayerState } from "./words";

export interface Controls {
  state: PlayerState;
  muted: boolean;
  /** 0 to 1. */
  volume: number;
  /** Seconds behind live, or null when it is not known. */
  delay: number | null;
  togglePlay: () => void;
  toggleSound: () => void;
  toggleFull: () => void;
  setVolume: (volume: number) => void;
}

export function controls(at: Controls) {
  const { state, muted, delay, togglePlay, toggleSound, toggleFull } = at;
  const paused = state === "paused";
  return html`
    ${paused
      ? html`<button class="big" @click=${togglePlay}>${icons.play} Play</button>`
      : muted && (state === "live" || state === "stalled")
        ? html`<button class="big sound" @click=${toggleSound}>${icons.muted} Turn on sound</button>`
        : nothing}
    <div class="bar">
      <button aria-label=${paused ? "Play live" : "Pause"} aria-keyshortcuts="k" @click=${togglePlay}>
        ${paused ? icons.play : icons.pause}
      </button>
      <button aria-label=${muted ? "Unmute" : "Mute"} aria-keyshortcuts="m" @click=${toggleSound}>
        ${muted ? icons.muted : icons.loud}
      </button>
      ${slider(at)}
      <button aria-label="Full screen" aria-keyshortcuts="f" @click=${toggleFull}>${icons.full}</button>
      ${delay === null ? nothing : html`<span class="delay">${delayLabel(delay)}</span>`}
    </div>
  `;
}

/** Phones have keys for this, and most do not let a page set the volume. */
function slider({ muted, volume, setVolume }: Controls) {
  return html`<input
    class="volume"
    type="range"
    min="0"
    max="100"
    step="5"
    aria-label="Volume"
    .value=${String(muted ? 0 : Math.round(volume * 100))}
    @input=${(event: Event) => setVolume(Number((event.target as HTMLInputElement).value) / 100)}
  />`;
}
