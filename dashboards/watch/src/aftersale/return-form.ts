/** Ask to send something back: which pieces and why. */

import { ApiError, type MyOrder, type MyOrderApi } from "@simulcast/api";
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { theme } from "../theme";
import { piecesFields } from "./pieces";
import { aftersaleStyles } from "./styles";
import { chosenIn, randomKey } from "./words";

const REASONS = ["It does not fit", "It is not as shown", "It is damaged", "The wrong thing came", "Other"];

/** Fires `changed` once it is asked, and `left` when the buyer thinks better of it. */
export class ReturnForm extends LitElement {
  static override styles = [theme, aftersaleStyles];
  static override properties = {
    api: { attribute: false },
    order: { attribute: false },
    problem: { state: true },
    busy: { state: true },
  };

  declare api: MyOrderApi;
  declare order: MyOrder;
  private declare problem: string;
  private declare busy: boolean;
  /** Pressed twice, it is one return. */
  private readonly key = randomKey();

  constructor() {
    super();
    this.problem = "";
    this.busy = false;
  }

  private async ask(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const lines = chosenIn(form, this.order);
    if (!lines.length) {
      this.problem = "Choose at least one piece.";
      return;
    }
    if (this.busy) return;
    const typed = new FormData(form);
    this.busy = true;
    this.problem = "";
    try {
      const reason = String(typed.get("reason"));
      const note = String(typed.get("note") ?? "").trim();
      await this.api.sendBack({ key: this.key, lines, reason, note });
      this.dispatchEvent(new CustomEvent("changed"));
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : "Something went wrong. Try again.";
    } finally {
      this.busy = false;
    }
  }

  private leave = (): void => {
    this.dispatchEvent(new CustomEvent("left"));
  };

  override render(): TemplateResult {
    return html`
      <form @submit=${(event: SubmitEvent) => void this.ask(event)} novalidate>
        <h2>Send something back</h2>
        <p class="small">The shop answers by mail and says where to send it.</p>
        ${piecesFields(this.order, false)}
        <label>
          Why
          <select name="reason">
            ${REASONS.map((reason) => html`<option>${reason}</option>`)}
          </select>
        </label>
        <label>Anything else <input type="text" name="note" maxlength="500" /></label>
        ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
        <div class="actions">
          <button class="primary" aria-disabled=${this.busy}>Ask for the return</button>
          <button type="button" class="quiet" @click=${this.leave}>Back</button>
        </div>
      </form>
    `;
  }
}
