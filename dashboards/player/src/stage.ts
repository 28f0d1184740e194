/** Gets the picture onto the screen and keeps it there: which source, for how long, and what comes after it. */

import { startPlaying } from "./autoplay";
import { Attempts } from "./chooser";
import { delayOf } from "./delay";
import { limits, type Quality } from "./quality";
import { hlsSource } from "./sources";
import { type Failure, failure, type Source, type SourceNews, type Transport } from "./sources/source";
import { Trial } from "./sources/trial";
import { WhepSource } from "./sources/whep";
import type { StageOptions } from "./stage-options";
import type { Facts } from "./states";
import { type Seen, Watching } from "./watching";
import { addressOf, beginningAt, keyOf, orderOf, type Wish } from "./wish";

const LOOK_MS = 200;
/** A paused WebRTC picture is paid for by the server. */
const PAUSED_MS = 30_000;
const REFUSED_RETRY_MS = 15_000;
/** A new token comes within this, or there is none. */
const TOKEN_MS = 3_000;
/** A wish this close to now means live. */
const NEAR_LIVE_MS = 4_000;

/** Stays with its video until `close`. */
export class Stage {
  picture: Facts["picture"] = "none";
  failure: Failure | null = null;
  /** The viewer pressed pause, or has not pressed play yet: whatever comes back, it does not play by itself. */
  held = false;
  private wish: Wish | null = null;
  source: Source | null = null;
  /** The present source's: its news are heard. */
  private ticket: object | null = null;
  private readonly trial = new Trial();
  /** Plays the past from this moment on; null: live. */
  private from: number | null = null;
  /** The viewer went back a little within the live window: nobody pulls them forward. */
  private back = false;
  /** The token was not taken; until the picture moves again. */
  private refused = false;
  private quality: Quality = "auto";
  private screen = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly ticker: ReturnType<typeof setInterval>;
  private readonly listeners = new AbortController();
  private readonly attempts = new Attempts();
  private readonly watching = new Watching();

  constructor(private readonly options: StageOptions) {
    const { signal } = this.listeners;
    const { video } = options;
    video.addEventListener("ended", () => this.enter("over"), { signal });
    video.addEventListener("seeking", () => this.watching.interrupted(), { signal });
    addEventListener("online", () => this.hurry(), { signal });
    document.addEventListener("visibilitychange", () => this.watching.interrupted(), { signal });
    this.ticker = setInterval(() => this.look(), LOOK_MS);
  }

  get transport(): Transport | null {
    return this.source?.transport ?? (this.trial.running ? "whep" : null);
  }

  /** It is, or should be, at the live edge. */
  get live(): boolean {
    return this.wish !== null && !this.wish.over && this.from === null && !this.back;
  }

  /** Something of a show that goes on is on the screen, but not its newest picture. */
  get behind(): boolean {
    return this.wish?.over === false && !this.live && this.picture !== "none";
  }

  /** Seconds from the camera's encoder to the screen; null when nothing plays. */
  get delay(): number | null {
    const { source, options, shownAt } = this;
    if (!source || this.wish?.over || !this.showing) return null;
    const now = options.now();
    if (this.from !== null) return shownAt === null ? null : (now - shownAt) / 1000;
    return delayOf({ now, shownAt, fallback: source.latency() });
  }

  /** When the picture on the screen was taken. */
  get shownAt(): number | null {
    return this.showing ? (this.source?.shownAt() ?? null) : null;
  }

  private get showing(): boolean {
    return this.picture !== "none" && this.picture !== "coming";
  }

  /** Plays this, or nothing. The same streams go on undisturbed, with newer tokens. */
  tune(wish: Wish | null): void {
    const { wish: before, past, shownAt } = this;
    const behind = before !== null && !this.live;
    this.wish = wish;
    if (!wish) {
      this.from = null;
      if (before) this.clear();
      return;
    }
    if (before && keyOf(before, past) === keyOf(wish, this.past)) {
      const address = addressOf(wish, this.past);
      if (address) this.source?.renew(address);
      if (this.refused && before.playback.hlsUrl !== wish.playback.hlsUrl) this.hurry();
      return;
    }
    // Whoever is behind stays there, also when the show ends meanwhile; one that goes on after all is live.
    const stays = behind && (wish.over || (!before.over && wish.playback.dvrUrl !== null));
    this.from = stays ? (shownAt ?? this.from) : null;
    this.back = false;
    this.restart();
  }

