/** One viewer watching one show: the hub's news, the stage, cues, and what is told to the hub. No looks. */

import type { Chapter, Phase, ViewerApi } from "@simulcast/api";
import { Beacons, Counters, sessionName } from "./beacons";
import { Chapters } from "./chapters";
import { type Cue, CueWatch, cuesOf } from "./cues";
import type { Tell } from "./events";
import { type Address, follow, type Mode, type Playback, playable, type Programme, visitor } from "./programme";
import type { Quality } from "./quality";
import { newest, Renewal } from "./renewal";
import { playedFrames } from "./sources/frames";
import { Stage } from "./stage";
import { type PlayerState, stateOf } from "./states";
import { ShowTime } from "./timeline";

export interface SessionOptions {
  video: HTMLVideoElement;
  address: Address;
  /** Overrides the show's own; null: as the hub says. */
  mode: Mode | null;
  autoplay: boolean;
  /** Handed in by a page that follows the show itself; null: follow it here. */
  programme: Programme | null;
  kind: "viewer" | "probe";
  /** Anything that is shown has changed. */
  onChange: () => void;
  tell: Tell;
}

/** The last seconds of a show are still on their way when the hub says that it has ended. */
const LINGER_MS = 4_000;
const TICKS_A_SECOND = 5;

export class Session {
  readonly stage: Stage;
  state: PlayerState = "loading";
  reason = "";
  programme: Programme | null = null;
  playback: Playback | null = null;
  chosen: Quality = "auto";
  private hopeless = "";
  private replaying = false;
  private renewed: Playback | null = null;
  private showClock = new ShowTime(null);
  private clockOffsetMs = 0;
  private ticks = 0;
  /** There has been a picture: when it is gone the show is paused, not late. */
  private seen = false;
  private told = "";
  private lingering: ReturnType<typeof setTimeout> | undefined;
  private unfollow: (() => void) | null = null;
  private readonly counters: Counters;
  private readonly beacons: Beacons;
  private readonly api: ViewerApi | null;
  private readonly renewal: Renewal | null;
  private readonly cueWatch = new CueWatch();
  private readonly chapterList: Chapters;
  private readonly listeners = new AbortController();

  constructor(private readonly options: SessionOptions) {
    const { video, address, kind } = options;
    this.counters = new Counters(sessionName(), kind, () => performance.now());
    this.stage = new Stage({
      video,
      counters: this.counters,
      now: () => this.now(),
      onChange: () => this.changed(),
      onTick: () => this.tick(),
      onTrouble: ({ code, detail }, transport) =>
        options.tell("simulcast-error", { code: `${transport}_${code}`, detail }),
      onRefused: () => void this.renewal?.now(),
    });
    this.stage.held = !options.autoplay;
    this.beacons = new Beacons({
      counters: this.counters,
      url: () => this.playback?.beaconUrl ?? null,
      read: () => this.reading(),
    });
    this.api = address.slug ? visitor(address) : null;
    this.renewal = this.api
      ? new Renewal({ api: this.api, now: () => this.now(), onRenewed: (programme) => this.renew(programme) })
      : null;
    this.chapterList = new Chapters({
      url: () => this.playback?.chaptersUrl ?? null,
      now: () => this.now(),
      closely: () => this.stage.source !== null && this.stage.source.cues() === null,
      onChange: options.onChange,
    });
    const { signal } = this.listeners;
    for (const event of ["online", "offline"]) addEventListener(event, () => this.changed(), { signal });
  }

  begin(): void {
    const { programme } = this.options;
    if (programme) this.take(programme);
    else if (this.api) this.unfollow = follow(this.api, (heard, phase) => this.heard(heard, phase));
    else this.giveUp("This player has not been told which show to play.");
    this.chapterList.start();
  }

  leave(): void {
    this.unfollow?.();
    clearTimeout(this.lingering);
    this.listeners.abort();
    this.renewal?.stop();
    this.chapterList.stop();
    this.beacons.stop();
    this.stage.close();
  }

