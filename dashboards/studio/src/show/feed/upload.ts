/** Measures how fast this computer can send: random bytes to the media server, which says what they are good for. */

import type { Fetch, Uplink } from "@simulcast/api";

const BYTES = 4 << 20;
/** The server cuts after 10 s and answers; browsers may then report a broken connection. */
const CUT_MS = 8_000;
const LIMIT_MS = 30_000;
/** A browser gives out no more randomness at once. */
const AT_ONCE = 65_536;

export interface Measured {
  enough: boolean;
  sentence: string;
}

const FAILED: Measured = {
  enough: false,
  sentence: "The media server could not be reached from here. Check your network, then test again.",
};
const SLOW: Measured = {
  enough: false,
  sentence:
    "Your upload is slow: 4 MB did not get through in 10 seconds, which is less than 3.5 Mbit/s. " +
    "Use a cable instead of Wi-Fi, or stream in 720p with a video bitrate below 2,000 Kbps.",
};

/** What the server says of 4 MB. `fetch` and `now` are handed in by tests. */
export async function measureUpload(
  { url, token }: Uplink,
  fetch: Fetch = (input, init) => globalThis.fetch(input, init),
  now: () => number = () => performance.now(),
): Promise<Measured> {
  const began = now();
  let response: Response;
  let said: unknown;
  try {
    // The token goes into the address: a header would need the other origin's leave first.
    response = await fetch(`${url}?token=${encodeURIComponent(token)}`, {
      method: "POST",
      body: new Blob(randomness(BYTES)),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    said = await response.json();
  } catch {
    return now() - began >= CUT_MS ? SLOW : FAILED;
  }
  return outcome(said);
}

function outcome(said: unknown): Measured {
  if (typeof said !== "object" || said === null) return FAILED;
  const sentence = "sentence" in said ? said.sentence : "error" in said ? said.error : null;
  if (typeof sentence !== "string") return FAILED;
  return { sentence, enough: "enough" in said && said.enough === true };
}

/** Random, so that nothing on the way makes it smaller. */
function randomness(bytes: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: bytes / AT_ONCE }, () => crypto.getRandomValues(new Uint8Array(AT_ONCE)));
}
