/** Defines `<simulcast-player>`; loading this is all that a page needs to do. */

import { SimulcastPlayer } from "./player";

// Set only in the one-file build: there the hub is where the script came from, on whatever page it runs.
const script = document.currentScript as HTMLScriptElement | null;
if (script?.src) SimulcastPlayer.origin = new URL(script.src).origin;

if (!customElements.get("simulcast-player")) customElements.define("simulcast-player", SimulcastPlayer);

export type { PlayerEvent, PlayerEvents } from "./events";
export { SimulcastPlayer } from "./player";
export { type Playback, type Programme, programmeOf } from "./programme";
export type { Quality } from "./quality";
export type { PlayerState } from "./states";
