/** What the hub says beside the types that all pages share: only the studio reads it. */

/** A delivery from a platform that was not worked on. Parked ones wait for a person; stored ones are retried. */
export interface DeliveryTrouble {
  id: string;
  connection_id: string;
  state: "stored" | "parked";
  error: string;
  received_at: string;
}

/** A shop that did not take our stock of a variant. */
export interface Refusal {
  platform: string;
  account: string;
  reason: string;
}

declare module "@simulcast/api/types" {
  interface Connector {
    /** What login to paste and where it is found; null when the config alone is enough. */
    token_help: string | null;
    /** A refresh token keeps the login alive. */
    refreshes: boolean;
  }

  interface Variant {
    refused: Refusal[];
  }
}
