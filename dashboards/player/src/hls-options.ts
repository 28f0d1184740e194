/** How hls.js is set up for our own low-latency streams. */

import type { HlsConfig } from "hls.js";

export const options: Partial<HlsConfig> = {
  lowLatencyMode: true,
  enableWorker: false, // fragmented MP4 is passed through; there is nothing to transmux
  backBufferLength: 10,
  maxBufferLength: 10,
  maxLiveSyncPlaybackRate: 1, // the rate is ours: see catch-up.ts
  liveSyncOnStallIncrease: 0.2, // a stall moves the target back a little, not by a whole segment
  playlistLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 10_000,
      maxLoadTimeMs: 20_000,
      timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: {
        maxNumRetry: 3,
        retryDelayMs: 500,
        maxRetryDelayMs: 2_000,
        // 503: the encoder is away. The last picture stays and goes on as soon as there is a next one.
        shouldRetry: (_config, _count, _timeout, response, retry) => retry || response?.code === 503,
      },
    },
  },
};
