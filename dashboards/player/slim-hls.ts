/**
 * Builds hls.js from its own source with what the player needs of it: low latency, adaptive quality and
 * sound in a group of its own. The light build has no such sound, and the whole one alone is heavier than
 * the player may be. The hub sends fragmented MP4 without encryption, so the other demuxers, the
 * remuxer, keys, subtitles, advertising and steering stay out; so does the debug log, which nothing turns on.
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const SOURCE = fileURLToPath(new URL("../node_modules/hls.js/src", import.meta.url));
const ENTRY = join(SOURCE, "exports-default.ts");
/** Of a file that is left out, the function that is needed. */
const USERDATA = fileURLToPath(new URL("./hls-userdata.ts", import.meta.url));
const NEEDS = fileURLToPath(new URL("./hls-needs.ts", import.meta.url));

/** What hls.js itself calls its parts; `true` is built in. */
const PARTS = {
  ALT_AUDIO: true,
  SUBTITLES: false,
  EME_DRM: false,
  CMCD: false,
  CONTENT_STEERING: false,
  VARIABLE_SUBSTITUTION: false,
  M2TS_ADVANCED_CODECS: false,
  MEDIA_CAPABILITIES: false,
  INTERSTITIALS: false,
  IFRAMES: false,
};

/** Files that become empty. A demuxer that is not there recognises nothing. */
const LEFT_OUT = new Set([
  "controller/cap-level-controller",
  "controller/cmcd-controller",
  "controller/content-steering-controller",
  "controller/eme-controller",
  "controller/fps-controller",
  "controller/id3-track-controller",
  "controller/iframe-controller",
  "controller/interstitials-controller",
  "controller/subtitle-stream-controller",
  "controller/subtitle-track-controller",
  "controller/timeline-controller",
  "crypt/decrypter",
  "demux/audio/aacdemuxer",
  "demux/audio/ac3-demuxer",
  "demux/audio/mp3demuxer",
  "demux/tsdemuxer",
  "utils/cues",
  "utils/fetch-loader",
  "utils/mediakeys-helper",
]);
const REPLACED = new Map([["remux/mp4-remuxer", USERDATA]]);
/** The configuration makes one of each of these where it is named; without a default it makes none. */
const OPTIONAL = /^controller\//;

/** Packages that hls.js takes a function or two from; ours are smaller. */
const PACKAGES = ["eventemitter3", "url-toolkit", "@svta/cml-id3", "@svta/cml-utils"];

/** Whole statements; an empty statement in their place is always right. */
const LOG = /^(\s*)(?:this(?:\.hls)?|hls)?\.?(?:logger)?\.?(?:log|warn|debug|info)\([^;]*?\);$/gm;
const LOGS_AT_LEAST = 150;

const EXPORTED = /^export (?:(?:async )?(?:const enum|const|enum|function|class) (\w+)|\{([^}]*)\})/gm;

const EMPTY = "\0left-out:";

export function slimHls(): Plugin {
  let logs = 0;
  return {
    name: "slim-hls",
    enforce: "pre",
    config: () => ({
      define: {
        ...Object.fromEntries(Object.entries(PARTS).map(([part, wanted]) => [`__USE_${part}__`, String(wanted)])),
        __VERSION__: '""',
        __HLS_WORKER_BUNDLE__: "undefined",
        __IN_WORKER__: "false",
      },
      // As hls.js is compiled by its own makers: a field without a value is only a type.
      oxc: {
        assumptions: { setPublicClassFields: true },
        typescript: { removeClassFieldsWithoutInitializer: true },
      },
    }),
    buildStart() {
      for (const name of [...LEFT_OUT, ...REPLACED.keys()]) {
        if (!existsSync(join(SOURCE, `${name}.ts`))) throw new Error(`hls.js changed: it has no ${name}.`);
      }
    },
    resolveId(id, importer) {
      if (id === "hls.js") return ENTRY;
      if (!importer?.startsWith(SOURCE)) return null;
      if (PACKAGES.includes(id)) return NEEDS;
      const name = id.startsWith(".") ? relative(SOURCE, join(dirname(importer), id)) : "";
      return REPLACED.get(name) ?? (LEFT_OUT.has(name) ? EMPTY + name : null);
    },
    load(id) {
      return id.startsWith(EMPTY) ? nothing(id.slice(EMPTY.length)) : null;
    },
    transform(code, id) {
      if (!id.startsWith(SOURCE)) return null;
      logs += code.match(LOG)?.length ?? 0;
      return { code: code.replace(LOG, "$1;"), map: null };
    },
    buildEnd(error) {
      if (!error && logs < LOGS_AT_LEAST) {
        throw new Error(`hls.js changed: its log is written in another way (${logs} found).`);
      }
    },
  };
}

/** A module in place of `name` whose exports do nothing: they are imported in places that are never reached. */
function nothing(name: string): string {
  const code = readFileSync(join(SOURCE, `${name}.ts`), "utf8");
  const names = [...code.matchAll(EXPORTED)].flatMap(([, one, list]) => one ?? list?.split(",") ?? []);
  const first = OPTIONAL.test(name)
    ? "export default undefined;"
    : "export default class { static probe() { return false; } reset() {} destroy() {} }";
  const others = names.map((one) => one.trim()).filter((one) => one && one !== "default");
  return [first, ...others.map((one) => `export function ${one}() {}`)].join("\n");
}
