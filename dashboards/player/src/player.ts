/** `<simulcast-player show="SLUG">`: a show, live or again. Attributes, methods, events: docs/player.md. */

import type { Chapter } from "@simulcast/api";
import { html, LitElement, nothing, type PropertyValues } from "lit";
import { adoptTracks, captionsShown, showCaptions } from "./captions";
import { controls } from "./controls";
import { notice } from "./controls/notice";
import type { Doings, View } from "./controls/view";
import type { PlayerEvent, PlayerEvents, Said } from "./events";
import { commandOf, obey } from "./keyboard";
import type { Programme } from "./programme";
import { offered, type Quality, qualityOf } from "./quality";
import { Screen } from "./screen";
import { Session } from "./session";
import type { Transport } from "./sources/source";
import type { PlayerState } from "./states";
import { styles } from "./styles";
import { message, spoken, untilStart } from "./words";

/** On unless it says "false": `<simulcast-player show="…">` alone is a whole player. */
const onByDefault = { fromAttribute: (value: string | null) => value !== "false" };

export class SimulcastPlayer extends LitElement {
  /** Where the hub is unless `hub` says otherwise: the origin that this script came from. */
  static origin = "";
  static override styles = styles;
  static override properties = {
    show: { type: String },
    hub: { type: String },
    access: { type: String },
    mode: { type: String },
    label: { type: String },
    poster: { type: String },
    kind: { type: String },
    mini: { type: Boolean },
    autoplay: { converter: onByDefault },
    controls: { converter: onByDefault },
    muted: { converter: onByDefault },
    programme: { attribute: false },
    state: { type: String, reflect: true },
    version: { state: true },
    menu: { state: true },
  };

