/** The small sheet of a claim's link: asks for the name in the chat, or says why it can't be opened. */

import { countdown, secondsLeft } from "@simulcast/api";
import { html, LitElement, nothing } from "lit";
import type { ClaimLink, LinkStep } from "./claim-link";
import { sheetStyles } from "./sheet-styles";
import { theme } from "./theme";

type Asking = Extract<LinkStep, { name: "asking" }>;
type Told = Extract<LinkStep, { name: "told" }>;

const TICK_MS = 1_000;

/** Shown while it is in the page. Fires `cart` when the buyer wants to go on with what they have. */
export class ClaimSheet extends LitElement {
  static override styles = [theme, sheetStyles];
  static override properties = {
    link: { attribute: false },
    now: { attribute: false },
    version: { type: Number },
  };

  declare link: ClaimLink;
  /** Server time in ms. */
  declare now: () => number;
  declare version: number;
  private shown = "";
  private ticker: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticker = setInterval(() => {
      this.link.tick();
      this.requestUpdate();
    }, TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticker);
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  /** Where something new is shown, reading and typing go on there. */
  protected override updated(): void {
    const { step } = this.link;
    const shown = `${step?.name} ${step?.name === "asking" ? step.wrong : ""}`;
    if (shown === this.shown) return;
    this.shown = shown;
    this.renderRoot.querySelector<HTMLElement>("[data-first]")?.focus();
  }

  private close = (event?: Event): void => {
    event?.preventDefault();
    this.link.dismiss();
  };

  private give = (event: SubmitEvent): void => {
    event.preventDefault();
    const name = new FormData(event.target as HTMLFormElement).get("name");
    void this.link.give(String(name ?? ""));
  };

  private toCart = (): void => {
    this.link.dismiss();
    this.dispatchEvent(new CustomEvent("cart"));
  };

  protected override render() {
    const { step } = this.link;
    return html`<dialog aria-labelledby="what" @cancel=${this.close}>
      <div class="sheet">
        <div class="what">
          <div>
            <h2 id="what" tabindex="-1" ?data-first=${step?.name === "opening"}>
              ${step?.name === "told" ? step.title : "What you claimed in the chat"}
            </h2>
          </div>
          <button class="close" aria-label="Close" @click=${this.close}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18" /></svg>
          </button>
        </div>
        ${step?.name === "opening"
          ? html`<div class="wait" role="status">
              <span class="spinner"></span>
              <p>Opening your reservation…</p>
            </div>`
          : nothing}
        ${step?.name === "asking" ? this.asking(step) : nothing}
        ${step?.name === "told" ? this.told(step) : nothing}
      </div>
    </dialog>`;
  }

  private asking({ wrong, busy, expiresAt }: Asking) {
    const left = expiresAt ? secondsLeft(expiresAt, this.now()) : 0;
    return html`
      ${left ? html`<p class="reserved number" role="timer">Still reserved: <strong>${countdown(left)}</strong></p>` : nothing}
      <form @submit=${this.give} novalidate>
        <label for="name">Your name in the chat</label>
        <input
          id="name"
          name="name"
          type="text"
          data-first
          maxlength="100"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          enterkeyhint="go"
          aria-invalid=${wrong ? "true" : nothing}
          aria-describedby=${wrong ? "wrong hint" : "hint"}
        />
        ${wrong ? html`<small class="why" id="wrong" role="alert">${wrong}</small>` : nothing}
        <small id="hint">
          Everybody in the chat can open this link, so we ask whose it is. After five wrong names it is closed.
        </small>
        <button class="primary wide" aria-disabled=${busy}>${busy ? "One moment…" : "Go on"}</button>
      </form>
    `;
  }

  private told({ why, next }: Told) {
    const back = next ? "quiet" : "primary";
    return html`
      <p role="alert">${why}</p>
      <div class="actions">
        ${next === "again"
          ? html`<button class="primary" data-first @click=${() => void this.link.again()}>Try again</button>`
          : nothing}
        ${next === "cart"
          ? html`<button class="primary" data-first @click=${this.toCart}>Go to your cart</button>`
          : nothing}
        <button class=${back} ?data-first=${!next} @click=${this.close}>Back to the show</button>
      </div>
    `;
  }
}
