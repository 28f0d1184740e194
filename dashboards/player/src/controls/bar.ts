/** The buttons under the picture. */

import { html, nothing } from "lit";
import { delayLabel } from "../words";
import * as icons from "./icons";
import { seekBar } from "./seek";
import type { Doings, View } from "./view";

export function bar(view: View, doings: Doings) {
  const still = view.state === "live" || view.state === "replay" || view.state === "paused";
  return html`<div class="bar">
    ${view.seek && still ? seekBar(view.seek, view.chapters, doings) : nothing}
    <div class="row">${playButton(view, doings)} ${sound(view, doings)} ${edge(view, doings)} ${extras(view, doings)}</div>
  </div>`;
}

function playButton({ going }: View, { togglePlay }: Doings) {
  return html`<button aria-label=${going ? "Pause" : "Play"} aria-keyshortcuts="k" @click=${togglePlay}>
    ${going ? icons.pause : icons.play}
  </button>`;
}

/** Phones have keys for the volume, and most do not let a page set it. */
function sound({ muted, volume }: View, { toggleSound, setVolume }: Doings) {
  return html`<button aria-label=${muted ? "Unmute" : "Mute"} aria-keyshortcuts="m" @click=${toggleSound}>
      ${muted ? icons.muted : icons.loud}
    </button>
    <input
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

/** The way back to the live edge, and how far behind it the picture is. */
function edge({ live, delay }: View, { toLive }: Doings) {
  if (live === null) return html`<span class="gap"></span>`;
  return html`<button
      class="edge"
      data-live=${live}
      aria-label=${live ? "Live: this is the newest picture" : "Go live: to the newest picture"}
      aria-keyshortcuts="l"
      @click=${toLive}
    >
      <span class="dot"></span>${live ? "Live" : "Go live"}
    </button>
    <span class="delay">${delay === null ? nothing : delayLabel(delay)}</span>`;
}

function extras(view: View, doings: Doings) {
  const { captions, pip, full, menu } = view;
  const choice = view.heights.length > 0 || view.chapters.length > 0;
  return html`
    ${captions === null
      ? nothing
      : html`<button
          aria-label="Captions"
          aria-pressed=${captions}
          aria-keyshortcuts="c"
          @click=${doings.toggleCaptions}
        >
          ${icons.captions}
        </button>`}
    ${choice
      ? html`<button class="settings" aria-label="Settings" aria-expanded=${menu} @click=${doings.toggleMenu}>
          ${icons.settings}
        </button>`
      : nothing}
    ${pip
      ? html`<button class="pip" aria-label="Picture in picture" aria-keyshortcuts="i" @click=${doings.togglePip}>
          ${icons.pip}
        </button>`
      : nothing}
    <button
      aria-label=${full ? "Leave full screen" : "Full screen"}
      aria-keyshortcuts="f"
      @click=${doings.toggleFull}
    >
      ${full ? icons.small : icons.full}
    </button>
  `;
}

/** In the small picture there is room for two buttons, and two more to leave it. */
export function miniBar(view: View, doings: Doings) {
  return html`<div class="bar">
    <div class="row">
      ${playButton(view, doings)}
      <button aria-label=${view.muted ? "Unmute" : "Mute"} @click=${doings.toggleSound}>
        ${view.muted ? icons.muted : icons.loud}
      </button>
      <span class="gap"></span>
      <button aria-label="Back to the player" @click=${doings.leaveMini}>${icons.back}</button>
      <button aria-label="Close the small picture" @click=${doings.closeMini}>${icons.close}</button>
    </div>
  </div>`;
}
