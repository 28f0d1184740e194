/** Where a code is typed in: folded away until wanted, with a plain sentence when it can't be used. */

import { formatMoney } from "@simulcast/api";
import { css, html, LitElement, nothing } from "lit";
import { theme } from "../theme";

/** Fires `coupon {code}`; "" takes the code out again. What it came to is handed back in. */
export class CouponField extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }
      form,
      .taken {
        display: flex;
        gap: 0.5rem;
        align-items: center;
      }
      .taken {
        justify-content: space-between;
        font-weight: 600;
      }
      input[type="text"] {
        flex: 1;
        text-transform: uppercase;
      }
      .open {
        color: var(--accent-text);
        font-weight: 600;
      }
      .problem {
        margin-top: 0.25rem;
        color: var(--bad-text, var(--warn-text));
        font-size: 0.875rem;
      }
    `,
  ];
  static override properties = {
    code: { type: String },
    offMinor: { attribute: false },
    currency: { type: String },
    problem: { type: String },
    busy: { type: Boolean },
    open: { state: true },
  };

  /** The code that is in force; "" for none. */
  declare code: string;
  declare offMinor: number;
  declare currency: string;
  /** Why the last one could not be used: the hub's own sentence. */
  declare problem: string;
  declare busy: boolean;
  private declare open: boolean;

  constructor() {
    super();
    this.code = "";
    this.offMinor = 0;
    this.currency = "EUR";
    this.problem = "";
    this.busy = false;
    this.open = false;
  }

  protected override render() {
    if (this.code) {
      return html`<p class="taken number" role="status">
        <span>${this.code}: −${formatMoney(this.offMinor, this.currency)}</span>
        <button class="quiet" @click=${() => this.say("")}>Take out</button>
      </p>`;
    }
    if (!this.open) {
      return html`<button class="open" @click=${() => (this.open = true)}>I have a code</button>`;
    }
    return html`
      <form @submit=${this.submit}>
        <input
          type="text"
          name="code"
          aria-label="Code"
          aria-invalid=${Boolean(this.problem)}
          aria-describedby="problem"
          placeholder="Code"
          maxlength="32"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          required
        />
        <button class="quiet" ?disabled=${this.busy}>${this.busy ? "Checking…" : "Use"}</button>
      </form>
      <p class="problem" id="problem" role="alert">${this.problem || nothing}</p>
    `;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const typed = new FormData(event.target as HTMLFormElement).get("code");
    const code = String(typed ?? "").trim().toUpperCase();
    if (code && !this.busy) this.say(code);
  }

  private say(code: string): void {
    this.dispatchEvent(new CustomEvent("coupon", { detail: { code }, bubbles: true, composed: true }));
  }
}
