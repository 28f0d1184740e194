/** The sheet that a purchase happens in: reserved, paid, or an honest reason why not. */

import { countdown, formatMoney } from "@simulcast/api";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Checkout, Step } from "./checkout";
import { sheetStyles } from "./sheet-styles";
import { theme } from "./theme";

/** From here on the remaining time is warned about. */
const HURRY_SECONDS = 20;

/** Shown while it is in the page. Fires `done` when it may go. */
export class BuySheet extends LitElement {
  static override styles = [theme, sheetStyles];
  static override properties = {
    checkout: { attribute: false },
    source: { attribute: false },
    version: { type: Number },
  };

  declare checkout: Checkout;
  /** The payment method's token, or null when there is none to pay with. */
  declare source: string | null;
  /** Goes up with each change of the checkout. */
  declare version: number;
  private ticker: ReturnType<typeof setInterval> | undefined;
  private shown: Step["name"] | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticker = setInterval(() => this.checkout.tick(), 500);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticker);
  }

  protected override firstUpdated(): void {
    this.dialog.showModal();
  }

  protected override updated(_: PropertyValues<this>): void {
    const { name } = this.checkout.step;
    if (name === this.shown) return;
    this.shown = name;
    // What was focused is gone with the last step. A phone's keyboard would hide the sheet, so not there.
    const next = this.renderRoot.querySelector<HTMLElement>("[data-first]");
    if (next instanceof HTMLInputElement && !matchMedia("(hover: hover)").matches) this.heading.focus();
    else (next ?? this.heading).focus();
  }

  private get dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog") as HTMLDialogElement;
  }

  private get heading(): HTMLElement {
    return this.renderRoot.querySelector("#what") as HTMLElement;
  }

  private dismiss(event?: Event): void {
    event?.preventDefault();
    this.dialog.close(); // gives the focus back to the Buy button
    this.dispatchEvent(new CustomEvent("done"));
  }

  private backdrop(event: MouseEvent): void {
    // A stray tap must not cost anybody their reservation.
    if (event.target === this.dialog && this.checkout.step.name !== "form") this.dismiss();
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? "").trim();
    if (this.source) void this.checkout.pay({ email: text("email"), name: text("name") }, this.source);
  }

  protected override render() {
    const { item } = this.checkout;
    return html`
      <dialog aria-labelledby="what" @cancel=${this.dismiss} @click=${this.backdrop}>
        <div class="sheet">
          <div class="what">
            ${item.imageUrl ? html`<img src=${item.imageUrl} alt="" width="64" height="64" />` : nothing}
            <div>
              <h2 id="what" tabindex="-1">${item.title}</h2>
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

  private price(): string {
    const { hold, item } = this.checkout;
    return hold
      ? formatMoney(hold.unit_minor * hold.quantity, hold.currency)
      : formatMoney(item.priceMinor, item.currency);
  }

  private body(): TemplateResult {
    const { step } = this.checkout;
    switch (step.name) {
      case "reserving":
        return html`<p class="wait" role="status"><span class="spinner"></span>Reserving it for you…</p>`;
      case "form":
        return this.form(step.problem);
      case "paying":
        return this.paying(step.slow);
      case "paid":
        return this.end("Paid. Thank you!", html`It is yours. Your order number: ${number(step.number)}`, "good");
      case "sold_out":
        return this.end("Sold out", "Somebody was faster. Nothing was charged.");
      case "expired":
        return this.end("Reservation ended", step.why, "", "Reserve again");
      case "refused":
        return this.end("That did not work", step.why, "", "Try again");
    }
  }

  private paying(slow: boolean) {
    return html`
      <div class="wait" role="status">
        <span class="spinner"></span>
        <div>
          <h3>Reserved for you</h3>
          <p>${slow ? "The bank takes longer than usual. Still confirming payment…" : "Confirming payment…"}</p>
        </div>
      </div>
      <button class="quiet wide" @click=${() => this.dismiss()}>Watch on while we confirm</button>
    `;
  }

  private end(title: string, text: string | TemplateResult, tone = "", again = "") {
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

  private form(problem: string | null) {
    return html`
      ${this.reserved()} ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      <form @submit=${this.submit}>
        ${this.fields()}
        ${this.source
          ? html`<p class="means">
              <strong>Test card</strong> <small>This shop is in test mode: no real money moves.</small>
            </p>`
          : html`<p class="problem">Paying on this page is not open yet. Nothing can be bought here.</p>`}
        <button class="primary wide" ?disabled=${!this.source}>Pay ${this.price()}</button>
        <small>You are charged only if it is yours: it stays reserved while you pay.</small>
      </form>
    `;
  }

  private reserved() {
    const { secondsLeft } = this.checkout;
    const hurry = secondsLeft <= HURRY_SECONDS;
    return html`
      <p class="reserved number ${hurry ? "soon" : ""}" role="timer">
        Reserved for you: <strong>${countdown(secondsLeft)}</strong>
      </p>
      <p class="visually-hidden" role="status">${hurry ? "Your reservation ends in a few seconds." : ""}</p>
    `;
  }

  private fields() {
    const { buyer } = this.checkout;
    return html`
      <label for="name">Name</label>
      <input
        id="name"
        name="name"
        type="text"
        value=${buyer.name}
        ?data-first=${!buyer.name}
        autocomplete="name"
        enterkeyhint="next"
        required
        maxlength="120"
      />
      <label for="email">E-mail</label>
      <input
        id="email"
        name="email"
        type="email"
        value=${buyer.email}
        autocomplete="email"
        enterkeyhint="done"
        pattern="[^@\s]+@[^@\s]+\.[^@\s]+"
        title="An address like name@example.com"
        required
        maxlength="320"
      />
    `;
  }
}

/** Never broken over two lines: buyers read it aloud. */
function number(text: string): TemplateResult {
  return html`<strong class="order">${text}</strong>`;
}
