/** The page: video, the product on screen, chat, the other products; and what to say without a show. */

import {
  CheckoutApi,
  ClaimLinkApi,
  offersFor,
  type PublicProduct,
  type PublicShow,
  type Skipped,
  ViewerApi,
  type ViewerOffer,
  WaitlistApi,
} from "@simulcast/api";
import { programmeOf } from "@simulcast/player";
import { html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Account } from "./account";
import { landing, slugOf, withoutPass } from "./address";
import { appStyles } from "./app-styles";
import { cartBar } from "./cart-bar";
import { answerWords, claimIn, ClaimLink, withoutClaim } from "./claim-link";
import { PageConsent } from "./consent";
import { PageEvents } from "./events";
import { UnfinishedPurchase } from "./memory";
import type { OfferChosen } from "./offers";
import { answerIn, withoutAnswer } from "./pay/back";
import { widgetFor } from "./pay/widget";
import { pagePixels } from "./pixels";
import { Purchase } from "./purchase";
import { type Item, type Shop, wordsOf } from "./purchase-types";
import { closedBecause, crowdSaid, featured } from "./reduce";
import { Room } from "./room";
import { theme } from "./theme";
import { Waiting } from "./waiting";

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
    told: { state: true },
    signing: { state: true },
  };

  private declare tab: Tab;
  private declare portrait: boolean;
  private declare late: boolean;
  /** Goes up with each change of the room or the purchase. */
  private declare version: number;
  private readonly slug = slugOf(location.pathname);
  /** The token of a private link, as it stands in the address. */
  private readonly access = new URL(location.href).searchParams.get("access") ?? "";
  /** What putting something into the cart was refused for. */
  private declare told: string;
  private declare signing: boolean;
  private readonly api: ViewerApi = new ViewerApi(
    this.slug,
    PageConsent.fetch(() => this.api),
    "",
    this.access,
  );
  private readonly consent = new PageConsent(this.api, () => (this.version += 1));
  private readonly pixels = pagePixels(this.api, () => this.consent.desk.allowed);
  private readonly checkouts = new CheckoutApi(this.api);
  private readonly account = new Account(this.checkouts, () => this.knows());
  private readonly room = new Room(
    this.api,
    () => this.changed(),
    {
      onOrder: (news) => this.purchase.orderChanged(news),
      onClaim: (news) => {
        this.told = answerWords(news);
        if (news.hold_id) void this.purchase.refresh();
      },
      onOffered: () => this.waiting.offered(),
      onStock: (variantId) => this.waiting.stockChanged(variantId),
    },
  );
  private readonly events = new PageEvents({
    api: this.api,
    room: this.room,
    keeps: () => this.consent.desk.allowed.analytics,
  });
  private readonly waiting = new Waiting({
    api: new WaitlistApi(this.api),
    onChange: () => (this.version += 1),
    onOffered: () => {
      this.told = "One has become free: it is reserved for you.";
      void this.purchase.refresh();
    },
  });
  private readonly shop: Shop = { ...this.checkouts, hold: this.api.hold, release: this.api.release };
  private readonly purchase = new Purchase({
    memory: new UnfinishedPurchase(this.slug),
    shop: this.shop,
    onChange: () => (this.version += 1),
    around: (item, onChange) => ({
      shop: this.shop,
      now: () => this.room.clock.now(),
      onChange,
      onStock: (available) => item && this.room.stockIs(item.variantId, available),
      act: (form, action) => widgetFor(form).act(action),
    }),
  });
  private readonly claim = new ClaimLink({
    api: new ClaimLinkApi(this.api),
    now: () => this.room.clock.now(),
    onChange: () => (this.version += 1),
    onYours: () => void this.purchase.start(null),
  });
  private banner: ReturnType<typeof setTimeout> | undefined;
  private ticker: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.tab = "chat";
    this.portrait = false;
    this.late = false;
    this.version = 0;
    this.told = "";
    this.signing = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticker = setInterval(() => this.purchase.lines.length && this.requestUpdate(), 1_000);
    this.events.start(this);
    void this.enter();
  }

  protected override updated(): void {
    this.pixels.look(this.room.show, this.purchase.checkout);
    this.events.look(this.renderRoot, this.purchase.checkout?.step.name);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.banner);
    clearInterval(this.ticker);
    this.room.leave();
    this.consent.leave();
    this.events.stop();
    this.waiting.stop();
  }

  private async enter(): Promise<void> {
    await this.room.enter();
    if (this.room.phase !== "ready") return;
    const back = answerIn(location.href);
    if (back) history.replaceState(null, "", withoutAnswer(location.href));
    const claim = this.room.show?.access === "private" ? "" : claimIn(location.href);
    if (claim) history.replaceState(null, "", withoutClaim(location.href));
    if (this.room.show?.shopper) await this.account.load().catch(() => undefined);
    void this.purchase.resume(back).then(() => (back ? undefined : this.claim.follow(claim)));
    void this.waiting.load();
    if (this.room.show) this.consent.arrive(this.room.show);
    const landed = landing(location.href);
    if (landed !== withoutPass(landed)) history.replaceState(null, "", withoutPass(location.href));
    await this.room.arrivedBy(landed, document.referrer);
  }

  /** Somebody has signed in, or is known from before. */
  private knows(): void {
    const { shopper } = this.account;
    if (shopper) this.purchase.knows({ name: shopper.name, email: shopper.email }, shopper.address);
    this.version += 1;
  }

  private add(item: Item): void {
    this.told = "";
    const done = this.purchase.add(item).then(() => this.events.added(item));
    done.catch((error: unknown) => (this.told = wordsOf(error)));
  }

  private wait({ variantId }: Item, begin: boolean): void {
    this.told = "";
    const done = begin ? this.waiting.join(variantId) : this.waiting.leave(variantId);
    done.catch((error: unknown) => (this.told = wordsOf(error)));
  }

  private buyOffer({ offerId, variantId, title, unitMinor: priceMinor, currency }: OfferChosen): void {
    void this.purchase.start({ variantId, title, imageUrl: null, priceMinor, currency, offerId });
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
        ?data-asking=${this.consent.desk.asking}
        @buy=${({ detail }: CustomEvent<Item>) => void this.purchase.start(detail)}
        @add=${({ detail }: CustomEvent<Item>) => this.add(detail)}
        @wait=${({ detail }: CustomEvent<Item>) => this.wait(detail, true)}
        @stop-waiting=${({ detail }: CustomEvent<Item>) => this.wait(detail, false)}
        @cart=${() => void this.purchase.start(null)}
        @buy-offer=${({ detail }: CustomEvent<OfferChosen>) => this.buyOffer(detail)}
      >
        ${this.head(show)}
        <consent-banner .desk=${this.consent.desk} .version=${this.version}></consent-banner>
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
        <consent-foot .desk=${this.consent.desk} .version=${this.version}></consent-foot>
      </div>
      ${this.sheet()} ${this.accountSheet(show)} ${this.claimSheet()}
    `;
  }

  private head(page: PublicShow) {
    const { show } = page;
    const watching = crowdSaid(page, this.room.viewers);
    return html`<header class="head">
      <div class="title">
        <h1>${show.title}</h1>
        <p>${show.brand}</p>
      </div>
      ${show.state === "live" ? html`<span class="live">Live</span>` : nothing}
      ${watching !== null
        ? html`<span class="viewers number">${watching.toLocaleString()}<span> watching</span></span>`
        : nothing}
      <button class="who" @click=${() => (this.signing = true)}>${this.account.shopper?.name || "Sign in"}</button>
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
        ${cartBar(this.purchase, this.told, this.room.clock.now())} ${closed ? html`<p class="closed">${closed}</p>` : nothing}
        ${this.bundles(show, Boolean(closed))} ${first ? this.card(show, first, Boolean(closed)) : nothing}
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
              ${this.card(show, product, Boolean(closed), true)}
            </li>`,
          )}
        </ul>
      </section>
    `;
  }

  private card(show: PublicShow, product: PublicProduct, closed: boolean, compact = false) {
    return html`<product-card
      ?compact=${compact}
      .product=${product}
      .offers=${this.offers(show)}
      .now=${() => this.room.clock.now()}
      ?member=${Boolean(this.account.shopper?.member_since)}
      .closed=${closed}
      .placeOf=${(variantId: string) => this.waiting.placeOf(variantId)}
      .version=${this.version}
    ></product-card>`;
  }

  private offers(show: PublicShow): ViewerOffer[] {
    const segments = this.account.shopper?.segments ?? [];
    return offersFor(show.offers ?? [], segments, this.room.clock.now());
  }

  private bundles(show: PublicShow, closed: boolean) {
    const running = this.offers(show).filter(({ kind, state }) => kind === "bundle" && state !== "ended");
    return running.map(
      (offer) =>
        html`<bundle-card
          .offer=${offer}
          .now=${() => this.room.clock.now()}
          ?member=${Boolean(this.account.shopper?.member_since)}
          .closed=${closed}
        ></bundle-card>`,
    );
  }

  private tabButton(name: Tab, text: string) {
    return html`<button aria-pressed=${this.tab === name} @click=${() => (this.tab = name)}>${text}</button>`;
  }

  private accountSheet({ show }: PublicShow) {
    if (!this.signing) return nothing;
    return html`<account-sheet
      .account=${this.account}
      .shop=${show.brand}
      .version=${this.version}
      @done=${() => (this.signing = false)}
    ></account-sheet>`;
  }

  private claimSheet() {
    if (!this.claim.step) return nothing;
    return html`<claim-sheet
      .link=${this.claim}
      .now=${() => this.room.clock.now()}
      .version=${this.version}
      @cart=${() => void this.purchase.start(null)}
    ></claim-sheet>`;
  }

  private sheet() {
    const { checkout, open } = this.purchase;
    if (!checkout || !open) return nothing;
    return html`<buy-sheet
      .checkout=${checkout}
      .account=${this.account}
      .now=${() => this.room.clock.now()}
      .version=${this.version}
      @done=${() => this.purchase.dismiss()}
      @keep=${() => this.purchase.dismiss(true)}
    ></buy-sheet>`;
  }
}
