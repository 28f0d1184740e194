/** Playback tokens in addresses: `?token=…`. */

/** The address without its token: what makes two addresses the same stream. */
export function bare(address: string): string {
  const url = parse(address);
  if (!url) return address;
  url.searchParams.delete("token");
  return url.href;
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
