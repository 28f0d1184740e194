import { defineConfig } from "vitest/config";

export default defineConfig({
  // Threads with a context for each file: a fresh jsdom for every file took thirty times as long.
  test: { pool: "vmThreads", include: ["*/test/**/*.test.{ts,tsx}"], environment: "jsdom" },
});