  /** News of the show, from the page or the hub. */
  take(programme: Programme): void {
    if (programme.liveAt !== this.programme?.liveAt) this.showClock = new ShowTime(programme.liveAt);
    this.clockOffsetMs = programme.clockOffsetMs;
    this.programme = programme;
    this.hopeless = "";
    const said = newest(playable(programme), this.renewed);
    this.playback = this.allowed(said ?? (programme.state === "ended" && this.renewed?.replay ? this.renewed : null));
    this.renewal?.plan(programme, this.playback);
    this.tune();
    this.changed();
  }

  /** Starts the recording of a show that has ended, once there is one. */
  replay(): void {
    if (!this.playback) return;
    this.replaying = true;
    this.stage.held = false;
    this.tune();
    this.stage.play();
    this.changed();
  }

  setQuality(quality: Quality): void {
    this.chosen = quality;
    this.stage.setQuality(quality);
    this.changed();
  }

  /** Shows the picture of a show time, in seconds; false when there is no way to it. */
  seek(seconds: number): boolean {
    const moment = this.showClock.moment(Math.max(0, seconds));
    if (moment === null || !this.stage.seek(moment)) return false;
    this.options.tell("simulcast-seek", { live: this.stage.live });
    this.changed();
    return true;
  }

  toLive(): void {
    if (this.programme?.state !== "live") return;
    this.stage.toLive();
    this.options.tell("simulcast-seek", { live: true });
    this.changed();
  }

  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  /** Of the picture on the screen. */
  get showTime(): number | null {
    return this.showClock.of(this.stage.shownAt);
  }

  /** What can be reached, in show time: the whole show where it is recorded, else what the playlist holds. */
  get reach(): { from: number; to: number } | null {
    const reach = this.stage.source?.reach() ?? null;
    if (this.replaying && this.programme?.state === "ended") return this.inShow(reach);
    if (this.programme?.state !== "live" || !this.playback?.dvrUrl) return null;
    return this.inShow({ from: this.showClock.moment(0) ?? NaN, to: this.now() });
  }

  /** In show time: exactly where the media have the same moment, else as the list says. */
  get chapters(): readonly Chapter[] {
    const known = new Map(this.stage.source?.cues()?.map(({ id, at }) => [id, this.showClock.of(at)]));
    return this.chapterList.list.map((one) => ({ ...one, begins_at: known.get(one.id) ?? one.begins_at }));
  }

  private inShow(reach: { from: number; to: number } | null): { from: number; to: number } | null {
    const [from, to] = [this.showClock.of(reach?.from ?? null), this.showClock.of(reach?.to ?? null)];
    return from === null || to === null || Number.isNaN(from) || to - from < 1 ? null : { from, to };
  }

  private heard(programme: Programme | null, phase: Phase): void {
    if (programme) this.take(programme);
    else if (phase === "missing") this.giveUp("There is no show at this address.");
    else if (phase === "unreachable") this.giveUp("The show cannot be reached. Trying again by itself.");
  }

  private giveUp(sentence: string): void {
    this.hopeless = sentence;
    this.changed();
  }

  /** A page that asked for another mode than the show's gets it, as far as there are addresses for it. */
  private allowed(playback: Playback | null): Playback | null {
    const { mode } = this.options;
    return playback && mode ? { ...playback, mode } : playback;
  }

  private renew(programme: Programme): void {
    this.renewed = programme.playback ?? null;
    const known = this.programme;
    // The state is what the page or the gateway says; only a replay is news that nobody else brings.
    this.take(known && known.state !== programme.state ? known : { ...programme, clockOffsetMs: this.clockOffsetMs });
  }

