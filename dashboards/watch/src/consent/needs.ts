/** Notices when the viewer does what must survive a reload, so that the browser may remember them until it closes. */

import type { Fetch } from "@simulcast/api";

/** A reservation, the waiting list, the cart, an order, a claim, a message, signing in. Nothing else needs a cookie. */
const NEEDS: readonly [method: string, path: RegExp][] = [
  ["POST", /\/public\/(holds|waitlist|orders|messages|sign-in|passkeys\/answer|checkout)$/],
  ["POST", /\/public\/claims\/[^/]+\/open$/],
  ["PUT", /\/public\/cart\/lines\/[^/]+$/],
];

export function needsMemory(method: string, url: string): boolean {
  const path = url.split(/[?#]/)[0] ?? "";
  return NEEDS.some(([verb, pattern]) => verb === method && pattern.test(path));
}

/** A fetch that says `needed` beside the answer, never before it: nobody waits longer for a reservation. */
export function noticing(fetch: Fetch, needed: () => void): Fetch {
  return async (input, init) => {
    const answer = await fetch(input, init);
    if (answer.ok && needsMemory(init.method ?? "GET", input)) needed();
    return answer;
  };
}

/** Says so once a page; a call that failed is tried with the next need. */
export function onceOnly(tell: () => Promise<void>): () => void {
  let said = false;
  return () => {
    if (said) return;
    said = true;
    tell().catch(() => (said = false));
  };
}
