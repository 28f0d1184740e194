"""The page a probe plays on, and what it asks that page. JavaScript as text; nothing here runs by itself."""

from __future__ import annotations

from typing import Any, Final

from hub.demo import clock, pictures

MODES: Final = {"auto": "auto", "hls": "balanced", "whep": "interactive"}

STAGE: Final = """
({ show, mode }) => new Promise((resolve, reject) => {
  const player = document.createElement("simulcast-player");
  const wishes = { show, mode, muted: "", autoplay: "" };
  for (const [name, value] of Object.entries(wishes)) player.setAttribute(name, value);
  player.style.cssText = "position: fixed; inset: 0; display: block";
  document.body.replaceChildren(player);
  const script = document.createElement("script");
  script.src = "/player.js";
  script.onload = resolve;
  script.onerror = () => reject(new Error("player.js did not come"));
  document.head.append(script);
})
"""
"""Nothing but the player, as any site would embed it."""

BEFORE: Final = """
(() => {
  const define = customElements.define.bind(customElements);
  customElements.define = (name, element, options) => {
    const { connectedCallback } = element.prototype;
    if (name === "simulcast-player") {
      element.prototype.connectedCallback = function () {
        this.setAttribute("kind", "probe");
        connectedCallback.call(this);
      };
    }
    define(name, element, options);
  };
  const heard = [];
  Object.defineProperty(window, "simulcastHeard", { value: heard });
  const hear = (to, body) => {
    if (!new URL(to, location.href).pathname.endsWith("/quality")) return;
    if (body instanceof Blob) void body.text().then((text) => heard.push(text));
    else heard.push(String(body));
  };
  const { fetch } = window;
  const beacon = navigator.sendBeacon.bind(navigator);
  navigator.sendBeacon = (to, body) => {
    hear(to, body);
    return beacon(to, body);
  };
  window.fetch = (to, options) => {
    if (options?.body) hear(to instanceof Request ? to.url : to, options.body);
    return fetch(to, options);
  };
})();
"""
"""Runs before the page's own scripts: nobody watches, the player is told, and its reports are copied."""

FAREWELL: Final = """
async () => {
  window.dispatchEvent(new PageTransitionEvent("pagehide"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  return window.simulcastHeard;
}
"""
"""The player's last report, as when a tab is closed; then everything it reported, as texts."""

LOOK: Final = """
(clock) => {
  const find = (root, tag) => {
    for (const one of root.querySelectorAll("*")) {
      if (one.tagName === tag) return one;
      const inner = one.shadowRoot && find(one.shadowRoot, tag);
      if (inner) return inner;
    }
    return null;
  };
  const player = find(document, "SIMULCAST-PLAYER");
  const words = player?.shadowRoot?.querySelector("[role=status]")?.textContent ?? "";
  const video = find(document, "VIDEO");
  const seen = { player: player !== null, words: words.trim(), luma: null, now: 0 };
  if (!video?.videoWidth || video.paused) return seen;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  seen.now = Date.now();
  const scale = video.videoWidth / clock.width;
  const y = Math.floor((clock.top + clock.square / 2) * scale);
  const row = context.getImageData(0, y, video.videoWidth, 1).data;
  seen.luma = [];
  for (let bit = 0; bit < clock.bits; bit++) {
    const x = Math.floor((clock.left + (bit + 0.5) * clock.square) * scale);
    seen.luma.push(row[4 * x + 1]);
  }
  return seen;
}
"""
"""What is on the screen: the player's words, and the squares of the clock burned into the demo's picture."""

CLOCK: Final = {
    "width": pictures.WIDTH,
    "top": clock.TOP,
    "left": clock.LEFT,
    "square": clock.SQUARE,
    "bits": clock.BITS,
}
OLDEST_MS: Final = 600_000
"""A clock that says more was misread."""


def glass_ms(seen: dict[str, Any]) -> int | None:
    """From the clock in the picture to this screen; None for pictures that carry no clock."""
    if seen["luma"] is None:
        return None
    word = 0
    for luma in seen["luma"]:
        word = word << 1 | (luma > 125)
    low, total = word >> 8, word & 0xFF
    late = clock.delay_ms(low, seen["now"])
    return late if sum(low.to_bytes(4, "big")) & 0xFF == total and late < OLDEST_MS else None
