/**
 * Makes hls.js's light build lighter: alone it is as heavy as the whole player may be. The hub sends
 * fragmented MP4 only, so the MPEG-TS, AAC and MP3 demuxers go: they hang on one list, and what it no
 * longer names, the bundler drops. The debug log goes too: nothing turns it on.
 */

import type { Plugin } from "vite";

const LIST = /const muxConfig = \[\{\s*demux: MP4Demuxer,\s*remux: PassThroughRemuxer\s*\}[^\]]*\];/;
const SHORT = "const muxConfig = [{ demux: MP4Demuxer, remux: PassThroughRemuxer }];";
/** Whole statements on a line of their own; an empty statement in their place is always right. */
const LOG = /^(\s*)(?:this|logger)\.log\([^\n]*\);$/gm;
const LOGS_AT_LEAST = 100;

export function slimHls(): Plugin {
  return {
    name: "slim-hls",
    transform(code, id) {
      if (!id.endsWith("hls.light.mjs")) return null;
      if (!LIST.test(code)) throw new Error("hls.js changed: its list of demuxers is not where it was.");
      if ((code.match(LOG)?.length ?? 0) < LOGS_AT_LEAST) {
        throw new Error("hls.js changed: its log is written in another way.");
      }
      return { code: code.replace(LIST, SHORT).replace(LOG, "$1;"), map: null };
    },
  };
}
