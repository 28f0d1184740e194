/** The show as this page knows it, and what its viewer does in it. */

import { type EventData, ShowFollower, type Skipped, ViewerApi } from "@simulcast/api";
import { kept, opened, reduce, withMessage, withStock } from "./reduce";

export type OrderNews = EventData["order.changed"];
export type ClaimNews = EventData["claim.answered"];

export interface Heard {
  /** Of the viewer's own orders. */
  onOrder: (news: OrderNews) => void;
  /** Of what they claimed in the chat. */
  onClaim: (news: ClaimNews) => void;
  /** One that they waited for is theirs. */
  onOffered: () => void;
  onStock: (variantId: string) => void;
}

/** Call `enter` once. */
export class Room extends ShowFollower {
  constructor(
    readonly api: ViewerApi,
    onChange: () => void,
    heard: Heard,
  ) {
    super({
      api,
      onChange,
      reduce,
      keep: kept,
      onEvents: (events) => {
        for (const event of events) {
          if (event.kind === "order.changed") heard.onOrder(event.data);
          else if (event.kind === "claim.answered") heard.onClaim(event.data);
          else if (event.kind === "waitlist.offered") heard.onOffered();
          else if (event.kind === "stock.changed") heard.onStock(event.data.variant_id);
        }
      },
    });
  }

  /** Tells how the viewer came here. Tried once more: it is a sale's source. */
  async arrivedBy(landing: string, referrer: string): Promise<void> {
    const tell = () => this.api.touch(landing, referrer);
    await tell().catch(tell).catch(() => undefined); // the page works without it
  }

  /** A message of the viewer's own; shown at once, and not twice when it is heard back. */
  async say(text: string, name: string): Promise<void> {
    const message = await this.api.say(text, name);
    this.change((show) => ({ ...show, messages: withMessage(show.messages, message) }));
  }

  /** Loads what was too much to be shown. */
  async open(skipped: Skipped): Promise<void> {
    const found = await this.api.messages(skipped.first_seq - 1);
    this.change((show) => opened(show, skipped, found));
  }

  /** What an answer told about the stock, before the news of it arrives. */
  stockIs(variantId: string, available: number): void {
    this.change((show) => withStock(show, { variant_id: variantId, available }));
  }
}
