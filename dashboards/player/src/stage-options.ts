/** What a stage is given: the screen, and who hears of what happens on it. */

import type { Counters } from "./beacons";
import type { Failure, Transport } from "./sources/source";

export interface StageOptions {
  video: HTMLVideoElement;
  counters: Counters;
  /** The server's clock in ms. */
  now: () => number;
  /** Another state, failure, transport or rung. */
  onChange: () => void;
  /** About five times a second while something plays. */
  onTick: () => void;
  onTrouble: (failure: Failure, transport: Transport) => void;
  /** The token is not taken any more. */
  onRefused: () => void;
}
