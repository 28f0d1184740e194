/** Playback tokens in addresses, `?token=…`, and the signatures that some CDNs want with every request. */

/** CloudFront's, and Fastly's as our connector makes it. */
const SIGNATURE = ["Policy", "Signature", "Key-Pair-Id", "edge_token"];

/** The address without token and signature: what makes two addresses the same stream. */
export function bare(address: string): string {
  const url = parse(address);
  if (!url) return address;
  for (const name of ["token", ...SIGNATURE]) url.searchParams.delete(name);
  return url.href;
}

/** An address of a stream as it is asked for now: with what `newest`, the stream's own address, was given last. */
export function carried(address: string, newest: string): string {
  const [url, stream] = [parse(address), parse(newest)];
  const current = withToken(address, tokenOf(newest));
  if (!url || !stream || url.origin !== stream.origin) return current;
  // As they were written: not every edge reads them encoded in another way.
  const given = stream.search.slice(1).split("&").filter((one) => isSignature(one));
  const [path = "", query = ""] = current.split("#")[0]?.split("?") ?? [];
  const kept = query.split("&").filter((one) => one && !isSignature(one));
  return given.length ? `${path}?${[...kept, ...given].join("&")}` : current;
}

function isSignature(parameter: string): boolean {
  return SIGNATURE.includes(parameter.split("=")[0] ?? "");
}

export function tokenOf(address: string): string | null {
  return parse(address)?.searchParams.get("token") ?? null;
}

/** The address with a newer token in the old one's place; one that carries none stays as it is. */
export function withToken(address: string, token: string | null): string {
  const url = parse(address);
  if (!url || !token || !url.searchParams.has("token") || url.searchParams.get("token") === token) return address;
  url.searchParams.set("token", token);
  return url.href;
}

function parse(address: string): URL | null {
  try {
    return new URL(address, globalThis.location?.href);
  } catch {
    return null;
  }
}
