import { describe, expect, it } from "vitest";
import { Cea608, pairsIn } from "../src/cea608";

const RESUME = 0x1420, BACK = 0x1421, ROLL_2 = 0x1425, ROLL_3 = 0x1426, PAINT = 0x1429, TEXT = 0x142a;
const DELETE_REST = 0x1424, TAB_3 = 0x1723, CLEAR = 0x142c, NEW_LINE = 0x142d, CLEAR_HIDDEN = 0x142e, FLIP = 0x142f;
const ROW_15 = 0x1470, ROW_14 = 0x1450, ROW_2 = 0x1170, ROW_11 = 0x1050, ROW_15_IN_8 = 0x1474;

/** Text as it is, control codes twice, as they are sent. */
function send(decoder: Cea608, ...said: (string | number)[]): string[] {
  for (const one of said) {
    if (typeof one === "number") {
      for (let times = 0; times < 2; times += 1) decoder.push(odd(one >> 8), odd(one & 0xff));
    } else {
      for (let at = 0; at < one.length; at += 2) {
        decoder.push(odd(one.charCodeAt(at)), odd(at + 1 < one.length ? one.charCodeAt(at + 1) : 0));
      }
    }
  }
  return decoder.caption.lines;
}

/** With the parity bit that line 21 carries. */
function odd(code: number): number {
  const ones = code.toString(2).replaceAll("0", "").length;
  return ones % 2 ? code : code | 0x80;
}

