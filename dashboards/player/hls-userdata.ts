/** In place of hls.js's remuxer: what the way around it takes from that file. See slim-hls.ts. */

interface TextTrack {
  samples: { pts: number }[];
}

/** The media's time that the video's zero is. */
interface Beginning {
  baseTime: number;
  timescale: number;
}

/** Nothing is remuxed. */
export default class {}

export function flushTextTrackMetadataCueSamples(): undefined {
  return undefined;
}

/** What pictures carry beside the picture, captions for one: from media time to the video's, in order of it. */
export function flushTextTrackUserdataCueSamples(
  track: TextTrack,
  _from: number,
  { baseTime, timescale }: Beginning,
): TextTrack {
  const samples = track.samples.splice(0);
  for (const sample of samples) sample.pts -= baseTime / timescale;
  return { samples: samples.sort((one, other) => one.pts - other.pts) };
}
