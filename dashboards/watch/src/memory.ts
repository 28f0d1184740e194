/** What this browser remembers of the viewer. A browser that forbids it forgets, and the page works. */

import type { Unfinished } from "./purchase-types";

const NAME = "simulcast.name";

/** The name in the chat, for all shows. */
export const chatName = {
  get: (): string => attempt(() => localStorage.getItem(NAME)) ?? "",
  set: (name: string): void => void attempt(() => localStorage.setItem(NAME, name)),
};

/** The purchase under way, per show, until the tab is closed. */
export class UnfinishedPurchase {
  private readonly place: string;

  constructor(slug: string) {
    this.place = `simulcast.purchase.${slug}`;
  }

  get(): Unfinished | null {
    return attempt(() => JSON.parse(sessionStorage.getItem(this.place) ?? "null") as Unfinished | null);
  }

  set(purchase: Unfinished | null): void {
    attempt(() => {
      if (purchase) sessionStorage.setItem(this.place, JSON.stringify(purchase));
      else sessionStorage.removeItem(this.place);
    });
  }
}

function attempt<T>(access: () => T): T | null {
  try {
    return access();
  } catch {
    return null;
  }
}
