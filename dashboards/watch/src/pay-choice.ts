/** How to pay: a card that was kept, or the gateway's own fields. */

import type { Payment, PaymentForm, SavedMethod } from "@simulcast/api";
import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { type PaymentWidget, widgetFor } from "./pay/widget";
import { wordsOf } from "./purchase-types";
import { theme } from "./theme";

const NEW = "new";

export class PayChoice extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }
      fieldset {
        border: 0;
        margin: 0;
        padding: 0;
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.5rem;
        min-width: 0;
      }
      legend {
        font-size: 0.875rem;
        font-weight: 600;
        padding: 0 0 0.375rem;
      }
      label {
        display: flex;
        align-items: center;
        gap: 0.625rem;
        min-height: 2.75rem;
        padding: 0 0.875rem;
        border: 1px solid var(--line);
        border-radius: 0.75rem;
        cursor: pointer;
      }
      label:has(:checked) {
        border-color: var(--text);
      }
      input[type="radio"],
      input[type="checkbox"] {
        width: 1.25rem;
        height: 1.25rem;
        flex: none;
        margin: 0;
        accent-color: var(--accent);
      }
      .keep {
        border: 0;
        padding: 0;
        margin-top: 0.25rem;
      }
      .fields[hidden] {
        display: none;
      }
      .fields {
        min-height: 2.75rem;
        overflow-wrap: anywhere;
      }
      .wrong {
        color: var(--warn-text);
      }
    `,
  ];
  static override properties = {
    form: { attribute: false },
    chosen: { state: true },
    keep: { state: true },
    wrong: { state: true },
  };

  declare form: PaymentForm;
  private declare chosen: string;
  private declare keep: boolean;
  private declare wrong: string;
  private widget: PaymentWidget | null = null;

  constructor() {
    super();
    this.chosen = NEW;
    this.keep = false;
    this.wrong = "";
  }

  /** What to pay with; throws a sentence for the buyer when it is not complete. */
  async payment(): Promise<Payment> {
    if (this.chosen !== NEW) return { saved_method_id: this.chosen };
    if (!this.widget) throw new Error(this.wrong || "The card form is still loading. Try again in a moment.");
    const source = await this.widget.source();
    return { source, gateway: this.form.connection_id, ...(this.keep ? { save: true } : {}) };
  }

  /** Whether a kept card is chosen. */
  get saved(): boolean {
    return this.chosen !== NEW;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.widget?.unmount();
    this.widget = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("form")) return;
    const { saved } = this.form;
    if (this.chosen === NEW && saved[0]) this.chosen = saved[0].id;
    if (this.chosen !== NEW && !saved.some(({ id }) => id === this.chosen)) this.chosen = NEW;
  }

  protected override updated(): void {
    if (this.chosen === NEW && !this.widget) void this.open();
  }

  private async open(): Promise<void> {
    const into = this.renderRoot.querySelector<HTMLElement>(".fields");
    if (!into) return;
    try {
      const widget = widgetFor(this.form);
      this.widget = widget;
      await widget.mount(into);
      this.wrong = "";
    } catch (error) {
      this.widget = null;
      this.wrong = wordsOf(error);
    }
  }

  protected override render() {
    const { saved } = this.form;
    return html`
      ${saved.length
        ? html`<fieldset>
            <legend>Pay with</legend>
            ${saved.map((method) => this.option(method.id, cardName(method)))} ${this.option(NEW, "Another card")}
          </fieldset>`
        : nothing}
      <div class="fields" ?hidden=${this.chosen !== NEW}></div>
      ${this.wrong ? html`<p class="wrong" role="alert">${this.wrong}</p>` : nothing}
      ${this.chosen === NEW
        ? html`<label class="keep">
            <input
              type="checkbox"
              .checked=${this.keep}
              @change=${(event: Event) => (this.keep = (event.target as HTMLInputElement).checked)}
            />
            Keep this card for my next orders at this shop
          </label>`
        : nothing}
    `;
  }

  private option(value: string, title: string) {
    return html`<label>
      <input
        type="radio"
        name="method"
        .checked=${this.chosen === value}
        @change=${() => (this.chosen = value)}
      />${title}
    </label>`;
  }
}

/** "Visa ending in 4242". */
export function cardName({ card_brand, last4 }: SavedMethod): string {
  const brand = card_brand ? card_brand[0]?.toUpperCase() + card_brand.slice(1) : "Card";
  return last4 ? `${brand} ending in ${last4}` : brand;
}
