/** The buyer's own sheet: sign in, join the members, see and remove kept cards, make a passkey, sign out. */

import { css, html, LitElement, nothing } from "lit";
import type { Account } from "./account";
import { cardName } from "./pay-choice";
import { wordsOf } from "./purchase-types";
import { sheetStyles } from "./sheet-styles";
import { theme } from "./theme";

/** Shown while it is in the page. Fires `done` when it may go. */
export class AccountSheet extends LitElement {
  static override styles = [
    theme,
    sheetStyles,
    css`
      li {
        display: flex;
        justify-content: space-between;
        align-items: center;
        gap: 0.75rem;
      }
    `,
  ];
  static override properties = {
    account: { attribute: false },
    shop: { type: String },
    version: { type: Number },
    wrong: { state: true },
  };

  declare account: Account;
  /** The brand's name. */
  declare shop: string;
  declare version: number;
  private declare wrong: string;

  constructor() {
    super();
    this.wrong = "";
  }

  protected override firstUpdated(): void {
    this.dialog.showModal();
  }

  private get dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog") as HTMLDialogElement;
  }

  private close = (event?: Event): void => {
    event?.preventDefault();
    this.dialog.close();
    this.dispatchEvent(new CustomEvent("done"));
  };

  private attempt(step: () => Promise<unknown>): void {
    this.wrong = "";
    step().catch((error: unknown) => (this.wrong = wordsOf(error)));
  }

  protected override render() {
    const { shopper } = this.account;
    return html`<dialog aria-labelledby="who" @cancel=${this.close}>
      <div class="sheet">
        <div class="what">
          <div>
            <h2 id="who" tabindex="-1">${shopper ? shopper.name || shopper.email : "Sign in"}</h2>
            <p class="price">${shopper ? shopper.email : "Or buy as a guest: you need no account."}</p>
          </div>
          <button class="close" aria-label="Close" @click=${this.close}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18" /></svg>
          </button>
        </div>
        ${shopper ? this.signedIn() : html`<sign-in .account=${this.account}></sign-in>`}
        ${this.wrong ? html`<p class="problem" role="alert">${this.wrong}</p>` : nothing}
      </div>
    </dialog>`;
  }

  private signedIn() {
    const { account } = this;
    const { shopper } = account;
    if (!shopper) return nothing;
    return html`
      ${shopper.member_since
        ? html`<p class="reserved">You are a member of ${this.shop}: some offers are yours first.</p>`
        : html`<button class="primary wide" @click=${() => this.attempt(() => account.join())}>
            Join the members of ${this.shop}
          </button>`}
      ${shopper.saved.length
        ? html`<ul role="list" aria-label="Cards you let us keep">
            ${shopper.saved.map(
              (method) => html`<li>
                ${cardName(method)}
                <button
                  class="quiet"
                  aria-label=${`Remove ${cardName(method)}`}
                  @click=${() => this.attempt(() => account.forget(method.id))}
                >
                  Remove
                </button>
              </li>`,
            )}
          </ul>`
        : nothing}
      ${account.passkeys && !shopper.passkeys
        ? html`<button class="quiet" @click=${() => this.attempt(() => account.register())}>
            Make a passkey on this device
          </button>`
        : nothing}
      <own-copy .account=${account}></own-copy>
      <button class="quiet" @click=${() => this.attempt(() => account.leave())}>Sign out</button>
    `;
  }
}
