/** Quality and chapters. */

import { html, nothing } from "lit";
import { chapterAt } from "../chapters";
import type { Quality } from "../quality";
import { clock } from "../timeline";
import type { Doings, View } from "./view";

export function menu(view: View, doings: Doings) {
  if (!view.menu) return nothing;
  const close = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    doings.toggleMenu();
  };
  return html`<div class="menu" role="dialog" aria-label="Settings" @keydown=${close}>
    ${view.heights.length ? qualities(view, doings) : nothing}
    ${view.chapters.length ? chapters(view, doings) : nothing}
  </div>`;
}

function qualities({ chosen, heights, height }: View, { setQuality }: Doings) {
  const playing = height && chosen === "auto" ? ` (${height}p)` : "";
  const choices: [Quality, string][] = [
    ["auto", `Auto${playing}`],
    ...heights.map((one): [Quality, string] => [one, `${one}p`]),
    ["saver", "Data saver"],
  ];
  return html`<fieldset>
    <legend>Quality</legend>
    ${choices.map(
      ([quality, text]) =>
        html`<label>
          <input
            type="radio"
            name="quality"
            .checked=${quality === chosen}
            @change=${() => setQuality(quality)}
          />${text}
        </label>`,
    )}
  </fieldset>`;
}

function chapters({ chapters: all, seek: place }: View, { seek }: Doings) {
  const now = place && chapterAt(all, place.at);
  return html`<div role="group" aria-label="Chapters">
    <p class="heading" aria-hidden="true">Chapters</p>
    ${all.map(
      (one) =>
        html`<button
          class="chapter"
          aria-current=${one === now ? "true" : nothing}
          ?disabled=${!place}
          @click=${() => seek(one.begins_at)}
        >
          <span class="number">${clock(one.begins_at)}</span>${one.title || one.kind}
        </button>`,
    )}
  </div>`;
}
