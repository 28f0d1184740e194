/** Waiting for what is sold out: who came first is offered the next one that becomes free. */

import type { ViewerApi } from "./viewer";

/** `position` 1 is next. While `offered`, one is reserved until `offered_until`: it is in the cart. */
export interface WaitPlace {
  variant_id: string;
  state: "waiting" | "offered";
  position: number;
  hold_id: string | null;
  offered_until: string | null;
  server_time: string;
}

/** Every method throws `ApiError`. */
export class WaitlistApi {
  constructor(private readonly viewer: ViewerApi) {}

  /** What the viewer waits for, and what is kept for them right now. */
  places = () => this.viewer.ask<WaitPlace[]>("/waitlist", {});

  /** Refused with `in_stock` when there is one. */
  join = (variantId: string) =>
    this.viewer.ask<WaitPlace>("/waitlist", {
      method: "POST",
      body: { show: this.viewer.slug, variant_id: variantId },
    });

  /** What was kept goes to the next. */
  leave = (variantId: string) =>
    this.viewer.ask<void>("/waitlist", {
      method: "DELETE",
      body: { show: this.viewer.slug, variant_id: variantId },
    });
}
