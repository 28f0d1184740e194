/**
 * CEA-608 captions (ANSI/CTA-608-E, 47 CFR 15.119): byte pairs to what stands on the screen. The first channel
 * only; colours and italics are left out, places are known by row. Pure.
 */

/** Lines from top to bottom, and the row (1 to 15) of the last; without lines the screen is empty. */
export interface Caption {
  lines: string[];
  row: number;
}

type Memory = Map<number, string>;
type Mode = "pop-on" | "paint-on" | "roll-up" | "text";

const BOTTOM = 15;
const COLUMNS = 32;
/** By the low three bits of a row code's first byte; the second byte's bit 0x20 means the row after. */
const ROWS = [11, 1, 3, 12, 14, 5, 7, 9];

/** What differs from ASCII. */
const BASIC: Record<number, string> = {
  0x2a: "á",
  0x5c: "é",
  0x5e: "í",
  0x5f: "ó",
  0x60: "ú",
  0x7b: "ç",
  0x7c: "÷",
  0x7d: "Ñ",
  0x7e: "ñ",
  0x7f: "█",
};
/** 0x30 to 0x3f after 0x11. */
const SPECIAL = "®°½¿™¢£♪à\u00a0èâêîôû";
/** 0x20 to 0x3f after 0x12 and 0x13: each takes the place of the plain character sent before it. */
const EXTENDED = ["ÁÉÓÚÜü‘¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»", "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘"];

/** Feed it in the order of presentation; `caption` says what is to be seen after each pair. */
export class Cea608 {
  private shown: Memory = new Map();
  private hidden: Memory = new Map();
  private mode: Mode = "text";
  private row = BOTTOM;
  private column = 0;
  private depth = 2;
  /** Control codes are sent twice: the second one is the same one. */
  private before = 0;
  /** Of the other channel: what follows is not ours. */
  private foreign = false;

  get caption(): Caption {
    const rows = [...this.shown].filter(([, text]) => text.trim()).sort(([one], [other]) => one - other);
    return { lines: rows.map(([, text]) => text.trim()), row: rows.at(-1)?.[0] ?? BOTTOM };
  }

  /** One pair of the first field; parity bits are ignored. */
  push(first: number, second: number): void {
    const [high, low] = [first & 0x7f, second & 0x7f];
    if (high === 0 && low === 0) return;
    if (high >= 0x20) {
      this.before = 0;
      if (!this.foreign) this.write([high, low].map(plain).join(""));
    } else if (high >= 0x10) {
      const pair = (high << 8) | low;
      const again = pair === this.before;
      this.before = again ? 0 : pair;
      if (!again) this.control(high, low);
    }
  }

  /** Something was missed: what was half sent is worth nothing, and nobody knows how long the rest was to stay. */
  reset(): void {
    this.shown = new Map();
    this.hidden = new Map();
    this.mode = "text";
    this.before = 0;
  }

  private control(high: number, low: number): void {
    this.foreign = (high & 0x08) !== 0;
    if (this.foreign) return;
    if (low >= 0x40) this.place(high, low);
    else if (high === 0x14 && low >= 0x20) this.command(low);
    else if (high === 0x11 && low >= 0x30) this.write(SPECIAL[low - 0x30] ?? "");
    else if (high === 0x11 && low >= 0x20) this.write(" "); // a change of style takes a column
    else if ((high === 0x12 || high === 0x13) && low >= 0x20) {
      this.erase();
      this.write(EXTENDED[high - 0x12]?.[low - 0x20] ?? "");
    } else if (high === 0x17 && low >= 0x21 && low <= 0x23) this.column = Math.min(this.column + low - 0x20, COLUMNS - 1);
  }

  /** A preamble: the row, and how far in. While captions roll, the whole block moves to a row. */
  private place(high: number, low: number): void {
    const row = (ROWS[high & 7] ?? BOTTOM) + (low & 0x20 && high !== 0x10 ? 1 : 0);
    if (this.mode === "roll-up" && row !== this.row) this.move(row);
    this.row = row;
    this.column = low & 0x10 ? ((low & 0x0e) >> 1) * 4 : 0;
  }

  private command(code: number): void {
    if (code === 0x20) this.mode = "pop-on";
    else if (code === 0x21) this.erase();
    else if (code === 0x24) this.cut();
    else if (code === 0x29) this.mode = "paint-on";
    else if (code === 0x2a || code === 0x2b) this.mode = "text";
    else if (code >= 0x25 && code <= 0x27) this.roll(code - 0x23);
    else if (code === 0x2c) this.shown = new Map();
    else if (code === 0x2d) this.feed();
    else if (code === 0x2e) this.hidden = new Map();
    else if (code === 0x2f) {
      [this.shown, this.hidden] = [this.hidden, this.shown];
      this.mode = "pop-on";
    }
  }

  private roll(depth: number): void {
    if (this.mode !== "roll-up") {
      this.shown = new Map();
      this.hidden = new Map();
      this.row = BOTTOM;
      this.column = 0;
    }
    this.mode = "roll-up";
    this.depth = depth;
  }

  /** The lines go up by one; the topmost leaves. */
  private feed(): void {
    if (this.mode !== "roll-up") return;
    this.column = 0;
    const up = [...this.shown].map(([row, text]) => [row - 1, text] as const);
    this.shown = new Map(up.filter(([row]) => row > this.row - this.depth && row > 0));
  }

  private move(row: number): void {
    const by = row - this.row;
    this.shown = new Map([...this.shown].map(([at, text]) => [at + by, text] as const).filter(([at]) => at > 0));
  }

  private get memory(): Memory {
    return this.mode === "pop-on" ? this.hidden : this.shown;
  }

  private write(text: string): void {
    if (this.mode === "text") return;
    let line = this.memory.get(this.row) ?? "";
    for (const letter of text) {
      line = line.slice(0, this.column).padEnd(this.column) + letter + line.slice(this.column + 1);
      this.column = Math.min(this.column + 1, COLUMNS - 1); // what is too much overwrites the last one
    }
    this.memory.set(this.row, line);
  }

  private erase(): void {
    this.column = Math.max(0, this.column - 1);
    this.cut();
  }

  /** Off with the rest of the row. */
  private cut(): void {
    const line = this.memory.get(this.row);
    if (this.mode !== "text" && line) this.memory.set(this.row, line.slice(0, this.column));
  }
}

function plain(code: number): string {
  return code < 0x20 ? "" : (BASIC[code] ?? String.fromCharCode(code));
}

/** The pairs of the first field in a cc_data structure (ATSC A/53, part 4, 6.2.3.1), flags first. */
export function pairsIn(data: Uint8Array): [number, number][] {
  const found: [number, number][] = [];
  const count = (data[0] ?? 0) & 0x1f;
  for (let at = 2; at + 2 < Math.min(data.length, 2 + 3 * count); at += 3) {
    const [flags = 0, first = 0, second = 0] = data.subarray(at, at + 3);
    if ((flags & 0x07) === 0x04) found.push([first, second]);
  }
  return found;
}
