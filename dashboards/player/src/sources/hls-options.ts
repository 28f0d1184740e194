/** How hls.js is set up for our own streams. */

import type { HlsConfig, LoadPolicy } from "hls.js";

const playlistLoadPolicy: LoadPolicy = {
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
};

/** Tried once: chooser.ts knows better what to do next, and when. */
const manifestLoadPolicy: LoadPolicy = {
  default: { maxTimeToFirstByteMs: 5_000, maxLoadTimeMs: 10_000, timeoutRetry: null, errorRetry: null },
};

const common: Partial<HlsConfig> = {
  manifestLoadPolicy,
  enableWorker: false, // fragmented MP4 is passed through; there is nothing to transmux, and no policy to ask
  playlistLoadPolicy,
  capLevelToPlayerSize: false, // quality.ts does that, and more
  testBandwidth: false, // it would fetch the first part twice; a low first rung is quicker on every connection
  abrEwmaDefaultEstimate: 1_200_000,
};

export const live: Partial<HlsConfig> = {
  ...common,
  lowLatencyMode: true,
  backBufferLength: 30,
  maxBufferLength: 10,
  maxLiveSyncPlaybackRate: 1, // the rate is ours: see catch-up.ts
  liveSyncOnStallIncrease: 0.2, // a stall moves the target back a little, not by a whole segment
  // Half-lives are in seconds spent downloading. A part takes a hundredth of one, so hls.js's 3 and 9 would
  // remember a good connection for minutes after it has gone.
  abrEwmaFastLive: 0.5,
  abrEwmaSlowLive: 2,
  abrBandWidthFactor: 0.8, // the sound takes its share, and there is a second of media to be wrong in
  abrBandWidthUpFactor: 0.6,
  maxStarvationDelay: 1,
  maxLoadingDelay: 1,
};

/** From the beginning: while the show runs, and afterwards as its replay. */
export const rewound: Partial<HlsConfig> = {
  ...common,
  lowLatencyMode: false,
  backBufferLength: 60,
  maxBufferLength: 30,
  maxMaxBufferLength: 30, // hls.js would fetch sixty megabytes ahead
  maxLiveSyncPlaybackRate: 1,
};
