/** The show as this page knows it, and what its viewer does in it. */

import { type EventData, ShowFollower, type Skipped, ViewerApi } from "@simulcast/api";
import { opened, reduce, withMessage, withStock } from "./reduce";

export type OrderNews = EventData["order.changed"];
export type ClaimNews = EventData["claim.answered"];

/** Call `enter` once. `onOrder` hears of the viewer's own orders, `onClaim` of what they claimed in the chat. */
export class Room extends ShowFollower {
  constructor(
    readonly api: ViewerApi,
    onChange: () => void,
    onOrder: (news: OrderNews) => void,
    onClaim: (news: ClaimNews) => void,
  ) {
    super({
      api,
      onChange,
      reduce,
      onEvents: (events) => {
        for (const event of events) {
          if (event.kind === "order.changed") onOrder(event.data);
          else if (event.kind === "claim.answered") onClaim(event.data);
        }
      },
    });
  }

  /** Tells how the viewer came here. Tried once more: it is a sale's source. */
  async arrivedBy(landing: string): Promise<void> {
    const tell = () => this.api.touch(landing);
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