  declare show: string;
  declare hub: string;
  declare access: string;
  declare mode: string;
  declare label: string;
  declare poster: string;
  declare kind: string;
  declare mini: boolean;
  declare autoplay: boolean;
  declare controls: boolean;
  declare muted: boolean;
  declare programme: Programme | null;
  declare state: PlayerState;
  /** Goes up with each change of what is shown. */
  private declare version: number;
  private declare menu: boolean;
  private session: Session | null = null;
  private screen: Screen | null = null;
  /** It is silent because browsers want it so, not because the viewer does. */
  private silenced = true;
  private countdown: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.show = this.hub = this.access = this.label = this.poster = "";
    this.mode = "auto";
    this.kind = "viewer";
    this.mini = false;
    this.autoplay = this.controls = this.muted = true;
    this.programme = null;
    this.state = "loading";
    this.version = 0;
    this.menu = false;
  }

  /* For the page. */

  /** Live goes on with the newest picture, the past where it was. Starts a replay. */
  play(): void {
    if (this.session?.state === "ended") this.session.replay();
    else this.session?.stage.play();
  }

  pause(): void {
    this.session?.stage.pause();
  }

  get paused(): boolean {
    return this.session?.stage.held ?? true;
  }

  seekToLive(): void {
    this.session?.toLive();
  }

  /** Shows the picture of a show time, in seconds since the programme began; false when there is no way to it. */
  seek(showTime: number): boolean {
    return this.session?.seek(showTime) ?? false;
  }

  /** "auto", "saver" (480 lines at most), or a height of `qualities`. */
  setQuality(quality: Quality | string): void {
    const wanted = qualityOf(quality);
    if (wanted !== null) this.session?.setQuality(wanted);
  }

  get quality(): Quality {
    return this.session?.chosen ?? "auto";
  }

  /** Heights to choose from, highest first; empty where there is no choice. */
  get qualities(): readonly number[] {
    return offered(this.session?.stage.source?.rungs() ?? []);
  }

  mute(): void {
    this.video.muted = true;
  }

  unmute(): void {
    const { video } = this;
    video.muted = false;
    if (video.volume === 0) video.volume = 0.5;
  }

  get volume(): number {
    return this.video.volume;
  }

  set volume(volume: number) {
    this.video.volume = Math.min(1, Math.max(0, volume));
    this.video.muted = this.video.volume === 0;
  }

  setCaptions(shown: boolean): void {
    showCaptions(this.video, shown);
    this.changed();
  }

  toggleFullscreen(): void {
    this.screen?.toggleFull();
  }

  togglePictureInPicture(): void {
    void this.screen?.togglePip().catch(() => undefined);
  }

  /** Does not wait for the next attempt. */
  retry(): void {
    this.session?.stage.hurry();
  }

  /** Of the picture on the screen, in seconds since the programme began; null while there is none. */
  get showTime(): number | null {
    return this.session?.showTime ?? null;
  }

  /** Seconds that the picture is behind live, measured now; null when nothing plays. */
  get latency(): number | null {
    return this.session?.stage.delay ?? null;
  }

  /** At the live edge. */
  get live(): boolean {
    return this.session?.stage.live ?? false;
  }

  get transport(): Transport | null {
    return this.session?.stage.transport ?? null;
  }

  get chapters(): readonly Chapter[] {
    return this.session?.chapters ?? [];
  }

  /** What can be reached, in show time; null where there is no way back. */
  get seekable(): { from: number; to: number } | null {
    return this.session?.reach ?? null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave();
  }

  protected override firstUpdated(): void {
    // As a property: the muted attribute counts only for elements that a parser made.
    this.video.muted = this.muted;
    adoptTracks(this, this.video);
    this.begin();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("muted") && changed.get("muted") !== undefined) this.video.muted = this.muted;
    if (changed.has("mini")) this.screen?.place();
    if (changed.get("show") || changed.get("hub") || changed.get("access") || changed.get("mode")) this.begin();
    else if (changed.has("programme") && this.programme) this.session?.take(this.programme);
  }

  private begin(): void {
    this.leave();
    const { video, show: slug, access, mode, autoplay, programme, kind } = this;
    const hub = this.hub ? new URL(this.hub, location.href).origin : SimulcastPlayer.origin;
    this.session = new Session({
      video,
      address: { slug, hub, access },
      mode: mode === "balanced" || mode === "interactive" ? mode : null,
      autoplay,
      programme,
      kind: kind === "probe" ? "probe" : "viewer",
      onChange: () => this.changed(),
      tell: (name, detail) => this.tell(name, detail),
    });
    this.screen = new Screen({
      host: this,
      video,
      wantsMini: () => this.mini && !this.paused && this.session?.stage.picture === "moving",
      onChange: () => this.changed(),
      onSize: (height) => this.session?.stage.setScreen(height),
    });
    this.screen.awake();
    this.session.begin();
  }

  private leave(): void {
    clearInterval(this.countdown);
    this.session?.leave();
    this.screen?.leave();
    this.session = this.screen = null;
  }

  private get video(): HTMLVideoElement {
    return this.renderRoot.querySelector("video") as HTMLVideoElement;
  }

  private changed(): void {
    const { session } = this;
    if (!session) return;
    this.state = session.state;
    this.version += 1;
    this.screen?.place();
    clearInterval(this.countdown);
    if (this.state === "scheduled") this.countdown = setInterval(() => (this.version += 1), 1_000);
  }

  private tell<K extends PlayerEvent>(name: K, detail: Said<K>): void {
    const whole = { ...detail, showTime: this.showTime };
    this.dispatchEvent(new CustomEvent(name, { detail: whole, bubbles: true, composed: true }));
  }

  private readonly doings: Doings = {
    togglePlay: () => (this.paused || this.session?.state === "ended" ? this.play() : this.pause()),
    toggleSound: () => {
      this.silenced = false;
      if (!this.video.muted) this.mute();
      else {
        this.unmute();
        if (this.paused) this.play();
      }
    },
    toggleFull: () => this.toggleFullscreen(),
    toggleCaptions: () => this.setCaptions(!captionsShown(this.video)),
    togglePip: () => this.togglePictureInPicture(),
    toggleMenu: () => {
      this.menu = !this.menu;
      if (!this.menu) this.renderRoot.querySelector<HTMLElement>(".settings")?.focus();
    },
    setVolume: (volume) => (this.volume = volume),
    setQuality: (quality) => this.setQuality(quality),
    seek: (seconds) => void this.seek(seconds),
    toLive: () => this.seekToLive(),
    replay: () => this.session?.replay(),
    retry: () => this.retry(),
    closeMini: () => this.screen?.closeMini(),
    leaveMini: () => this.screen?.leaveMini(),
  };

  private key(event: KeyboardEvent): void {
    this.screen?.awake();
    const target = event.composedPath()[0];
    const own = target instanceof HTMLButtonElement || target instanceof HTMLInputElement;
    const command = this.controls && this.session?.playback && commandOf(event, own);
    if (!command) return;
    obey(command, this, this.doings);
    event.preventDefault();
  }

  private sized(): void {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (width) this.tell("simulcast-size", { width, height });
  }

  private sounds(): void {
    const { muted, volume } = this.video;
    this.muted = muted;
    if (!muted) this.silenced = false;
    this.tell("simulcast-sound", { muted, volume });
    this.changed();
  }

  /** A finger wants to see the buttons; a mouse sees them already, and means the picture. */
  private pressed({ pointerType }: PointerEvent): void {
    const hidden = this.screen?.idle;
    this.screen?.awake();
    if (this.menu) this.menu = false;
    else if (this.controls && (pointerType === "mouse" || (!hidden && this.paused))) this.doings.togglePlay();
  }

  private view(): View {
    const { session, screen, state } = this;
    const reach = this.seekable;
    return {
      state,
      startable: Boolean(session?.playback),
      going: !this.paused && state !== "ended",
      muted: this.muted,
      volume: this.renderRoot.querySelector("video")?.volume ?? 1,
      delay: this.latency,
      live: session?.programme?.state === "live" ? this.live && !this.paused : null,
      seek: reach && { ...reach, at: this.showTime ?? reach.to },
      chapters: this.chapters,
      chosen: this.quality,
      heights: this.qualities,
      height: session ? this.video.videoHeight || null : null,
      captions: session ? captionsShown(this.video) : null,
      pip: screen?.canPip ?? false,
      full: screen?.full ?? false,
      mini: screen?.mini ?? false,
      menu: this.menu,
    };
  }

  protected override render() {
    const { session, screen } = this;
    const title = session?.programme?.title ?? this.programme?.title ?? "";
    const label = this.label || `${this.state === "replay" ? "Replay" : "Live video"}${title ? `: ${title}` : ""}`;
    const video = this.renderRoot.querySelector("video");
    const tall = (video?.videoHeight ?? 0) > (video?.videoWidth ?? 0);
    const quiet = screen?.idle && !this.menu && (this.state === "live" || this.state === "replay");
    return html`
      <div
        class="stage ${quiet ? "idle" : ""} ${screen?.mini ? "mini" : ""} ${tall ? "tall" : ""}"
        role="group"
        aria-label=${label}
        tabindex="0"
        @keydown=${this.key}
        @pointermove=${() => screen?.awake()}
        @focusin=${() => screen?.awake()}
      >
        <video
          playsinline
          aria-label=${label}
          @resize=${() => this.sized()}
          @volumechange=${() => this.sounds()}
          @click=${this.pressed}
        ></video>
        ${this.over()}
      </div>
    `;
  }

  private over() {
    const { session, doings } = this;
    const view = this.view();
    const startsAt = session?.programme?.startsAt ?? null;
    const replay = session?.playback?.replay ?? false;
    const words = message({ state: view.state, reason: session?.reason ?? "", startsAt, replay });
    const count = view.state === "scheduled" ? untilStart(startsAt, session?.now() ?? Date.now()) : "";
    return html`
      ${this.posterPicture()} ${notice(view, words, count, replay, doings)}
      ${view.startable && this.controls ? controls(view, this.silenced, doings) : nothing}
      <div class="visually-hidden" role="status">${spoken(view.state, words)}</div>
    `;
  }

  private posterPicture() {
    const picture = this.session?.stage.picture ?? "none";
    const address = this.poster || this.session?.programme?.posterUrl;
    if (!address || picture === "moving" || picture === "frozen") return nothing;
    return html`<img class="poster" src=${address} alt="" />`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "simulcast-player": SimulcastPlayer;
  }
  interface HTMLElementEventMap extends EventsOfPlayer {}
}

type EventsOfPlayer = { [K in PlayerEvent]: CustomEvent<PlayerEvents[K]> };
