/** What this browser is called by Google, Meta and TikTok: read from their own cookies and from the address. */

import type { SeenIds } from "@simulcast/api";

export function idsIn(cookies: string, address: string): SeenIds {
  const kept = new Map(
    cookies.split("; ").map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)] as const),
  );
  const query = new URL(address).searchParams;
  const found: Record<string, string | undefined> = {
    ga_client: clientIn(kept.get("_ga")),
    gclid: query.get("gclid") ?? undefined,
    fbp: kept.get("_fbp"),
    fbc: kept.get("_fbc"),
    fbclid: query.get("fbclid") ?? undefined,
    ttp: kept.get("_ttp"),
    ttclid: query.get("ttclid") ?? undefined,
  };
  const sessions: Record<string, string> = {};
  for (const [name, value] of kept) {
    const stream = /^_ga_([A-Z0-9]+)$/.exec(name)?.[1];
    const session = sessionIn(value);
    if (stream && session) sessions[`G-${stream}`] = session;
  }
  const ids = Object.fromEntries(Object.entries(found).filter(([, value]) => value));
  return Object.keys(sessions).length ? { ...ids, ga_sessions: sessions } : ids;
}

/** GA1.1.1234567890.1790000000 → 1234567890.1790000000 */
export function clientIn(cookie: string | undefined): string | undefined {
  return /^GA\d\.\d\.(\d+\.\d+)$/.exec(cookie ?? "")?.[1];
}

/** GS1.1.1790000123.2.… and GS2.1.s1790000123$o2$… → 1790000123 */
export function sessionIn(cookie: string): string | undefined {
  return /^GS\d\.\d\.s?(\d+)[.$]/.exec(cookie)?.[1];
}
