/** The linked shops: how they are doing, and where their numbers drifted from ours. Staff only. */

import { call, type Fetch } from "./http";

/** `silent_since`: changes come, but the shop no longer tells of them; `problem`: why it can't be asked to. */
export interface Shop {
  connection_id: string;
  connector: string;
  name: string;
  state: string;
  orders_read_at: string | null;
  hook_at: string | null;
  missed: number;
  silent_since: string | null;
  subscribed_at: string | null;
  renewed_at: string | null;
  problem: string | null;
  levels_read_at: string | null;
  /** It asked us to slow down. */
  rest_until: string | null;
  listings: number;
  /** Listings whose stock it does not take. */
  refused: number;
  /** Listings that it shows to nobody, by its own rules. */
  hidden: number;
  drifting: number;
}

/** One number that was wrong in a shop: what it was told, what it offered, and when it was put right. */
export interface Drift {
  id: string;
  connection_id: string;
  connector: string;
  shop: string;
  sku: string;
  title: string;
  ours: number;
  theirs: number;
  reason: string;
  found_at: string;
  healed_at: string | null;
}

export class ShopsApi {
  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  shops(signal?: AbortSignal): Promise<Shop[]> {
    return call(this.fetch, "/api/v1/shops", { signal });
  }

  /** What is wrong now, then what was put right, newest first. */
  drift(signal?: AbortSignal): Promise<Drift[]> {
    return call(this.fetch, "/api/v1/shops/drift", { signal });
  }

  /** Read its orders and numbers now, and see that it still tells us by itself. */
  check(connectionId: string): Promise<void> {
    return call(this.fetch, `/api/v1/shops/${connectionId}/check`, { method: "POST" });
  }
}
