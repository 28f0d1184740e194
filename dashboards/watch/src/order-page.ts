/** How an order is doing, told by itself; and what its buyer may still do. */

import { ApiError, countdown, formatMoney, OrderStatusApi, type PublicOrder, secondsLeft, ServerClock } from "@simulcast/api";
import { css, html, LitElement, nothing } from "lit";
import { wordsOf } from "./purchase-types";
import { theme } from "./theme";

/** While something is decided, and afterwards. */
const SOON_MS = 2_000;
const LATER_MS = 30_000;

const TITLES: Record<PublicOrder["state"], string> = {
  reserved: "Reserved for you",
  authorising: "Reserved for you, confirming payment",
  review: "Reserved for you, the shop looks at it",
  paid: "Paid. Thank you!",
  failed: "The payment did not go through",
  expired: "The reservation ended",
  cancelled: "Cancelled",
  refunded: "Refunded",
  sold_out: "Sold out",
};

/** States in which the buyer can cancel, withdraw or send back, or see what came of it. */
const ACTIONABLE: ReadonlySet<PublicOrder["state"]> = new Set(["authorising", "review", "paid", "refunded", "cancelled"]);

export class OrderPage extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }
      main {
        max-width: 34rem;
        margin: 0 auto;
        padding: calc(1.5rem + env(safe-area-inset-top)) 1rem 3rem;
        display: grid;
        gap: 1.25rem;
      }
      header p {
        color: var(--quiet);
      }
      h1 {
        font-size: 1.5rem;
        line-height: 1.25;
        text-wrap: balance;
      }
      .good {
        color: var(--good);
      }
      section {
        background: var(--surface);
        border: 1px solid var(--line);
        border-radius: 1rem;
        padding: 1rem;
      }
      h2 {
        font-size: 1rem;
        margin-bottom: 0.5rem;
      }
      table {
        width: 100%;
        border-collapse: collapse;
      }
      th {
        font-weight: 400;
        text-align: start;
        overflow-wrap: anywhere;
      }
      td {
        text-align: end;
        white-space: nowrap;
        vertical-align: top;
      }
      th,
      td {
        padding: 0.25rem 0;
      }
      .sum th,
      .sum td {
        border-top: 1px solid var(--line);
        padding-top: 0.5rem;
      }
      .total {
        font-weight: 650;
      }
      .total th {
        font-weight: 650;
      }
      .told {
        padding: 0.625rem 0.875rem;
        border-radius: 0.75rem;
        background: var(--sunk);
      }
      .told.warn {
        background: var(--warn-ground);
        color: var(--warn-text);
      }
    `,
  ];
  static override properties = {
    order: { state: true },
    problem: { state: true },
    version: { state: true },
  };

  private declare order: PublicOrder | null;
  private declare problem: string;
  /** Goes up with each change of the order, so that what may be done is read again. */
  private declare version: number;
  private readonly token = decodeURIComponent(location.pathname.replace(/\/+$/, "").split("/").pop() ?? "");
  private readonly api = new OrderStatusApi(this.token);
  private readonly clock = new ServerClock();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ticker: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.order = null;
    this.problem = "";
    this.version = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.looked);
    this.ticker = setInterval(() => this.order?.hold_expires_at && this.requestUpdate(), 1_000);
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.looked);
    clearTimeout(this.timer);
    clearInterval(this.ticker);
  }

  private looked = (): void => {
    if (!document.hidden) void this.load();
  };

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    const sent = Date.now();
    try {
      const order = await this.api.load();
      this.clock.learn(order.server_time, sent);
      if (order.state !== this.order?.state || order.refunded_minor !== this.order.refunded_minor) {
        this.version += 1;
      }
      this.order = order;
      this.problem = "";
      document.title = `${order.number} · ${order.shop}`;
    } catch (error) {
      this.problem = wordsOf(error);
      if (error instanceof ApiError && !error.temporary) return; // the link itself is no good
    }
    const open = ["reserved", "authorising", "review"].includes(this.order?.state ?? "authorising");
    this.timer = setTimeout(() => void this.load(), open && !document.hidden ? SOON_MS : LATER_MS);
  }

  protected override render() {
    const { order, problem } = this;
    if (!order) {
      return html`<main>
        <header>
          <h1>${problem ? "This order can't be shown" : "Loading your order…"}</h1>
          ${problem
            ? html`<p role="alert">${problem} Open it again with the link in your mail.</p>`
            : nothing}
        </header>
      </main>`;
    }
    return html`<main>
      <header>
        <p>${order.shop} · Order <strong>${order.number}</strong></p>
        <div role="status"><h1 class=${order.state === "paid" ? "good" : ""}>${TITLES[order.state]}</h1></div>
      </header>
      ${this.told(order)} ${problem ? html`<p class="told warn" role="alert">${problem}</p>` : nothing}
      ${this.goods(order)}
      ${ACTIONABLE.has(order.state)
        ? html`<order-actions
            .order=${this.token}
            .version=${this.version}
            @order-changed=${() => void this.load()}
          ></order-actions>`
        : nothing}
    </main>`;
  }

  private told(order: PublicOrder) {
    const { state, message, can_pay, hold_expires_at: ends } = order;
    const left = ends ? secondsLeft(ends, this.clock.now()) : 0;
    const warn = state === "failed" || state === "expired" || state === "sold_out";
    if (message === TITLES[state] || (!message && !left)) return nothing;
    const more = can_pay && left ? " Go back to the show's page to try another card." : "";
    return html`<p class="told ${warn ? "warn" : ""}">
      ${message}${more}
      ${left && state !== "paid"
        ? html`<br /><span class="number" role="timer">Reserved for ${countdown(left)}</span>`
        : nothing}
    </p>`;
  }

  private goods(order: PublicOrder) {
    const money = (minor: number) => formatMoney(minor, order.currency);
    const row = (title: string, minor: number, look = "") =>
      html`<tr class=${look}>
        <th scope="row">${title}</th>
        <td class="number">${money(minor)}</td>
      </tr>`;
    const { discount_minor: off, tax_minor: tax, refunded_minor: back } = order;
    return html`<section>
      <h2>What you ordered</h2>
      <table>
        <tbody>
          ${order.lines.map(({ title, quantity, unit_minor }) => row(`${quantity} × ${title}`, unit_minor * quantity))}
          ${off ? row("Coupon", -off, "sum") : nothing}
          ${order.shipping_method ? row(order.shipping_method, order.shipping_minor, "sum") : nothing}
          ${tax && !order.prices_include_tax ? row("Tax", tax) : nothing}
          ${row("Total", order.total_minor, "sum total")}
          ${tax && order.prices_include_tax ? row("Tax included", tax) : nothing}
          ${back ? row("Given back", -back, "sum") : nothing}
        </tbody>
      </table>
    </section>`;
  }
}
