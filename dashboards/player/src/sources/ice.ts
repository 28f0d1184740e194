/** ICE servers as a WHEP server names them: one Link header for each (RFC 9725, section 4.6). */

/** Empty for a header that names none. A comma inside quotes or an address is no separator. */
export function iceServersOf(link: string | null): RTCIceServer[] {
  const found: RTCIceServer[] = [];
  for (const [, url, params] of (link ?? "").matchAll(/<([^>]*)>((?:\s*;\s*[^,;"]+(?:"[^"]*")?)*)/g)) {
    const said = parameters(params ?? "");
    if (!url || said.rel !== "ice-server" || !/^(stuns?|turns?):/i.test(url)) continue;
    const server: RTCIceServer = { urls: url };
    if (said.username !== undefined) server.username = said.username;
    if (said.credential !== undefined) server.credential = said.credential;
    found.push(server);
  }
  return found;
}

function parameters(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, quoted, token] of text.matchAll(/;\s*([a-z-]+)\s*=\s*(?:"([^"]*)"|([^;,\s"]+))/gi)) {
    if (name) found[name.toLowerCase()] = quoted ?? token ?? "";
  }
  return found;
}
