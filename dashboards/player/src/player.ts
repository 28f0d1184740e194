/** `<simulcast-player show="SLUG">`: a show's live picture, with its measured delay. */

import type { Phase } from "@simulcast/api";
import { html, LitElement, nothing, type PropertyValues } from "lit";
import { controls, type Controls } from "./controls";
import { follow, type Programme } from "./programme";
import { Stream } from "./stream";
import { styles } from "./styles";
import { message, type PlayerState, spoken } from "./words";

const VOLUME_STEP = 0.1;

/**
 * Attributes: `show` (the show's slug; everything else comes from the hub), `label` (what screen readers
 * call it). A page that follows the show itself hands in `programme`, and the player asks for nothing.
 * `state` is reflected; `latency` is the delay now. Events, all bubbling: `simulcast-state {state, reason}`,
 * `simulcast-delay {seconds}`, `simulcast-size {width, height}` (of the video, px).
 */
export class SimulcastPlayer extends LitElement {
  /** Where the hub is: the origin that this script came from. */
  static origin = "";
  static override styles = styles;
  static override properties = {
    show: { type: String },
    label: { type: String },
    programme: { attribute: false },
    state: { type: String, reflect: true },
    reason: { state: true },
    muted: { state: true },
    volume: { state: true },
    delay: { state: true },
  };

  declare show: string;
  declare label: string;
  declare programme: Programme | null;
  declare state: PlayerState;
  private declare reason: string;
  private declare muted: boolean;
  private declare volume: number;
  private declare delay: number | null;
  private stream: Stream | null = null;
  private playing = "";
  /** Stops following the show; null while the page around the player does that. */
  private unfollow: (() => void) | null = null;

  constructor() {
    super();
    this.show = "";
    this.label = "";
    this.programme = null;
    this.state = "connecting";
    this.reason = "";
    this.muted = true;
    this.volume = 1;
    this.delay = null;
  }

  /** Seconds that the picture is behind live, measured now; null when nothing plays. */
  get latency(): number | null {
    return this.stream?.delay ?? null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave();
    this.open("");
  }

