/** What a buyer may do with their order: cancel, withdraw, send back, and get their invoice. */

import { ApiError, type MyOrder, MyOrderApi, type Paper } from "@simulcast/api";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { theme } from "../theme";
import { aftersaleStyles } from "./styles";
import { cancelWords, returnWords, untilWords } from "./words";

type Open = "withdraw" | "return" | null;

/**
 * `order`: the token of the order's link, or its id beside `token`, the page's own. `version`: give another one
 * to have it read again. Fires `order-changed` when something was done.
 */
export class OrderActions extends LitElement {
  static override styles = [theme, aftersaleStyles];
  static override properties = {
    order: { type: String },
    token: { type: String },
    version: { attribute: false },
    api: { attribute: false },
    mine: { state: true },
    open: { state: true },
    problem: { state: true },
    busy: { state: true },
  };

  declare order: string;
  declare token: string | null;
  declare version: unknown;
  /** Made from `order` and `token` unless one is given. */
  declare api: MyOrderApi | undefined;
  private declare mine: MyOrder | null;
  private declare open: Open;
  private declare problem: string;
  private declare busy: boolean;

  constructor() {
    super();
    this.order = "";
    this.token = null;
    this.version = 0;
    this.mine = null;
    this.open = null;
    this.problem = "";
    this.busy = false;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (this.order && (changed.has("order") || changed.has("token"))) this.api = new MyOrderApi(this.order, this.token);
    if ((["order", "token", "version", "api"] as const).some((name) => changed.has(name))) void this.load();
  }

  private async load(): Promise<void> {
    await this.trying(async (api) => {
      this.mine = await api.after();
    });
  }

  private async trying(act: (api: MyOrderApi) => Promise<void>): Promise<void> {
    if (!this.api || this.busy) return;
    this.busy = true;
    this.problem = "";
    try {
      await act(this.api);
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : "Something went wrong. Try again.";
    } finally {
      this.busy = false;
    }
  }

  private cancel = (): void => {
    void this.trying(async (api) => {
      this.mine = await api.cancel();
      this.tell();
    });
  };

  private tell(): void {
    this.dispatchEvent(new CustomEvent("order-changed", { bubbles: true, composed: true }));
  }

  private changed = async (): Promise<void> => {
    if (this.open === "return") this.open = null;
    await this.load();
    this.tell();
  };

  private download(paper: Paper): void {
    void this.trying(async (api) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await api.invoice(paper.id));
      link.download = `${paper.number}.pdf`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  override render(): TemplateResult {
    const { mine, problem } = this;
    return html`
      ${mine ? this.shown(mine) : nothing}
      ${problem
        ? html`<p class="problem" role="alert">${problem}</p>
            ${mine ? nothing : html`<button class="quiet" @click=${() => void this.load()}>Try again</button>`}`
        : nothing}
    `;
  }

  private shown(mine: MyOrder): TemplateResult {
    const { rights } = mine;
    return html`
      ${rights.can_cancel && !this.open
        ? html`<section>
            <p>${cancelWords(rights)}</p>
            <div class="actions">
              <button class="quiet" aria-disabled=${this.busy} @click=${this.cancel}>Cancel this order</button>
            </div>
          </section>`
        : nothing}
      ${this.withdrawing(mine)} ${this.returning(mine)}
      ${mine.returns.length
        ? html`<section>
            <h2>What was done</h2>
            ${mine.returns.map((one) => html`<p class="said">${returnWords(one)}</p>`)}
            ${mine.return_address && mine.returns.some(({ state }) => state === "approved")
              ? html`<p class="small">Send to: ${mine.return_address.split("\n").join(", ")}</p>`
              : nothing}
          </section>`
        : nothing}
      ${mine.invoices.length
        ? html`<section>
            <h2>Invoices</h2>
            ${mine.invoices.map(
              (paper) => html`<button class="link" @click=${() => this.download(paper)}>
                ${paper.kind === "invoice" ? "Invoice" : "Credit note"} ${paper.number} (PDF)
              </button>`,
            )}
          </section>`
        : nothing}
    `;
  }

  private withdrawing(mine: MyOrder): TemplateResult | typeof nothing {
    const close = () => (this.open = null);
    if (this.open === "withdraw") {
      return html`<withdraw-form .api=${this.api} .order=${mine} @changed=${this.changed} @left=${close}>
      </withdraw-form>`;
    }
    if (!mine.rights.can_withdraw || !mine.rights.withdrawal || this.open) return nothing;
    return html`<section>
      <p class="small">
        By law you may withdraw from this purchase ${untilWords(mine.rights.withdrawal)}, without a reason.
      </p>
      <div class="actions">
        <button class="quiet" @click=${() => (this.open = "withdraw")}>Withdraw from contract here</button>
      </div>
    </section>`;
  }

  private returning(mine: MyOrder): TemplateResult | typeof nothing {
    const close = () => (this.open = null);
    if (this.open === "return") {
      return html`<return-form .api=${this.api} .order=${mine} @changed=${this.changed} @left=${close}>
      </return-form>`;
    }
    if (!mine.rights.can_return || this.open) return nothing;
    return html`<section>
      <div class="actions">
        <button class="quiet" @click=${() => (this.open = "return")}>Send something back</button>
      </div>
      <p class="small">You can ask for that ${untilWords(mine.rights.returns)}.</p>
    </section>`;
  }
}
