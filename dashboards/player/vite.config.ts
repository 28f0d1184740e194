/** One file that any page can load by <script src="/player.js">. */

import { defineConfig } from "vite";
import { slimHls } from "./slim-hls.ts";

export default defineConfig({
  plugins: [slimHls()],
  build: {
    outDir: "../dist",
    emptyOutDir: false,
    lib: { entry: "src/index.ts", formats: ["iife"], name: "Simulcast", fileName: () => "player.js" },
  },
});
