/** Everything of consent and visits on the watch page, put together. */

import { ConsentApi, type Fetch, type PublicShow, type ViewerApi } from "@simulcast/api";
import { sendsGpc } from "./allowed";
import { Attention } from "./attention";
import { ConsentDesk } from "./desk";
import { browserMemory } from "./memory";
import { noticing, onceOnly } from "./needs";
import { wayOut } from "./way-out";

/** In another site's page nothing may be kept: its cookies are not ours to ask for. */
export function isFramed(page: Window = window): boolean {
  return page.self !== page.top;
}

export class PageConsent {
  readonly desk: ConsentDesk;
  private readonly api: ConsentApi;
  private readonly attention: Attention;
  private readonly listeners = new AbortController();

  constructor(viewer: ViewerApi, onChange: () => void) {
    this.api = new ConsentApi(viewer);
    this.desk = new ConsentDesk({
      api: this.api,
      memory: browserMemory,
      now: () => Date.now(),
      gpc: sendsGpc(),
      languages: navigator.languages,
      framed: isFramed(),
      onChange,
    });
    this.attention = new Attention({
      now: () => performance.now() / 1000,
      tell: (seconds) => void this.api.attend(seconds).catch(() => undefined), // a visit is not worth a retry
    });
  }

  /** The page is there. */
  arrive({ access, visitor_kept }: PublicShow): void {
    if (access === "private") return;
    const { signal } = this.listeners;
    this.attention.start();
    void this.desk.open(visitor_kept ?? false);
    addEventListener("storage", () => this.desk.heard(), { signal });
    const way = wayOut({
      hosts: () => (this.desk.allowed.analytics ? this.desk.shops : []),
      sign: this.api.signed,
      go: (url) => location.assign(url),
    });
    addEventListener("click", way, { signal });
  }

  leave(): void {
    this.listeners.abort();
    this.attention.stop();
  }

  /** What the viewer's calls go through, so that a reservation is found again after a reload. */
  static fetch(viewer: () => ViewerApi): Fetch {
    const plain: Fetch = (input, init) => globalThis.fetch(input, init);
    return isFramed() ? plain : noticing(plain, onceOnly(() => new ConsentApi(viewer()).needed()));
  }
}
