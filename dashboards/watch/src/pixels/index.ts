/** Pixels: Google's, Meta's and TikTok's own scripts, where the brand has them and the viewer agreed. */

import { AdIdsApi, type ViewerApi } from "@simulcast/api";
import type { Choice } from "../consent";
import { Pixels } from "./pixels";
import { addScript, type Page, vendorOf } from "./vendors";

export type { Bought, Pixels } from "./pixels";

export function pagePixels(viewer: ViewerApi, allowed: () => Choice): Pixels {
  return new Pixels({
    api: new AdIdsApi(viewer),
    allowed,
    vendorOf: (pixel) => vendorOf(pixel, window as Page, addScript),
    cookies: () => document.cookie,
    address: () => location.href,
  });
}
