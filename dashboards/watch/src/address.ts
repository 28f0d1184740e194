/** The address of the page: which show it is, and what of it may be told. Pure. */

import { withoutClaim } from "./claim-link";

/** Where the viewer came from, without the keys to a private show and to a claim. */
export function landing(address: string): string {
  const url = new URL(withoutClaim(address));
  url.searchParams.delete("access");
  return url.href;
}

/** The address without a visitor's pass: it was used, and is nobody else's. */
export function withoutPass(address: string): string {
  const url = new URL(address);
  url.searchParams.delete("sh_v");
  return url.href;
}

/** "/watch/spring-show" → "spring-show". */
export function slugOf(path: string): string {
  return decodeURIComponent(path.replace(/\/+$/, "").split("/").pop() ?? "");
}