  close(): void {
    clearInterval(this.ticker);
    this.listeners.abort();
    this.wish = null;
    this.clear();
  }

  pause(): void {
    this.held = true;
    this.options.video.pause();
    clearTimeout(this.retry);
    if (this.source?.transport === "whep") this.retry = setTimeout(() => this.clear(), PAUSED_MS);
    this.options.onChange();
  }

  /** Live goes on with the newest picture; the past where it was. */
  play(): void {
    this.held = false;
    clearTimeout(this.retry);
    this.options.counters.wanted();
    if (this.wish?.over && this.picture === "over") this.seek(this.source?.reach()?.from ?? 0);
    if (!this.source) this.restart();
    else if (this.live && this.options.video.paused) this.source.toLive();
    this.start();
    this.options.onChange();
  }

  toLive(): void {
    const wasPast = this.from !== null;
    this.from = null;
    this.back = false;
    if (wasPast) this.restart();
    else this.source?.toLive();
    this.play();
  }

  /** Shows the picture of a moment; false when there is no way to it. */
  seek(moment: number): boolean {
    const { wish, options } = this;
    if (!wish) return false;
    this.watching.interrupted();
    if (!wish.over && moment > options.now() - NEAR_LIVE_MS) {
      this.toLive();
      return true;
    }
    if (this.source?.seek(moment)) {
      this.back = !wish.over && this.from === null;
      if (this.picture === "over") this.enter("moving");
      if (this.back) options.video.playbackRate = 1;
    } else if (wish.playback.dvrUrl) {
      this.back = false;
      this.from = moment;
      this.restart();
    } else {
      return false;
    }
    if (!this.held) this.start();
    return true;
  }

  setQuality(quality: Quality): void {
    const before = this.order();
    this.quality = quality;
    this.limit();
    if (this.wish && before[0] !== this.order()[0] && !this.held) this.restart();
  }

  /** The picture's height on the screen, in device pixels. */
  setScreen(height: number): void {
    if (Math.abs(height - this.screen) < 40) return;
    this.screen = height;
    this.limit();
  }

  /** A person asks for another attempt, or the network has changed. */
  hurry(): void {
    this.attempts.forgive();
    if (this.wish && !this.showing) this.restart();
  }

  private get past(): boolean {
    return this.wish?.over === true || this.from !== null;
  }

  private order(): Transport[] {
    return this.wish ? orderOf(this.wish, this.quality, this.past) : [];
  }

  private restart(): void {
    this.failure = null;
    this.watching.forget();
    // There is nothing to play, or nobody has asked for a picture yet.
    if (!this.wish || (this.held && this.picture === "none")) return;
    this.open();
  }

  private clear(): void {
    clearTimeout(this.retry);
    this.trial.drop();
    this.source?.close();
    this.source = null;
    this.failure = null;
    this.enter("none");
  }

  private open(): void {
    clearTimeout(this.retry);
    const [order, now] = [this.order(), performance.now()];
    const next = this.attempts.next(order, now);
    if (next === "whep") return void this.tryWhep();
    if (next) return this.use(next);
    const wait = this.attempts.wait(order, now);
    if (wait !== null) this.retry = setTimeout(() => this.open(), wait);
    else this.failure = failure("unplayable", "This browser can play neither HLS nor WebRTC.");
    this.options.onChange();
  }

  private use(transport: "hls" | "native"): void {
    const { wish, options } = this;
    const url = wish && addressOf(wish, this.past);
    if (!wish || !url) return;
    this.trial.drop();
    this.source?.close();
    this.begin();
    this.ticket = {};
    this.source = hlsSource(transport, {
      video: options.video,
      url,
      kind: this.past ? "rewound" : "live",
      from: this.from === null ? null : beginningAt(this.from, wish),
      news: this.news(this.ticket),
    });
    this.limit();
    void this.source.open();
    options.onChange();
  }

  private async tryWhep(): Promise<void> {
    const { wish, options } = this;
    const url = wish?.playback.whepUrl;
    if (!wish || !url) return;
    if (!this.source) this.begin();
    const { iceServers } = wish.playback;
    const ticket = {};
    const news = this.news(ticket);
    const found = await this.trial.run({ video: options.video, url, iceServers, now: options.now, news });
    if (found instanceof WhepSource) return this.take(found, ticket);
    if (!found) return;
    this.trouble(found, "whep");
    if (this.source) return;
    options.counters.fellBack();
    this.open();
  }