  protected override firstUpdated(): void {
    // As a property: the muted attribute counts only for elements that a parser made.
    this.video.muted = true;
    this.begin();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("programme") && this.programme) this.tune(this.programme);
    if (changed.has("show") && changed.get("show")) this.begin();
  }

  private get video(): HTMLVideoElement {
    return this.renderRoot.querySelector("video") as HTMLVideoElement;
  }

  private begin(): void {
    this.leave();
    if (this.programme) this.tune(this.programme);
    else if (this.show) this.unfollow = follow(this.show, SimulcastPlayer.origin, this.heard);
    else this.enter("error", "This player has not been told which show to play.");
  }

  private leave(): void {
    if (!this.unfollow) return;
    this.unfollow();
    this.unfollow = null;
    this.programme = null;
  }

  private readonly heard = (programme: Programme | null, phase: Phase): void => {
    if (programme) this.programme = programme;
    else if (phase === "missing") this.enter("error", "There is no show at this address.");
    else if (phase === "unreachable") {
      this.enter("error", "The show cannot be reached. Trying again by itself.");
    }
  };

  private tune({ state, hlsUrl }: Programme): void {
    this.open(state === "live" ? (hlsUrl ?? "") : "");
    if (state !== "live") this.enter(state, "");
    else if (!hlsUrl) this.enter("connecting", "Waiting for the picture. It starts by itself.");
  }

  /** Plays one address, or nothing; the same one goes on undisturbed. */
  private open(src: string): void {
    if (src === this.playing) return;
    this.playing = src;
    this.stream?.close();
    this.stream = src
      ? new Stream(this.video, src, {
          now: () => Date.now() + (this.programme?.clockOffsetMs ?? 0),
          onState: (state, reason) => this.enter(state, reason),
          onBlocked: () => this.enter("paused", ""),
          onTick: () => this.measure(),
        })
      : null;
  }

  private measure(): void {
    this.delay = this.latency;
    if (this.delay !== null) this.tell("simulcast-delay", { seconds: this.delay });
  }

  private enter(state: PlayerState, reason: string): void {
    if (state === this.state && reason === this.reason) return;
    this.state = state;
    this.reason = reason;
    if (state !== "live") this.delay = null;
    this.tell("simulcast-state", { state, reason });
  }

  private sized(): void {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (width && height) this.tell("simulcast-size", { width, height });
  }

  private tell<K extends keyof PlayerEvents>(name: K, detail: PlayerEvents[K]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  private readonly togglePlay = (): void => {
    const { stream, video } = this;
    if (!stream) return;
    if (!video.paused) {
      stream.pause();
      this.enter("paused", "");
    } else {
      this.enter("connecting", "");
      stream.play();
    }
  };

  private readonly toggleSound = (): void => {
    const { video } = this;
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
    if (!video.muted && video.paused) this.togglePlay();
  };

  private readonly setVolume = (volume: number): void => {
    this.video.volume = Math.min(1, Math.max(0, volume));
    this.video.muted = this.video.volume === 0;
  };

  private readonly toggleFull = (): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (this.requestFullscreen) void this.requestFullscreen().catch(() => undefined);
    else (this.video as { webkitEnterFullscreen?: () => void }).webkitEnterFullscreen?.();
  };

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.stream) return;
    const target = event.composedPath()[0];
    const own = target instanceof HTMLButtonElement || target instanceof HTMLInputElement;
    if (event.key === " " && !own) this.togglePlay();
    else if (event.key === "k") this.togglePlay();
    else if (event.key === "m") this.toggleSound();
    else if (event.key === "f") this.toggleFull();
    else if (event.key === "ArrowUp" && !own) this.setVolume(this.video.volume + VOLUME_STEP);
    else if (event.key === "ArrowDown" && !own) this.setVolume(this.video.volume - VOLUME_STEP);
    else return;
    event.preventDefault();
  }

  protected override render() {
    const label = this.label || `Live video${this.programme ? `: ${this.programme.title}` : ""}`;
    return html`
      <div class="stage" role="group" aria-label=${label} tabindex="0" @keydown=${this.key}>
        <video
          playsinline
          aria-label=${label}
          @resize=${() => this.sized()}
          @volumechange=${() => {
            this.muted = this.video.muted;
            this.volume = this.video.volume;
          }}
          @click=${this.togglePlay}
        ></video>
        ${this.notice()} ${this.programme?.hlsUrl && this.playing ? controls(this.controls()) : nothing}
      </div>
    `;
  }

  private controls(): Controls {
    const { state, muted, volume, delay, togglePlay, toggleSound, toggleFull, setVolume } = this;
    return { state, muted, volume, delay, togglePlay, toggleSound, toggleFull, setVolume };
  }

  private notice() {
    const words = message(this.state, this.reason, this.programme?.startsAt ?? null);
    const busy = this.state === "connecting" || this.state === "stalled";
    return html`
      ${words
        ? html`<div class="notice" aria-hidden="true">
            ${busy ? html`<div class="spinner"></div>` : nothing}
            <strong>${words.title}</strong>${words.detail ? html`<span>${words.detail}</span>` : nothing}
          </div>`
        : nothing}
      <div class="visually-hidden" role="status">${spoken(this.state, words)}</div>
    `;
  }
}

export interface PlayerEvents {
  "simulcast-delay": { seconds: number };
  "simulcast-state": { state: PlayerState; reason: string };
  "simulcast-size": { width: number; height: number };
}

declare global {
  interface HTMLElementTagNameMap {
    "simulcast-player": SimulcastPlayer;
  }
  interface HTMLElementEventMap {
    "simulcast-delay": CustomEvent<PlayerEvents["simulcast-delay"]>;
    "simulcast-state": CustomEvent<PlayerEvents["simulcast-state"]>;
    "simulcast-size": CustomEvent<PlayerEvents["simulcast-size"]>;
  }
}
