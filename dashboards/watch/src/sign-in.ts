/** A buyer signs in by a code sent to them, or by a passkey; and sets up paying in one tap. */

import { css, html, LitElement, nothing } from "lit";
import type { Account } from "./account";
import { wordsOf } from "./purchase-types";
import { theme } from "./theme";

/** Fires `signed-in`. With `email` the code is for that address. */
export class SignIn extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }
      form,
      .ways {
        display: grid;
        gap: 0.5rem;
      }
      label {
        font-size: 0.875rem;
        font-weight: 600;
      }
      .wrong {
        color: var(--warn-text);
      }
      .code {
        font-size: 1.25rem;
        letter-spacing: 0.25em;
      }
    `,
  ];
  static override properties = {
    account: { attribute: false },
    email: { type: String },
    sent: { state: true },
    busy: { state: true },
    wrong: { state: true },
  };

  declare account: Account;
  declare email: string;
  private declare sent: string;
  private declare busy: boolean;
  private declare wrong: string;

  constructor() {
    super();
    this.email = "";
    this.sent = "";
    this.busy = false;
    this.wrong = "";
  }

  private async attempt(step: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.wrong = "";
    try {
      await step();
    } catch (error) {
      this.wrong = wordsOf(error);
    } finally {
      this.busy = false;
    }
  }

  private send(event: SubmitEvent): void {
    event.preventDefault();
    const email = field(event, "email");
    void this.attempt(async () => {
      await this.account.sendCode(email);
      this.sent = email;
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLInputElement>("#code")?.focus();
    });
  }

  private enter(event: SubmitEvent): void {
    event.preventDefault();
    const code = field(event, "code");
    void this.attempt(async () => {
      await this.account.enter(this.sent, code);
      this.dispatchEvent(new CustomEvent("signed-in", { bubbles: true, composed: true }));
    });
  }

  private passkey(): void {
    void this.attempt(async () => {
      if (await this.account.byPasskey()) {
        this.dispatchEvent(new CustomEvent("signed-in", { bubbles: true, composed: true }));
      }
    });
  }

  protected override render() {
    return html`
      <div class="ways">
        ${this.sent ? this.codeForm() : this.mailForm()}
        ${this.account.passkeys && !this.sent
          ? html`<button class="quiet" type="button" @click=${() => this.passkey()}>Use a passkey instead</button>`
          : nothing}
      </div>
      <p class="wrong" role="alert">${this.wrong}</p>
    `;
  }

  private mailForm() {
    return html`<form @submit=${this.send}>
      <label for="mail">Your e-mail address</label>
      <input
        id="mail"
        name="email"
        type="email"
        required
        maxlength="320"
        autocomplete="email"
        .value=${this.email}
      />
      <button class="quiet" ?disabled=${this.busy}>Send me a code</button>
    </form>`;
  }

  private codeForm() {
    return html`<form @submit=${this.enter}>
      <label for="code">The 6 digits we sent to ${this.sent}</label>
      <input
        id="code"
        class="code number"
        name="code"
        type="text"
        inputmode="numeric"
        autocomplete="one-time-code"
        pattern="\\s*\\d{6}\\s*"
        title="Six digits"
        required
        maxlength="8"
      />
      <button class="quiet" ?disabled=${this.busy}>Sign in</button>
      <button class="quiet" type="button" @click=${() => (this.sent = "")}>Use another address</button>
    </form>`;
  }
}

function field(event: SubmitEvent, name: string): string {
  return String(new FormData(event.target as HTMLFormElement).get(name) ?? "").trim();
}
