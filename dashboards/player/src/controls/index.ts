/** Everything that can be pressed, over the picture. */

import { html, nothing } from "lit";
import type { PlayerState } from "../states";
import { bar, miniBar } from "./bar";
import { menu } from "./menu";
import { bigButton } from "./notice";
import type { Doings, View } from "./view";

/** Where these words stand over the picture there is nothing to press but what they say. */
const WORDS_ONLY: readonly PlayerState[] = ["ended", "error", "full", "refused", "offline"];

/** `silenced`: the browser allowed no sound; the viewer has not asked for silence. */
export function controls(view: View, silenced: boolean, doings: Doings) {
  const buttons = view.mini ? miniBar : bar;
  return html`
    ${bigButton(view, silenced, doings)} ${WORDS_ONLY.includes(view.state) ? nothing : buttons(view, doings)}
    ${menu(view, doings)}
  `;
}
