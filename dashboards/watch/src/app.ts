/** The page: video, the product on screen, chat, the other products; and what to say without a show. */

import { type PublicShow, type Skipped, ViewerApi } from "@simulcast/api";
import { programmeOf } from "@simulcast/player";
import { html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { appStyles } from "./app-styles";
import type { Item } from "./checkout";
import { UnfinishedPurchase } from "./memory";
import { Purchase } from "./purchase";
import { closedBecause, featured } from "./reduce";
import { Room } from "./room";
import { theme } from "./theme";

type Tab = "chat" | "products";

/** A short break is not worth a banner. */
const BANNER_AFTER_MS = 2_000;

export class WatchApp extends LitElement {
  static override styles = [theme, appStyles];
  static override properties = {
    tab: { state: true },
    portrait: { state: true },
    late: { state: true },
    version: { state: true },
  };

  private declare tab: Tab;
  private declare portrait: boolean;
  private declare late: boolean;
  /** Goes up with each change of the room or the purchase. */
  private declare version: number;
  private readonly slug = slugOf(location.pathname);
  /** The token of a private link, as it stands in the address. */
  private readonly access = new URL(location.href).searchParams.get("access") ?? "";
  private readonly room = new Room(
    new ViewerApi(this.slug, undefined, "", this.access),
    () => this.changed(),
    (news) => this.purchase.orderChanged(news),
  );
  private readonly purchase = new Purchase({
    memory: new UnfinishedPurchase(this.slug),
    onChange: () => (this.version += 1),
    around: ({ variantId }, onChange) => ({
      shop: this.room.api,
      now: () => this.room.clock.now(),
      onChange,
      onStock: (available) => this.room.stockIs(variantId, available),
    }),
  });
  private banner: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.tab = "chat";
    this.portrait = false;
    this.late = false;
    this.version = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.enter();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.banner);
    this.room.leave();
  }

  private async enter(): Promise<void> {
    await this.room.enter();
    if (this.room.phase !== "ready") return;
    void this.purchase.resume();
    await this.room.arrivedBy(landing(location.href));
  }

  private changed(): void {
    this.version += 1;
    const { show, connection } = this.room;
    if (show) document.title = `${show.show.title} · ${show.show.brand}`;
    if (connection === "open") {
      clearTimeout(this.banner);
      this.banner = undefined;
      this.late = false;
    } else {
      this.banner ??= setTimeout(() => (this.late = true), BANNER_AFTER_MS);
    }
  }

  protected override render() {
    const { show, phase } = this.room;
    if (show?.access === "private") return this.notice(show.show.title, show.access_reason ?? "");
    if (show) return this.page(show);
    if (phase === "missing") {
      return this.notice("This show does not exist", "Check the link, or ask whoever sent it to you.");
    }
    if (phase === "unreachable") {
      return this.notice("The show cannot be reached", "Check your connection. Trying again by itself.");
    }
    return this.notice("", "Loading the show…");
  }

  private notice(title: string, text: string) {
    return html`<main class="notice">
      <div role="status">
        ${title ? html`<h1>${title}</h1>` : nothing}
        <p>${text}</p>
      </div>
    </main>`;
  }

  private page(show: PublicShow) {
    return html`
      <div
        class="page"
        data-tab=${this.tab}
        @buy=${({ detail }: CustomEvent<Item>) => void this.purchase.start(detail)}
      >
        ${this.head(show)}
        <main class="stage ${this.portrait ? "portrait" : ""}">${this.video(show)}</main>
        ${this.shelf(show)}
        <section class="chat" aria-label="Chat">
          <chat-panel
            .messages=${show.messages}
            .skipped=${show.skipped ?? []}
            .open=${(skipped: Skipped) => this.room.open(skipped)}
            .closed=${show.show.state === "ended"}
            .say=${(text: string, name: string) => this.room.say(text, name)}
          ></chat-panel>
        </section>
      </div>
      ${this.sheet(show)}
    `;
  }

  private head({ show }: PublicShow) {
    const { viewers } = this.room;
    return html`<header class="head">
      <div class="title">
        <h1>${show.title}</h1>
        <p>${show.brand}</p>
      </div>
      ${show.state === "live" ? html`<span class="live">Live</span>` : nothing}
      ${viewers !== null && show.state === "live"
        ? html`<span class="viewers number">${viewers.toLocaleString()}<span> watching</span></span>`
        : nothing}
      <p class="banner" role="status" ?hidden=${!this.late}>
        ${this.late ? "Connection lost. Reconnecting…" : ""}
      </p>
    </header>`;
  }

  private video(show: PublicShow) {
    return html`<simulcast-player
      show=${this.slug}
      access=${this.access}
      .programme=${programmeOf(show, this.room.clock.offsetMs)}
      @simulcast-size=${({ detail }: CustomEvent<{ width: number; height: number }>) =>
        (this.portrait = detail.height > detail.width)}
    ></simulcast-player>`;
  }

  /** The product on screen with its Buy button, and the others in a list. */
  private shelf(show: PublicShow) {
    const first = featured(show);
    const others = show.products.filter((product) => product.id !== first?.id);
    const closed = closedBecause(show);
    return html`
      <section class="featured" aria-label="On screen now" ?hidden=${!first}>
        ${this.payment()} ${closed ? html`<p class="closed">${closed}</p>` : nothing}
        ${first ? html`<product-card .product=${first} .closed=${Boolean(closed)}></product-card>` : nothing}
      </section>
      <nav class="tabs" aria-label="Below the video">
        ${this.tabButton("chat", "Chat")}
        ${others.length ? this.tabButton("products", `More products (${others.length})`) : nothing}
      </nav>
      <section class="products" aria-label="More products" ?hidden=${!others.length}>
        <ul role="list">
          ${repeat(
            others,
            ({ id }) => id,
            (product) => html`<li>
              <product-card compact .product=${product} .closed=${Boolean(closed)}></product-card>
            </li>`,
          )}
        </ul>
      </section>
    `;
  }

  private tabButton(name: Tab, text: string) {
    return html`<button aria-pressed=${this.tab === name} @click=${() => (this.tab = name)}>${text}</button>`;
  }

  /** A payment whose sheet was closed. */
  private payment() {
    const { checkout, open } = this.purchase;
    if (!checkout || open) return nothing;
    return html`<button class="payment" @click=${() => this.purchase.show()}>
      Confirming payment: ${checkout.item.title}
    </button>`;
  }

  private sheet(show: PublicShow) {
    const { checkout, open } = this.purchase;
    if (!checkout || !open) return nothing;
    return html`<buy-sheet
      .checkout=${checkout}
      .source=${show.payment?.test_source ?? null}
      .version=${this.version}
      @done=${() => this.purchase.dismiss()}
    ></buy-sheet>`;
  }
}

/** Where the viewer came from, without the key to a private show. */
export function landing(address: string): string {
  const url = new URL(address);
  url.searchParams.delete("access");
  return url.href;
}

/** "/watch/spring-show" → "spring-show". */
export function slugOf(path: string): string {
  return decodeURIComponent(path.replace(/\/+$/, "").split("/").pop() ?? "");
}
