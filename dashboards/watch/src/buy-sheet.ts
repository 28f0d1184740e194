/** The sheet that a purchase happens in: reserved, paid, or an honest reason why not. */

import { countdown, formatMoney, noAddress } from "@simulcast/api";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Account } from "./account";
import type { Checkout } from "./checkout";
import type { PayChoice } from "./pay-choice";
import { type Gone, type Item, type Step, wordsOf } from "./purchase-types";
import { lay } from "./sheet-layer";
import { confirming, deliveryForm, likely, someGone } from "./sheet-parts";
import { addressFields, addressIn, addressLine, buyerIn, contactFields, sumsTable } from "./sheet-fields";
import { sheetStyles } from "./sheet-styles";
import { theme } from "./theme";

/** From here on the remaining time is warned about. */
const HURRY_SECONDS = 20;

/** Shown while it is in the page. Fires `done` when it may go, `keep` when what is reserved is to stay. */
export class BuySheet extends LitElement {
  static override styles = [theme, sheetStyles];
  static override properties = {
    checkout: { attribute: false },
    account: { attribute: false },
    now: { attribute: false },
    version: { type: Number },
    signing: { state: true },
    busy: { state: true },
    changed: { state: true },
  };

  declare checkout: Checkout;
  declare account: Account;
  /** Server time in ms. */
  declare now: () => number;
  /** Goes up with each change of the checkout. */
  declare version: number;
  private declare signing: boolean;
  /** The page itself is at work: a card's token is being made, a finger asked for. */
  private declare busy: boolean;
  /** What changing the cart was refused for. */
  private declare changed: string;
  private ticker: ReturnType<typeof setInterval> | undefined;
  private shown: string | null = null;

  constructor() {
    super();
    this.signing = false;
    this.busy = false;
    this.changed = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticker = setInterval(() => this.checkout.tick(), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticker);
  }

  protected override updated(_: PropertyValues<this>): void {
    const { step } = this.checkout;
    const atBank = step.name === "paying" && step.bank;
    // While a card's token is made its gateway may ask the bank, over the whole page.
    const moved = lay(this.dialog, atBank ? "away" : this.busy ? "below" : "above");
    const name = `${step.name} ${step.name === "form" && step.ready}`;
    if (atBank) return;
    if (name === this.shown) {
      if (moved) this.came();
      return;
    }
    // Typing goes on where the price came in meanwhile.
    const grew = this.shown === "form false" && name === "form true" && this.renderRoot.contains(this.focused);
    this.shown = name;
    if (grew) return;
    // What was focused is gone with the last step. A phone's keyboard would hide the sheet, so not there.
    const wrong = this.renderRoot.querySelector<HTMLElement>("[aria-invalid]");
    const next = this.renderRoot.querySelector<HTMLElement>("[data-first]");
    if (wrong) wrong.focus();
    else if (next instanceof HTMLInputElement && !matchMedia("(hover: hover)").matches) this.heading.focus();
    else (next ?? this.heading).focus();
  }

  /** A card's token is being made, or could not be: said above the fields, which may be far from the button. */
  private came(): void {
    const pay = this.busy ? null : this.renderRoot.querySelector<HTMLElement>("form .primary");
    (pay ?? this.heading).focus({ preventScroll: true });
    if (pay) this.renderRoot.querySelector(".problem")?.scrollIntoView({ block: "nearest" });
  }

  private get focused(): Element | null {
    const { activeElement } = this.renderRoot as ShadowRoot;
    return activeElement instanceof HTMLInputElement ? activeElement : null;
  }