describe("CEA-608", () => {
  it("pops a caption on when it is whole, and off again", () => {
    const decoder = new Cea608();
    expect(send(decoder, RESUME, CLEAR_HIDDEN, ROW_14, "HELLO", ROW_15, "WORLD")).toEqual([]);
    expect(send(decoder, FLIP)).toEqual(["HELLO", "WORLD"]);
    expect(decoder.caption.row).toBe(15);
    expect(send(decoder, RESUME, CLEAR_HIDDEN, ROW_15, "NEXT")).toEqual(["HELLO", "WORLD"]);
    expect(send(decoder, FLIP)).toEqual(["NEXT"]);
    expect(send(decoder, CLEAR)).toEqual([]);
  });

  it("rolls up line by line, as many as are wanted", () => {
    const decoder = new Cea608();
    expect(send(decoder, ROLL_2, NEW_LINE, ROW_15, "ONE")).toEqual(["ONE"]);
    expect(send(decoder, NEW_LINE, "TWO")).toEqual(["ONE", "TWO"]);
    expect(send(decoder, NEW_LINE, "THREE")).toEqual(["TWO", "THREE"]);
    expect(send(decoder, ROLL_3, NEW_LINE, "FOUR")).toEqual(["TWO", "THREE", "FOUR"]);
  });

  it("moves rolling lines to another row", () => {
    const decoder = new Cea608();
    send(decoder, ROLL_2, ROW_15, "ONE", NEW_LINE, "TWO", ROW_2);
    expect(decoder.caption).toEqual({ lines: ["ONE", "TWO"], row: 2 });
  });

  it("paints letters on as they come", () => {
    const decoder = new Cea608();
    expect(send(decoder, PAINT, ROW_11, "AB")).toEqual(["AB"]);
    expect(send(decoder, "CD", BACK)).toEqual(["ABC"]);
    expect(decoder.caption.row).toBe(11);
    expect(send(decoder, ROW_11, "X")).toEqual(["XBC"]);
  });

  it("puts text where it belongs in its row", () => {
    const decoder = new Cea608();
    expect(send(decoder, PAINT, ROW_15, "LEFT", ROW_15_IN_8, 0x1722, "RIGHT")).toEqual(["LEFT      RIGHT"]);
  });

  it("stays within its 32 columns, whatever the tabs, and overwrites the last one", () => {
    const decoder = new Cea608();
    const tabs = Array.from({ length: 40 }, () => TAB_3);
    // Other codes between them, or every second one would be a repetition.
    const far = tabs.flatMap((tab) => [tab, 0x1722]);
    const [line = ""] = send(decoder, PAINT, ROW_15, "X", ...far, "YZ");
    expect(line).toBe(`X${" ".repeat(30)}Z`);
    expect(send(decoder, "ABC")).toEqual([`X${" ".repeat(30)}C`]);
  });

  it("deletes from where it writes to the end of the row", () => {
    const decoder = new Cea608();
    expect(send(decoder, PAINT, ROW_15, "LEFT", ROW_15_IN_8, "RIGHT", ROW_15_IN_8, 0x1722)).toEqual(["LEFT    RIGHT"]);
    expect(send(decoder, DELETE_REST)).toEqual(["LEFT    RI"]);
    expect(send(decoder, ROW_15, DELETE_REST, "NEW")).toEqual(["NEW"]);
    send(decoder, TEXT, DELETE_REST);
    expect(decoder.caption.lines).toEqual(["NEW"]);
  });

  it("knows the letters beside ASCII, and those that replace a plain one", () => {
    const decoder = new Cea608();
    // 0x2a is a letter of line 21; 0x1137 the note; 0x1230 takes the place of A, 0x1334 of s.
    expect(send(decoder, PAINT, ROW_15, "*", 0x1137, "A", 0x1230, "s", 0x1334)).toEqual(["á♪Àß"]);
  });

  it("takes a code that is sent twice for one, and a third for another", () => {
    const decoder = new Cea608();
    send(decoder, PAINT, ROW_15);
    for (let times = 0; times < 3; times += 1) decoder.push(0x11, 0x37);
    expect(decoder.caption.lines).toEqual(["♪♪"]);
  });

  it("leaves the second channel and the text service alone", () => {
    const decoder = new Cea608();
    send(decoder, PAINT, ROW_15, "OURS");
    expect(send(decoder, 0x1c29, 0x1c70, "THEIRS")).toEqual(["OURS"]);
    expect(send(decoder, PAINT, ROW_15, "O")).toEqual(["OURS"]);
    expect(send(decoder, TEXT, "NEWS OF THE DAY")).toEqual(["OURS"]);
  });

  it("shows nothing half after something was missed", () => {
    const decoder = new Cea608();
    send(decoder, RESUME, ROW_15, "HALF");
    decoder.reset();
    expect(send(decoder, " A SENTENCE")).toEqual([]);
    expect(send(decoder, RESUME, CLEAR_HIDDEN, ROW_15, "WHOLE", FLIP)).toEqual(["WHOLE"]);
  });

  it("survives whatever bytes come", () => {
    const decoder = new Cea608();
    for (let high = 0; high < 256; high += 1) {
      for (let low = 0; low < 256; low += 1) decoder.push(high, low);
    }
    expect(decoder.caption.lines.every((line) => line.length <= 32)).toBe(true);
  });

  it("keeps to its columns when text follows any code and any tabs", () => {
    const decoder = new Cea608();
    const longest = { seen: 0 };
    for (let code = 0x1020; code < 0x1780; code += 1) {
      send(decoder, PAINT, ROW_15, "X", code, TAB_3, code, TAB_3, "AB", code, TAB_3, "CD");
      longest.seen = Math.max(longest.seen, ...decoder.caption.lines.map((line) => line.length));
    }
    expect(longest.seen).toBe(32);
  });
});

describe("pairsIn", () => {
  it("takes valid pairs of the first field out of cc_data", () => {
    const field1 = [0xfc, 0x41, 0x42], field2 = [0xfd, 1, 2], invalid = [0xf8, 3, 4], digital = [0xfe, 5, 6];
    const data = Uint8Array.from([0x40 | 5, 0xff, ...field1, ...field2, ...invalid, ...digital, ...field1]);
    expect(pairsIn(data)).toEqual([[0x41, 0x42], [0x41, 0x42]]);
  });

  it("does not read beyond what is there", () => {
    expect(pairsIn(Uint8Array.from([0x5f, 0xff, 0xfc, 0x41]))).toEqual([]);
    expect(pairsIn(new Uint8Array())).toEqual([]);
  });
});