  private take(source: WhepSource, ticket: object): void {
    const seamless = this.picture === "moving";
    if (this.source && this.order()[0] !== "whep") this.options.counters.fellBack();
    this.source?.close();
    this.source = source;
    this.ticket = ticket;
    this.begin();
    if (seamless) this.enter("moving");
    source.show();
  }

  private begin(): void {
    const { video, counters } = this.options;
    this.watching.opened(performance.now());
    video.playbackRate = 1;
    counters.wanted();
    this.enter("coming");
  }

  /** What comes from a source that has been closed since is not heard. */
  private news(ticket: object): SourceNews {
    const mine = () => this.ticket === ticket;
    return {
      onFailed: (why) => void (mine() && this.failed(why)),
      onReady: () => void (mine() && this.start()),
      onRung: () => mine() && this.options.onChange(),
    };
  }

  private start(): void {
    if (!this.held && this.source) startPlaying(this.options.video, () => !this.held && this.pause());
  }

  private trouble(why: Failure, transport: Transport): void {
    this.attempts.failure(transport, why.code, performance.now(), why.retryAfterMs);
    this.options.counters.failed(`${transport}_${why.code}`, why.detail);
    this.options.onTrouble(why, transport);
  }

  private failed(why: Failure): void {
    const { source } = this;
    if (!source) return;
    this.trouble(why, source.transport);
    if (this.past) this.from = this.shownAt ?? this.from;
    source.close();
    this.source = null;
    this.enter("coming");
    if (why.code === "refused") return this.askForToken(why);
    if (!this.attempts.next(this.order(), performance.now())) this.failure = why;
    else if (this.otherThan(source.transport)) this.options.counters.fellBack();
    this.open();
  }

  /** Once it may only have run out; refused with a new one, it is meant. */
  private askForToken(why: Failure): void {
    if (this.refused) this.failure = why;
    this.refused = true;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.open(), this.failure ? REFUSED_RETRY_MS : TOKEN_MS);
    this.options.onRefused();
    this.options.onChange();
  }

  private limit(): void {
    this.source?.limit(limits(this.quality, this.screen, this.watching.down));
  }

  private look(): void {
    const { source, options, watching } = this;
    const { video, counters } = options;
    if (!source || video.paused || this.picture === "over") return watching.interrupted();
    const now = performance.now();
    const said = watching.look(now, this.seen(source));
    counters.passed(said.watchedMs, said.stalledMs, said.stallBegun, video.videoHeight);
    if (said.picture) this.shows(said.picture);
    if (said.fail) return this.failed(failure("silent", said.fail));
    if (said.proven) this.attempts.worked(source.transport);
    if (said.step !== 0) this.limit();
    if (said.rate === "jump") source.toLive();
    else if (said.rate !== null && said.rate !== video.playbackRate) video.playbackRate = said.rate;
    if (said.tryOther || (said.calm && this.order()[0] === "whep")) this.tryBeside(now);
    options.onTick();
  }

  private seen(source: Source): Seen {
    const { video } = this.options;
    const wanted = this.live ? source.keepUp() : null;
    return {
      transport: source.transport,
      progress: source.progress(),
      ready: video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA,
      begun: this.picture !== "coming",
      live: this.live,
      hidden: document.hidden,
      arriving: source.arriving(),
      fed: source.fed(),
      another: this.otherThan(source.transport),
      position: wanted && { latency: source.latency(), ...wanted },
      rate: video.playbackRate,
    };
  }

  private shows(picture: "moving" | "frozen"): void {
    if (this.picture === "coming") {
      this.failure = null;
      this.refused = false;
      this.options.counters.shown();
    }
    if (picture === "moving" && this.source?.transport === this.order()[0]) this.trial.drop();
    this.enter(picture);
  }

  private otherThan(transport: Transport): boolean {
    const others = this.order().filter((one) => one !== transport);
    return this.attempts.next(others, performance.now()) !== null;
  }

  /** WebRTC needs no screen until it has a picture: what plays goes on until then. */
  private tryBeside(now: number): void {
    if (!this.trial.due(now) || this.source?.transport === "whep" || !this.order().includes("whep")) return;
    if (this.attempts.next(["whep"], now)) void this.tryWhep();
  }

  private enter(picture: Facts["picture"]): void {
    if (picture === this.picture) return;
    this.picture = picture;
    this.options.onChange();
  }
}
