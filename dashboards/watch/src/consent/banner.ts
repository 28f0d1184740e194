/** The banner: a part of the page, not over it. Two buttons alike, details on demand; and the line at the foot. */

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { theme } from "../theme";
import type { Choice } from "./allowed";
import type { ConsentDesk } from "./desk";

const styles = css`
  section {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.375rem 0.75rem;
    padding: 0.5rem 1rem;
    min-height: 0;
    overflow-y: auto;
    background: var(--surface);
    border-block: 1px solid var(--line);
    font-size: 0.8125rem;
    line-height: 1.35;
  }
  .said {
    flex: 1 1 20rem;
    min-width: 0;
  }
  h2 {
    font-size: 0.8125rem;
    font-weight: 650;
    display: inline;
  }
  .said p {
    display: inline;
  }
  .link {
    min-height: 1.75rem;
    padding: 0 0.25rem;
  }
  .choices {
    flex: 1 1 17rem;
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 0.5rem;
    max-width: 26rem;
  }
  .choices button {
    min-height: 2.5rem;
    padding: 0 0.5rem;
    border: 1px solid var(--text);
    border-radius: 0.625rem;
    background: var(--ground);
    color: var(--text);
    font-weight: 600;
  }
  ul {
    flex-basis: 100%;
    display: grid;
    gap: 0.25rem;
  }
  label {
    display: flex;
    gap: 0.5rem;
    align-items: start;
    padding-block: 0.25rem;
  }
  input {
    width: 1.125rem;
    height: 1.125rem;
    margin: 0;
    flex: none;
  }
  .problem {
    flex-basis: 100%;
    color: var(--warn-text);
  }
  @media (orientation: landscape) and (max-height: 32rem) {
    section {
      padding-block: 0.25rem;
      max-height: 50dvh;
    }
  }
`;

const footStyles = css`
  footer {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0 0.75rem;
    padding: 0 1rem env(safe-area-inset-bottom);
    color: var(--quiet);
    background: var(--surface);
    font-size: 0.75rem;
    line-height: 1.35;
  }
  .link {
    min-height: 1.75rem;
    margin-inline-start: auto;
    color: var(--quiet);
    font-weight: 500;
  }
`;

/** `desk` in; `version` goes up with each change of it. */
export class ConsentBanner extends LitElement {
  static override styles = [theme, styles];
  static override properties = { desk: { attribute: false }, version: { type: Number } };
  declare desk: ConsentDesk;
  declare version: number;
  private opener: HTMLElement | null = null;
  private shown = false;

  /** Whoever opened it from the foot is brought here, and back. Nobody's focus is taken when it comes by itself. */
  protected override updated(_: PropertyValues): void {
    const { asking, detailed } = this.desk;
    if (asking && !this.shown && detailed) {
      this.opener = deepFocus();
      this.renderRoot.querySelector<HTMLElement>("h2")?.focus();
    }
    if (!asking && this.shown) {
      this.opener?.focus();
      this.opener = null;
    }
    this.shown = asking;
  }

  protected override render() {
    const { desk } = this;
    const { words } = desk;
    if (!desk.asking || !words) return nothing;
    return html`<section aria-labelledby="title" aria-busy=${desk.busy}>
      <div class="said">
        <h2 id="title" tabindex="-1">${words.title}</h2>
        <p>${words.text}</p>
        <button class="link" aria-expanded=${desk.detailed} @click=${() => desk.details()}>${words.details}</button>
      </div>
      ${desk.detailed ? this.purposes() : nothing}
      <div class="choices">
        <button @click=${() => void desk.onlyNeeded()}>${words.needed}</button>
        <button @click=${() => void desk.allowAll()}>${words.allow}</button>
        ${desk.detailed ? html`<button @click=${() => void desk.save()}>${words.save}</button>` : nothing}
      </div>
      ${desk.problem ? html`<p class="problem" role="alert">${desk.problem}</p>` : nothing}
    </section>`;
  }

  private purposes() {
    const { desk } = this;
    const { words } = desk;
    if (!words) return nothing;
    return html`<ul role="list">
      <li><label><input type="checkbox" checked disabled />${words.necessary}</label></li>
      <li>${this.box("analytics", words.analytics, false)}</li>
      <li>${this.box("ads", words.ads, desk.gpc)}</li>
      ${desk.gpc ? html`<li>${words.gpc}</li>` : nothing}
    </ul>`;
  }

  private box(purpose: keyof Choice, text: string, off: boolean) {
    return html`<label>
      <input
        type="checkbox"
        name=${purpose}
        .checked=${this.desk.draft[purpose] && !off}
        ?disabled=${off}
        @change=${({ target }: Event) => this.desk.mark(purpose, (target as HTMLInputElement).checked)}
      />${text}
    </label>`;
  }
}

/** The page's foot: how to come back to the question, and that the browser's own wish is honoured. */
export class ConsentFoot extends LitElement {
  static override styles = [theme, footStyles];
  static override properties = { desk: { attribute: false }, version: { type: Number } };
  declare desk: ConsentDesk;
  declare version: number;

  protected override render() {
    const { words, gpc } = this.desk;
    if (!words) return nothing;
    return html`<footer>
      ${gpc ? html`<span>${words.gpc}</span>` : nothing}
      <button class="link" @click=${() => this.desk.reopen()}>${words.reopen}</button>
    </footer>`;
  }
}

function deepFocus(): HTMLElement | null {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found instanceof HTMLElement ? found : null;
}
