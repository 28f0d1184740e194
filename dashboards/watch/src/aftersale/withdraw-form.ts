/** "Withdraw from contract": say who and what, look at the declaration, confirm it (Directive 2023/2673). */

import { ApiError, type MyOrder, type MyOrderApi, type Withdrawal } from "@simulcast/api";
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { theme } from "../theme";
import { piecesFields } from "./pieces";
import { aftersaleStyles } from "./styles";
import { all, chosenIn, moment, randomKey, refundWords } from "./words";

interface Wish {
  name: string;
  email: string | null;
  lines: { line_id: string; quantity: number }[] | null;
}

/** Fires `changed` once a withdrawal is confirmed, and `left` when the buyer thinks better of it. */
export class WithdrawForm extends LitElement {
  static override styles = [theme, aftersaleStyles];
  static override properties = {
    api: { attribute: false },
    order: { attribute: false },
    wish: { state: true },
    looked: { state: true },
    done: { state: true },
    problem: { state: true },
    busy: { state: true },
  };

  declare api: MyOrderApi;
  declare order: MyOrder;
  private declare wish: Wish | null;
  private declare looked: Withdrawal | null;
  private declare done: Withdrawal | null;
  private declare problem: string;
  private declare busy: boolean;
  /** The same until it is confirmed: pressed twice, it is one withdrawal. */
  private readonly key = randomKey();

  constructor() {
    super();
    this.wish = this.looked = this.done = null;
    this.problem = "";
    this.busy = false;
  }

  private look(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const typed = new FormData(form);
    const lines = chosenIn(form, this.order);
    const name = String(typed.get("name") ?? "").trim();
    if (!name) this.problem = "Enter your name.";
    else if (!lines.length) this.problem = "Choose at least one piece.";
    else {
      const email = String(typed.get("email") ?? "").trim() || null;
      this.wish = { name, email, lines: all(lines, this.order) ? null : lines };
      void this.ask(false);
    }
  }

  private async ask(confirm: boolean): Promise<void> {
    if (!this.wish || this.busy) return;
    this.busy = true;
    this.problem = "";
    try {
      const found = await this.api.withdraw({ ...this.wish, key: this.key, confirm });
      if (confirm) {
        this.done = { ...found, statement: this.looked?.statement ?? found.statement };
        this.dispatchEvent(new CustomEvent("changed"));
      } else this.looked = found;
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : "Something went wrong. Try again.";
    } finally {
      this.busy = false;
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>("h2")?.focus();
    }
  }

  private leave = (): void => {
    this.dispatchEvent(new CustomEvent("left"));
  };

  override render(): TemplateResult {
    const { problem } = this;
    return html`
      <section aria-live="polite">
        ${this.done ? this.confirmed(this.done) : this.looked ? this.lookedAt(this.looked) : this.asking()}
        ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      </section>
    `;
  }

  private asking(): TemplateResult {
    return html`
      <form @submit=${this.look} novalidate>
        <h2 tabindex="-1">Withdraw from the contract of order ${this.order.number}</h2>
        <p class="small">You need no reason. On the next page you see your declaration before it is made.</p>
        <label>Your name <input type="text" name="name" autocomplete="name" maxlength="200" required /></label>
        <label>
          E-mail for the confirmation
          <input type="email" name="email" autocomplete="email" maxlength="320" />
          <span class="small">Empty: the address you ordered with.</span>
        </label>
        ${piecesFields(this.order, true)}
        <div class="actions">
          <button class="primary" aria-disabled=${this.busy}>Continue</button>
          <button type="button" class="quiet" @click=${this.leave}>Keep the order</button>
        </div>
      </form>
    `;
  }

  private lookedAt(looked: Withdrawal): TemplateResult {
    return html`
      <h2 tabindex="-1">Your declaration</h2>
      <p class="said">${looked.statement}</p>
      <p>${refundWords(looked)}</p>
      <div class="actions">
        <button class="primary" aria-disabled=${this.busy} @click=${() => void this.ask(true)}>
          Confirm withdrawal
        </button>
        <button class="quiet" @click=${() => (this.looked = null)}>Back</button>
      </div>
    `;
  }

  private confirmed(done: Withdrawal): TemplateResult {
    return html`
      <h2 tabindex="-1">You have withdrawn</h2>
      <p class="said">${done.statement}</p>
      <p>
        Received ${done.at ? moment(done.at) : ""}, reference <strong>${done.number}</strong>. The confirmation is on
        its way to you by mail.
      </p>
    `;
  }
}
