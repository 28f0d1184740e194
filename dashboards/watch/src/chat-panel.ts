/** The merged chat: what was written on every platform, and a line to write here. */

import { ApiError, formatMoney, type Fragment, type Message, type Skipped } from "@simulcast/api";
import { html, LitElement, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { chatStyles } from "./chat-styles";
import { chatName } from "./memory";
import { chatLines } from "./reduce";
import { theme } from "./theme";

const PLATFORMS: Record<string, { name: string; style: string }> = {
  youtube: { name: "YouTube", style: "youtube" },
  facebook: { name: "Facebook", style: "facebook" },
  instagram: { name: "Instagram", style: "" },
  tiktok: { name: "TikTok", style: "tiktok" },
  twitch: { name: "Twitch", style: "twitch" },
  own: { name: "Here", style: "" },
};

/** Closer to the end than this (px), new messages keep the newest in view. */
const NEAR_END = 60;

/** `messages` in, `say(text, name)` out; `say` rejects with the reason why it was not sent. */
export class ChatPanel extends LitElement {
  static override styles = [theme, chatStyles];
  static override properties = {
    messages: { attribute: false },
    skipped: { attribute: false },
    open: { attribute: false },
    say: { attribute: false },
    closed: { type: Boolean },
    behind: { state: true },
    problem: { state: true },
    busy: { state: true },
    name: { state: true },
    naming: { state: true },
  };

  declare messages: Message[];
  /** Where there were too many messages to be shown; `open` loads them. */
  declare skipped: Skipped[];
  declare open: (skipped: Skipped) => Promise<void>;
  declare say: (text: string, name: string) => Promise<void>;
  /** The show is over: nothing can be written any more. */
  declare closed: boolean;
  private declare behind: boolean;
  private declare problem: string;
  /** A message is on its way, or the hub asked for a pause. */
  private declare busy: boolean;
  private declare name: string;
  private declare naming: boolean;
  private atEnd = true;

  constructor() {
    super();
    this.messages = [];
    this.skipped = [];
    this.closed = false;
    this.behind = false;
    this.problem = "";
    this.busy = false;
    this.name = chatName.get();
    this.naming = !this.name;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("messages")) return;
    if (this.atEnd) this.toEnd();
    else this.behind = true;
  }

  protected override firstUpdated(): void {
    // The panel changes height with the keyboard and the tabs; the newest message stays in view.
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(this.log);
  }

  private get log(): HTMLElement {
    return this.renderRoot.querySelector(".log") as HTMLElement;
  }

  private toEnd(): void {
    this.log.scrollTop = this.log.scrollHeight;
    this.atEnd = true;
    this.behind = false;
  }

  private scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.atEnd) this.behind = false;
  }

  private async send(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const input = form.elements.namedItem("text") as HTMLInputElement;
    const text = input.value.trim();
    if (!text || this.busy) return;
    this.rename(form);
    this.busy = true;
    this.problem = "";
    try {
      await this.say(text, this.name || "Guest");
      input.value = "";
      this.toEnd();
      this.busy = false;
    } catch (error) {
      this.refused(error);
    }
  }

  private rename(form: HTMLFormElement): void {
    const typed = form.elements.namedItem("name");
    if (!(typed instanceof HTMLInputElement)) return;
    this.name = typed.value.trim();
    this.naming = !this.name;
    chatName.set(this.name);
  }

  /** What was typed stays; after a pause that the hub asked for it can be sent again. */
  private refused(error: unknown): void {
    const refusal = error instanceof ApiError ? error : null;
    this.problem = refusal?.message ?? "This could not be sent. Try again.";
    const wait = refusal?.code === "slow_down" ? (refusal.problem.retry_after ?? 2) : 0;
    setTimeout(() => {
      this.busy = false;
      if (wait) this.problem = "";
    }, wait * 1_000);
  }

  protected override render() {
    return html`
      <div class="log" role="log" aria-live="polite" aria-label="Messages" tabindex="0" @scroll=${this.scrolled}>
        <ul role="list" aria-label="Chat">
          ${repeat(
            chatLines(this.messages, this.skipped),
            (one) => ("count" in one ? `more ${one.first_seq}` : one.id),
            (one) => ("count" in one ? this.more(one) : this.line(one)),
          )}
        </ul>
        ${this.messages.length || this.closed ? nothing : html`<p class="empty">No messages yet. Say hello!</p>`}
      </div>
      ${this.behind
        ? html`<button class="newest" @click=${this.toEnd}>New messages ↓</button>`
        : nothing}
      ${this.closed ? html`<p class="problem">The chat is closed: the show has ended.</p>` : this.form()}
    `;
  }

  private form() {
    return html`
      <div class="write">
        <form @submit=${this.send}>
          ${this.naming ? this.nameField() : this.nameButton()}
          <input
            type="text"
            name="text"
            maxlength="200"
            autocomplete="off"
            enterkeyhint="send"
            aria-label="Message"
            placeholder="Message"
          />
          <button class="quiet send" aria-disabled=${this.busy}>Send</button>
        </form>
      </div>
      <div role="status">${this.problem ? html`<p class="problem">${this.problem}</p>` : nothing}</div>
    `;
  }

  private nameField() {
    return html`<input
      type="text"
      name="name"
      maxlength="40"
      value=${this.name}
      autocomplete="nickname"
      aria-label="Your name"
      placeholder="Your name"
    />`;
  }

  private nameButton() {
    return html`<button
      class="as"
      type="button"
      aria-label=${`${this.name}: change your name`}
      @click=${() => (this.naming = true)}
    >
      ${this.name}
    </button>`;
  }

  private line(message: Message) {
    const platform = PLATFORMS[message.platform] ?? { name: message.platform, style: "" };
    const { amount_minor: amount, currency } = message;
    return html`<li>
      ${message.outgoing
        ? html`<span class="badge host">Host</span>`
        : html`<span class="badge ${platform.style}">${platform.name}</span>`}
      ${message.author_name ? html`<span class="who">${message.author_name}</span>` : nothing}
      ${amount !== null && currency
        ? html`<span class="gift number">${formatMoney(amount, currency)}</span>`
        : nothing}
      <span>${message.fragments?.length ? message.fragments.map(piece) : message.text}</span>
    </li>`;
  }

  private more(skipped: Skipped) {
    return html`<li class="more">
      … and ${skipped.count} more
      <button type="button" @click=${() => this.open(skipped).catch(() => undefined)}>Show all</button>
    </li>`;
  }
}

/** An emote is a picture; links stay words: what strangers write is not for tapping on. */
function piece({ kind, text, url }: Fragment) {
  if (kind !== "emote" || !url) return text;
  return html`<img class="emote" src=${url} alt=${text} title=${text} loading="lazy" referrerpolicy="no-referrer" />`;
}
