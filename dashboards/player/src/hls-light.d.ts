/** The light build of hls.js (no captions, no DRM, no alternate audio) has no types of its own. */
declare module "hls.js/light" {
  export { default, type ErrorData } from "hls.js";
}
