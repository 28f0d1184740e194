/** Captions that come inside the pictures, as a track of the video: they are there as soon as they are buffered. */

import type { CaptionTrack } from "./captions";
import { Cea608, pairsIn } from "./cea608";

/** Nobody reads longer; an end that was lost must not leave a sentence on the screen for ever. */
const LONGEST_S = 16;
/** Captions that are typed grow letter by letter: steps quicker than this are one. */
const STEP_S = 0.25;
const MOST_CUES = 200;
/** Pictures come in the order of decoding; none is shown so much before one that came earlier. */
const REORDERED_S = 0.25;
/** Rows above the middle are shown at the top, all others at the bottom. */
const UPPER_ROWS = 7;

/** What hls.js finds in a picture; `bytes` is cc_data, missing where it was something else. */
export interface PictureData {
  /** In seconds of the video's own time. */
  pts: number;
  bytes?: Uint8Array;
}

export class StreamCaptions {
  private readonly decoder = new Cea608();
  private place: CaptionTrack | null = null;
  private cues: VTTCue[] = [];
  private open: VTTCue | null = null;
  private text = "";
  /** What may still have to let others go first. */
  private waiting: { pts: number; bytes: Uint8Array }[] = [];
  private newest = 0;

  /** `make` is asked for a track with the first caption: most shows have none. */
  constructor(private readonly make: () => CaptionTrack) {}

  /** The next pictures' data; what was buffered before may come again. */
  take(found: readonly PictureData[]): void {
    for (const { pts, bytes } of found) {
      if (!bytes) continue;
      if (pts < this.newest) this.goBack(pts);
      this.waiting.push({ pts, bytes });
    }
  }

  /** All pictures are there that are decoded before this moment (s). */
  until(end: number): void {
    const ready = this.waiting.filter(({ pts }) => pts < end - REORDERED_S);
    this.waiting = this.waiting.filter((one) => !ready.includes(one));
    for (const { pts, bytes } of ready.sort((one, other) => one.pts - other.pts)) {
      if (pts > this.newest + LONGEST_S) this.decoder.reset();
      this.newest = pts;
      for (const [first, second] of pairsIn(bytes)) this.decoder.push(first, second);
      this.show(pts);
    }
  }

  close(): void {
    this.place?.remove();
    this.place = null;
    this.cues = [];
  }

  private goBack(pts: number): void {
    this.decoder.reset();
    this.text = "";
    this.open = null;
    this.waiting = [];
    this.newest = pts;
    this.forget(this.cues.filter(({ startTime }) => startTime >= pts));
  }

  private show(pts: number): void {
    const { lines, row } = this.decoder.caption;
    const text = lines.join("\n").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    if (text === this.text) return;
    this.text = text;
    const { open } = this;
    if (open && text && pts - open.startTime < STEP_S) {
      open.text = text;
      return;
    }
    if (open) open.endTime = Math.max(pts, open.startTime + STEP_S);
    this.open = text ? this.add(new VTTCue(pts, pts + LONGEST_S, text), row) : null;
  }

  private add(cue: VTTCue, row: number): VTTCue {
    if (row <= UPPER_ROWS) cue.line = 0;
    this.place ??= this.make();
    this.place.track.addCue(cue);
    this.cues.push(cue);
    this.forget(this.cues.slice(0, -MOST_CUES));
    return cue;
  }

  private forget(old: readonly VTTCue[]): void {
    for (const cue of old) this.place?.track.removeCue(cue);
    if (old.length) this.cues = this.cues.filter((cue) => !old.includes(cue));
  }
}