  private tune(): void {
    const { programme, playback, stage } = this;
    const over = programme?.state === "ended";
    clearTimeout(this.lingering);
    if (over && stage.behind) {
      // What they are watching becomes the replay; its address is the same, and comes in a moment.
      this.replaying = true;
      if (!playback) return;
    }
    if (over && !this.replaying && stage.live && stage.picture === "moving") {
      this.lingering = setTimeout(() => this.tuned(null), LINGER_MS);
    } else if (playback && programme?.state === "live") {
      this.replaying = false;
      this.tuned({ playback, over: false, began: this.showClock.moment(0) });
    } else {
      this.tuned(playback && over && this.replaying ? { playback, over, began: this.showClock.moment(0) } : null);
    }
  }

  private tuned(wish: Parameters<Stage["tune"]>[0]): void {
    this.stage.tune(wish);
    this.changed();
  }

  private changed(): void {
    const { stage, programme, playback } = this;
    this.seen ||= stage.picture === "moving";
    const state = stateOf({
      show: programme?.state ?? null,
      hopeless: this.hopeless,
      refused: typeof programme?.refusal === "string",
      playable: playback !== null,
      away: playback?.away ?? this.seen,
      replaying: this.replaying,
      lingering: stage.live && stage.picture !== "none",
      held: stage.held,
      online: navigator.onLine,
      picture: stage.picture,
      failure: stage.failure?.code ?? null,
    });
    const reason = this.hopeless || programme?.refusal || reasonFor(state, stage.failure?.code === "unplayable");
    const news = state !== this.state || reason !== this.reason;
    this.state = state;
    this.reason = reason;
    this.options.onChange();
    if (news) this.options.tell("simulcast-state", { state, reason });
    this.tellQuality();
  }

  private tellQuality(): void {
    const detail = {
      height: this.options.video.videoHeight || null,
      chosen: this.chosen,
      transport: this.stage.transport,
    };
    const said = JSON.stringify(detail);
    if (said === this.told || !detail.transport) return;
    const before = this.told && (JSON.parse(this.told) as typeof detail);
    this.told = said;
    if (before && before.transport === detail.transport && before.height && before.height !== detail.height) {
      this.counters.switched();
    }
    this.options.tell("simulcast-quality", detail);
  }

  private tick(): void {
    const { stage, options } = this;
    const shownAt = stage.shownAt;
    for (const cue of this.cueWatch.due(this.cues(), shownAt)) this.tellCue(cue);
    this.ticks += 1;
    if (this.ticks % TICKS_A_SECOND > 0) return;
    options.tell("simulcast-time", { latency: stage.delay, live: stage.live, duration: this.reach?.to ?? null });
    this.tellQuality();
    options.onChange();
  }

  private cues(): readonly Cue[] {
    const carried = this.stage.source?.cues() ?? null;
    if (carried) return carried;
    const listed = cuesOf(this.chapterList.list, this.showClock.moment(0) ?? NaN);
    // One that has just come up is on now, wherever the recording's clock puts it.
    return listed.map((cue) => ({ ...cue, at: Math.min(cue.at, this.chapterList.cameUp(cue.id) ?? Infinity) }));
  }

  private tellCue({ id, kind, title, reference, at, until }: Cue): void {
    const [begins, ends] = [this.showClock.of(at), this.showClock.of(until)];
    this.options.tell("simulcast-cue", { id, kind, title, reference, begins, ends });
  }

  private reading() {
    const { video } = this.options;
    const { transport, delay } = this.stage;
    return {
      transport,
      height: video.videoHeight || null,
      latencyMs: delay === null || !this.stage.live ? null : delay * 1000,
      ...playedFrames(video),
      ended: this.state === "ended",
    };
  }
}

function reasonFor(state: PlayerState, unplayable: boolean): string {
  if (state === "loading") return "Waiting for the picture. It starts by itself.";
  if (state !== "error") return "";
  return unplayable
    ? "This browser could not play the video. Trying again by itself; another browser may help."
    : "The stream cannot be reached. Trying again by itself.";
}
