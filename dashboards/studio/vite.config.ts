/** The pages under /studio; their files are served under /studio/assets. */

import { defineConfig } from "vite";

export default defineConfig({
  base: "/studio/",
  build: {
    outDir: "../dist/studio",
    emptyOutDir: true,
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // "use client" means nothing in a page that has no server half.
      onwarn: (warning, warn) => warning.code === "MODULE_LEVEL_DIRECTIVE" || warn(warning),
    },
  },
});
