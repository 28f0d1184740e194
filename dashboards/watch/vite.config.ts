/** The pages at /watch/SLUG and /orders/TOKEN; their files are served under /watch-assets/. */

import { defineConfig } from "vite";
import { slimHls } from "../player/slim-hls.ts";

export default defineConfig({
  base: "/watch-assets/",
  plugins: [slimHls()],
  build: {
    outDir: "../dist/watch",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "orders.html"] },
  },
});