  private get dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog") as HTMLDialogElement;
  }

  private get heading(): HTMLElement {
    return this.renderRoot.querySelector("#what") as HTMLElement;
  }

  private leave(event: Event | undefined, how: "done" | "keep"): void {
    event?.preventDefault();
    this.dialog.close(); // gives the focus back to the Buy button
    this.dispatchEvent(new CustomEvent(how));
  }

  private dismiss = (event?: Event): void => this.leave(event, "done");

  private backdrop(event: MouseEvent): void {
    // A stray tap must not cost anybody their reservation.
    const { name } = this.checkout.step;
    if (event.target === this.dialog && !["form", "details", "delivery"].includes(name)) this.dismiss();
  }

  private enter(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    void this.checkout.enter(buyerIn(form), addressIn(form));
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { checkout } = this;
    if (this.busy || !checkout.quote) return;
    const form = event.target as HTMLFormElement;
    const buyer = form.elements.namedItem("email") ? buyerIn(form) : checkout.buyer;
    const choice = this.renderRoot.querySelector<PayChoice>("pay-choice");
    this.busy = true;
    try {
      const payment = choice ? await choice.payment() : null;
      if (choice?.saved && checkout.quote.proof && !(await this.proved())) return;
      await checkout.pay(buyer, payment);
    } catch (error) {
      checkout.problem(wordsOf(error));
    } finally {
      this.busy = false;
    }
  }

  /** A kept card and a large sum, or a new device: it is really they. */
  private async proved(): Promise<boolean> {
    if (!this.account.shopper?.passkeys) {
      this.signing = true;
      return false;
    }
    const why = await this.account.confirm();
    if (why) this.checkout.problem(why);
    return !why;
  }

  private async amount(variantId: string, quantity: number): Promise<void> {
    this.changed = "";
    try {
      await this.checkout.change(variantId, quantity);
    } catch (error) {
      this.changed = wordsOf(error);
    }
  }

  private signedIn(): void {
    const { shopper } = this.account;
    this.signing = false;
    if (!shopper) return;
    const { checkout } = this;
    checkout.buyer = { ...checkout.buyer, name: shopper.name || checkout.buyer.name, email: shopper.email };
    checkout.address ??= shopper.address;
    void checkout.renew();
  }

  protected override render() {
    const item = this.alone;
    return html`
      <dialog aria-labelledby="what" @cancel=${this.dismiss} @click=${this.backdrop}>
        <div class="sheet">
          <div class="what">
            ${item?.imageUrl ? html`<img src=${item.imageUrl} alt="" width="64" height="64" />` : nothing}
            <div>
              <h2 id="what" tabindex="-1">${item?.title ?? "Your cart"}</h2>
              <p class="price number">${this.price()}</p>
            </div>
            <button class="close" aria-label="Close" @click=${() => this.dismiss()}>
              <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18" /></svg>
            </button>
          </div>
          ${this.body()}
        </div>
      </dialog>
    `;
  }

  /** What was pressed, as long as nothing else is bought with it. */
  private get alone(): Item | null {
    return this.checkout.lines.length > 1 ? null : this.checkout.item;
  }

  private price(): string {
    const { hold, quote, lines } = this.checkout;
    const item = this.alone;
    if (quote) return formatMoney(quote.sums.total_minor, quote.sums.currency);
    const first = lines[0];
    if (!item && first) {
      return formatMoney(
        lines.reduce((sum, line) => sum + line.amount_minor, 0),
        first.currency,
      );
    }
    if (hold) return formatMoney(hold.unit_minor * hold.quantity, hold.currency);
    return item ? formatMoney(item.priceMinor, item.currency) : "";
  }

  private body(): TemplateResult {
    const { step } = this.checkout;
    switch (step.name) {
      case "reserving":
        return html`<p class="wait" role="status"><span class="spinner"></span>Reserving it for you…</p>`;
      case "details":
        return this.details(step);
      case "delivery":
        return this.delivery(step.problem);
      case "form":
        return this.form(step);
      case "paying":
        return confirming(step, this.dismiss);
      case "paid":
        return this.paid(step);
      case "gone":
        return this.gone(step.lines);
      case "sold_out":
        return this.end("Sold out", "Somebody was faster. Nothing was charged.");
      case "expired":
        return this.end("Reservation ended", step.why, "", "Reserve again");
      case "refused":
        return this.end("That did not work", step.why, "", "Try again");
    }
  }

  private paid({ number, token }: Extract<Step, { name: "paid" }>) {
    const { shopper, passkeys } = this.account;
    const offer = !shopper || (passkeys && !shopper.passkeys);
    return html`
      <div class="end good" role="alert">
        <h3>Paid. Thank you!</h3>
        <p>It is yours. Your order number: <strong class="order">${number}</strong></p>
      </div>
      ${token ? html`<p><a href="/orders/${token}" target="_blank">See your order</a></p>` : nothing}
      ${offer
        ? html`<details class="next">
            <summary>Pay in one tap next time</summary>
            ${shopper
              ? html`<p>Your face or finger in place of a code, on this device.</p>
                  <button class="quiet" @click=${() => void this.account.register().catch(() => undefined)}>
                    Make a passkey
                  </button>`
              : html`<sign-in .account=${this.account} email=${this.checkout.buyer.email}></sign-in>`}
          </details>`
        : nothing}
      <div class="actions">
        <button class="primary" data-first @click=${() => this.dismiss()}>Back to the show</button>
      </div>
    `;
  }

  private gone(lines: Gone[]) {
    return someGone(lines, () => void this.checkout.without(lines), () => this.leave(undefined, "keep"));
  }

  private end(title: string, text: string, tone = "", again = "") {
    const first = again ? "quiet" : "primary";
    return html`
      <div class="end ${tone}" role="alert">
        <h3>${title}</h3>
        <p>${text}</p>
      </div>
      <div class="actions">
        ${again
          ? html`<button class="primary" data-first @click=${() => this.checkout.again()}>${again}</button>`
          : nothing}
        <button class=${first} ?data-first=${!again} @click=${() => this.dismiss()}>Back to the show</button>
      </div>
    `;
  }

  private details({ problem, fields }: Extract<Step, { name: "details" }>) {
    const { checkout } = this;
    const countries = checkout.cart?.delivery.countries ?? [];
    const address = checkout.address ?? noAddress(likely(countries.map(({ code }) => code)));
    return html`
      ${this.lines()} ${this.reserved()} ${this.wrong(problem)} ${this.returning()}
      <form @submit=${this.enter}>
        ${contactFields(checkout.buyer, { mailHint: true })}
        ${addressFields(address, countries, fields ?? {}, (country) => {
          const form = this.renderRoot.querySelector("form");
          checkout.address = { ...(form ? addressIn(form) : address), country };
          if (form) checkout.buyer = buyerIn(form);
          this.requestUpdate();
        })}
        <button class="primary wide">Go on</button>
      </form>
      ${this.keep()}
    `;
  }

  private delivery(problem: string | null) {
    const { methods, methodId } = this.checkout;
    return html`
      ${this.reserved()} ${this.wrong(problem)}
      ${deliveryForm(methods, methodId, (id) => void this.checkout.deliverBy(id))} ${this.back()}
    `;
  }

  private form({ problem, ready }: Extract<Step, { name: "form" }>) {
    const { checkout } = this;
    const { quote, sends, address, buyer } = checkout;
    const method = checkout.methods.find(({ id }) => id === quote?.shipping_method_id)?.title ?? "";
    return html`
      ${this.lines()} ${this.reserved()} ${this.wrong(problem)} ${sends ? nothing : this.returning()}
      <form @submit=${this.submit}>
        ${(sends && address) || checkout.paying
          ? html`<p class="means">
              ${buyer.name}<br /><small>${address ? `${addressLine(address)} · ` : ""}${buyer.email}</small>
            </p>`
          : contactFields(buyer)}
        ${quote && ready ? sumsTable(quote.sums, checkout.lines, method) : nothing}
        ${quote?.form
          ? html`<pay-choice .form=${quote.form}></pay-choice>`
          : html`<p class="means" role="status">${ready ? "Nothing to pay." : "One moment…"}</p>`}
        <button class="primary wide" ?disabled=${!ready || this.busy} ?data-first=${Boolean(buyer.email)}>
          ${this.busy ? "One moment…" : `Pay ${this.price()}`}
        </button>
        <small>You are charged only if it is yours: it stays reserved while you pay.</small>
      </form>
      ${ready && quote
        ? html`<coupon-field
            .code=${checkout.code}
            .offMinor=${quote.sums.discount_minor}
            currency=${quote.sums.currency}
            .problem=${checkout.codeProblem}
            @coupon=${({ detail }: CustomEvent<{ code: string }>) => void checkout.useCode(detail.code)}
          ></coupon-field>`
        : nothing}
      ${sends ? this.back() : nothing} ${this.keep()}
    `;
  }

  /** The lines, where there is more to see than what the heading says. */
  private lines() {
    const { lines, item, paying } = this.checkout;
    const only = lines.length <= 1 && item && (lines[0]?.quantity ?? 1) === 1;
    if (!lines.length || only) return this.policy();
    return html`
      <cart-lines
        .lines=${lines}
        .now=${this.now}
        .version=${this.version}
        .fixed=${paying}
        @amount=${({ detail }: CustomEvent<{ variantId: string; quantity: number }>) =>
          void this.amount(detail.variantId, detail.quantity)}
      ></cart-lines>
      ${this.changed ? html`<p class="problem" role="alert">${this.changed}</p>` : nothing} ${this.policy()}
    `;
  }

  private policy() {
    const said = new Set(this.checkout.lines.map(({ return_policy }) => return_policy).filter(Boolean));
    if (!said.size) return nothing;
    return html`<details class="next">
      <summary>Returns</summary>
      ${[...said].map((text) => html`<p>${text}</p>`)}
    </details>`;
  }

  private reserved() {
    const { secondsLeft, lines, held } = this.checkout;
    if (!held) return nothing;
    const hurry = secondsLeft <= HURRY_SECONDS;
    return html`
      <p class="reserved number ${hurry ? "soon" : ""}" role="timer">
        Reserved for you${lines.length > 1 ? ", all of it" : ""}: <strong>${countdown(secondsLeft)}</strong>
      </p>
      <p class="visually-hidden" role="status">${hurry ? "Your reservation ends in a few seconds." : ""}</p>
    `;
  }

  private wrong(problem: string | null) {
    return problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing;
  }

  private returning() {
    if (this.signing) {
      return html`<sign-in
        .account=${this.account}
        email=${this.account.shopper?.email ?? ""}
        @signed-in=${this.signedIn}
      ></sign-in>`;
    }
    if (this.account.shopper) return nothing;
    return html`<button class="link" @click=${() => (this.signing = true)}>Bought here before? Sign in</button>`;
  }

  private back() {
    return html`<button class="quiet" @click=${() => this.checkout.back()}>Back</button>`;
  }

  private keep() {
    if (this.checkout.paying) return nothing;
    return html`<button class="quiet" @click=${() => this.leave(undefined, "keep")}>
      Keep it in my cart and watch on
    </button>`;
  }
}
