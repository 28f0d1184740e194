/** Which transports this browser can have, and the HLS one that it needs. */

import Hls from "hls.js";
import type { Choice } from "../chooser";
import { HlsSource, type HlsSourceOptions } from "./hls";
import { NativeSource } from "./native";
import type { Source } from "./source";

export function able(): Choice["able"] {
  return {
    webrtc: typeof RTCPeerConnection === "function",
    mse: Hls.isSupported(),
    native: document.createElement("video").canPlayType("application/vnd.apple.mpegurl") !== "",
  };
}

export function hlsSource(transport: "hls" | "native", options: HlsSourceOptions): Source {
  return transport === "hls" ? new HlsSource(options) : new NativeSource(options);
}
