/** Draws an element again as the server's seconds pass, so that a countdown never skips or lags one. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

/** A little after the full second: rounding must not show the old one once more. */
const AFTER_MS = 15;

export class Ticker implements ReactiveController {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: ReactiveControllerHost,
    /** Server time in ms. */
    private readonly now: () => number,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.wait();
  }

  hostDisconnected(): void {
    clearTimeout(this.timer);
  }

  private wait(): void {
    this.timer = setTimeout(
      () => {
        this.host.requestUpdate();
        this.wait();
      },
      1_000 - (this.now() % 1_000) + AFTER_MS,
    );
  }
}
