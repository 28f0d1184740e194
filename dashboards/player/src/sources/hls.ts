/** LL-HLS, the show from its beginning and its replay, by hls.js. */

import Hls, { type ErrorData, type Level, type LevelDetails } from "hls.js";
import { addCaptions } from "../captions";
import { type Cue, cueOf } from "../cues";
import { chosen, highest } from "../quality";
import { StreamCaptions } from "../stream-captions";
import { placeOf, type Stretch } from "../timeline";
import { carried } from "../token";
import { live, rewound } from "./hls-options";
import { failure, failureOf, type Limits, type Rung, type Source, type SourceNews } from "./source";

/** The playlist stopped growing for so many target durations: nothing more is on its way. */
const ARRIVING_TARGETS = 2;
/** A seek that ends this close is exact enough. */
const EXACT_S = 0.5;

export interface HlsSourceOptions {
  video: HTMLVideoElement;
  url: string;
  kind: "live" | "rewound";
  /** Where to begin when not at the live edge: a moment in ms, and how far into the media it probably is (s). */
  from: { moment: number; place: number } | null;
  news: SourceNews;
}

export class HlsSource implements Source {
  readonly transport = "hls";
  private readonly hls: Hls;
  private readonly captions: StreamCaptions;
  /** The stream's address with the newest token and signature: what older ones named is asked for with these. */
  private newest: string;
  private recovered = false;
  private holdBack = 1;
  private limits: Limits | null = null;
  private known: { details: LevelDetails | null; cues: Cue[] } = { details: null, cues: [] };

  constructor(private readonly options: HlsSourceOptions) {
    const { kind, url, from } = options;
    this.newest = url;
    this.captions = new StreamCaptions(() => addCaptions(options.video));
    this.hls = new Hls({
      ...(kind === "live" ? live : rewound),
      ...(kind === "rewound" ? { startPosition: from?.place ?? 0 } : {}),
      xhrSetup: (xhr, address) => xhr.open("GET", carried(address, this.newest), true),
    });
  }

