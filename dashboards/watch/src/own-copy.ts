/** A buyer's own copy of what is kept about them: ask for it, wait, save it. */

import type { OwnCopy } from "@simulcast/api";
import { html, LitElement, nothing } from "lit";
import type { Account } from "./account";
import { wordsOf } from "./purchase-types";
import { sheetStyles } from "./sheet-styles";
import { theme } from "./theme";

const LOOK_MS = 2_000;
/** After an answer that did not come. */
const AWAY_MS = 10_000;

export class OwnCopyPart extends LitElement {
  static override styles = [theme, sheetStyles];
  static override properties = {
    account: { attribute: false },
    copy: { state: true },
    wrong: { state: true },
  };

  declare account: Account;
  private declare copy: OwnCopy | null;
  private declare wrong: string;
  private timer = 0;

  constructor() {
    super();
    this.copy = null;
    this.wrong = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(() => this.account.copy());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  private async attempt(step: () => Promise<OwnCopy>): Promise<void> {
    clearTimeout(this.timer);
    this.wrong = "";
    try {
      this.copy = await step();
    } catch (error) {
      this.wrong = wordsOf(error);
    }
    if (this.busy && this.isConnected) {
      const pause = this.wrong ? AWAY_MS : LOOK_MS;
      this.timer = window.setTimeout(() => void this.attempt(() => this.account.copy()), pause);
    }
  }

  private get busy(): boolean {
    return this.copy?.state === "queued" || this.copy?.state === "working";
  }

  private async save(): Promise<void> {
    this.wrong = "";
    try {
      const url = URL.createObjectURL(await this.account.copyFile());
      const link = document.createElement("a");
      link.href = url;
      link.download = "your-data.zip";
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      this.wrong = wordsOf(error);
    }
  }

  protected override render() {
    const { copy } = this;
    if (!copy && !this.wrong) return nothing;
    return html`
      ${copy?.state === "done"
        ? html`<button class="quiet" @click=${() => void this.save()}>Save the copy of my data</button>`
        : this.busy
          ? html`<p role="status">Your copy is being made: step ${copy?.step} of ${copy?.steps}.</p>`
          : html`<button class="quiet" @click=${() => void this.attempt(() => this.account.askCopy())}>
              Get a copy of my data
            </button>`}
      ${this.wrong ? html`<p class="problem" role="alert">${this.wrong}</p>` : nothing}
    `;
  }
}
