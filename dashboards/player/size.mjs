/** Fails the build when the player gets too heavy for a phone. */

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 120;
const size = gzipSync(readFileSync(new URL("../dist/player.js", import.meta.url)), { level: 9 }).length / 1000;
console.log(`player.js: ${size.toFixed(1)} kB gzip (limit ${LIMIT_KB} kB)`);
if (size > LIMIT_KB) process.exit(1);