  open(): Promise<void> {
    const { hls, options } = this;
    const { news } = options;
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      if (this.limits) this.limit(this.limits);
      news.onRung();
    });
    hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => this.loaded(details));
    hls.on(Hls.Events.LEVEL_SWITCHED, () => news.onRung());
    hls.on(Hls.Events.FRAG_PARSING_USERDATA, (_, { samples }) => this.captions.take(samples));
    hls.on(Hls.Events.FRAG_PARSED, (_, { frag, part }) => {
      if (frag.type === "main") this.captions.until((part ?? frag).end);
    });
    hls.on(Hls.Events.ERROR, (_, data) => this.problem(data));
    options.video.srcObject = null;
    hls.loadSource(options.url);
    hls.attachMedia(options.video);
    return Promise.resolve();
  }

  close(): void {
    this.captions.close();
    this.hls.destroy();
  }

  progress(): number {
    return this.options.video.currentTime;
  }

  shownAt(): number | null {
    const { video } = this.options;
    const at = this.stretches().findLast(({ start }) => start <= video.currentTime);
    return at ? at.moment + (video.currentTime - at.start) * 1000 : null;
  }

  latency(): number {
    return this.options.kind === "live" ? this.hls.latency : 0;
  }

  keepUp(): { target: number; ahead: number } | null {
    const { hls, options } = this;
    if (options.kind !== "live" || hls.targetLatency === null) return null;
    return { target: hls.targetLatency, ahead: this.ahead() };
  }

  rungs(): Rung[] {
    return this.hls.levels.map(rungOf);
  }

  limit(limits: Limits): void {
    const { hls } = this;
    this.limits = limits;
    const rungs = this.rungs();
    if (rungs.length) {
      hls.autoLevelCapping = highest(rungs, limits);
      const level = limits.height === null ? -1 : chosen(rungs, limits.height);
      if (hls.manualLevel !== level) this.choose(level);
    }
    this.stayBack(limits.holdBack);
  }

  reach(): { from: number; to: number } | null {
    const all = this.stretches();
    const [first, last] = [all[0], all.at(-1)];
    return first && last ? { from: first.moment, to: last.moment + last.duration * 1000 } : null;
  }

  seek(moment: number): boolean {
    const reach = this.reach();
    if (!reach || moment < reach.from - 1000) return false;
    const place = placeOf(Math.max(reach.from, Math.min(moment, reach.to)), this.stretches());
    if (place === null) return false;
    this.options.video.currentTime = place;
    return true;
  }

  toLive(): void {
    const { video, kind } = this.options;
    const place = this.hls.liveSyncPosition;
    if (kind === "live" && place !== null && place > video.currentTime) video.currentTime = place;
  }

  renew(address: string): void {
    this.newest = address;
  }

  cues(): readonly Cue[] {
    const details = this.hls.latestLevelDetails;
    if (details && details !== this.known.details) this.known = { details, cues: cuesIn(details) };
    return this.known.cues;
  }

  arriving(): boolean {
    const details = this.hls.latestLevelDetails;
    return details !== null && details !== undefined && details.age < details.targetduration * ARRIVING_TARGETS;
  }

  fed(): boolean {
    const edge = this.hls.latestLevelDetails?.edge ?? 0;
    return edge - this.options.video.currentTime > EXACT_S;
  }

  private loaded(details: LevelDetails): void {
    const { kind, news } = this.options;
    if (this.known.details === null) {
      this.known = { details, cues: cuesIn(details) };
      if (kind === "rewound") this.begin(details);
      news.onReady();
    }
    this.stayBack(this.holdBack);
  }

  /** Where exactly the picture is shows only in the playlist. hls.js begins at its own place first. */
  private begin(details: LevelDetails): void {
    const { from, video } = this.options;
    const place = from && placeOf(from.moment, stretchesOf(details));
    if (!from || place === null || Math.abs(place - from.place) < EXACT_S) return;
    video.addEventListener("playing", () => (video.currentTime = place), { once: true });
  }

  /** Of the past half a minute is downloaded: what a viewer chose is not to be seen only after that. */
  private choose(level: number): void {
    if (this.options.kind === "rewound" && level >= 0) this.hls.nextLevel = level;
    else this.hls.loadLevel = level;
  }

  /** More than the server asks for, after stalls. */
  private stayBack(times: number): void {
    const { hls } = this;
    const asked = hls.latestLevelDetails?.partHoldBack || hls.latestLevelDetails?.holdBack;
    if (this.options.kind !== "live" || times === this.holdBack || !asked) return;
    this.holdBack = times;
    hls.targetLatency = asked * times;
  }

  private ahead(): number {
    const { buffered, currentTime } = this.options.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) <= currentTime + 0.1 && buffered.end(i) > currentTime) return buffered.end(i) - currentTime;
    }
    return 0;
  }

  private stretches(): Stretch[] {
    const details = this.hls.latestLevelDetails;
    return details ? stretchesOf(details) : [];
  }

  private problem(data: ErrorData): void {
    const { news } = this.options;
    const status = data.response?.code ?? 0;
    if (status === 401 || status === 403) {
      news.onFailed(failureOf({ status }));
    } else if (!data.fatal) {
      return;
    } else if (data.type === Hls.ErrorTypes.MEDIA_ERROR && !this.recovered) {
      this.recovered = true;
      this.hls.recoverMediaError();
    } else if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      news.onFailed(failureOf({ status, ...answerIn(data) }));
    } else {
      news.onFailed(failure("unplayable", `${data.details}: ${data.error?.message ?? ""}`));
    }
  }
}

function rungOf({ height, bitrate }: Level): Rung {
  return { height, kbps: Math.round(bitrate / 1000) };
}

/** Playlists are text; of media, and of a header that another origin may not show, nothing can be read. */
function answerIn({ networkDetails: xhr }: ErrorData): { text?: string; retryAfter?: string | null } {
  if (!(xhr instanceof XMLHttpRequest) || (xhr.responseType !== "" && xhr.responseType !== "text")) return {};
  const named = /^retry-after:/im.test(xhr.getAllResponseHeaders());
  return { text: xhr.responseText, retryAfter: named ? xhr.getResponseHeader("Retry-After") : null };
}

/** Each segment with its moment, the unfinished one last. */
function stretchesOf({ fragments, fragmentHint }: LevelDetails): Stretch[] {
  const found: Stretch[] = [];
  for (const { start, duration, programDateTime } of fragmentHint ? [...fragments, fragmentHint] : fragments) {
    if (programDateTime !== null && programDateTime !== undefined) found.push({ start, duration, moment: programDateTime });
  }
  return found;
}

function cuesIn({ dateRanges }: LevelDetails): Cue[] {
  const found: Cue[] = [];
  for (const range of Object.values(dateRanges)) {
    if (!range) continue;
    const cue = cueOf(range.id, range.startDate.getTime(), range.endDate?.getTime() ?? null, range.attr);
    if (cue) found.push(cue);
  }
  return found;
}
