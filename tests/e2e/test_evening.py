"""One scripted evening, seen from the watch page, from the studio, and from its own report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.demo import clock, pictures
from tests.e2e.conftest import (
    DESKTOP,
    PHONE,
    Demo,
    left_running,
    overflow,
    serious,
    sign_in,
    watch_address,
)

pytestmark = pytest.mark.e2e

SLOWEST_MS = 3000
READ_CLOCK = """
(clock) => {
  const find = (root) => {
    for (const one of root.querySelectorAll('*')) {
      if (one.tagName === 'VIDEO') return one;
      const inner = one.shadowRoot && find(one.shadowRoot);
      if (inner) return inner;
    }
    return null;
  };
  const video = find(document);
  if (!video || !video.videoWidth) return null;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const now = Date.now();
  const scale = video.videoWidth / clock.width;
  const y = Math.floor((clock.top + clock.square / 2) * scale);
  const row = context.getImageData(0, y, video.videoWidth, 1).data;
  const luma = [];
  for (let n = 0; n < clock.bits; n++) {
    const x = Math.floor((clock.left + (n + 0.5) * clock.square) * scale);
    luma.push(row[4 * x + 1]);
  }
  return {now, luma};
}
"""
CLOCK = {
    "width": pictures.WIDTH,
    "top": clock.TOP,
    "left": clock.LEFT,
    "square": clock.SQUARE,
    "bits": clock.BITS,
}


def shot(page: Page, name: str) -> None:
    """A picture for the person who asks for it."""
    folder = os.environ.get("SIMULCAST_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def glass_to_glass_ms(page: Page) -> int | None:
    """From the clock burned into the picture to the moment it is on this screen."""
    seen = page.evaluate(READ_CLOCK, CLOCK)
    if seen is None:
        return None
    word = 0
    for luma in seen["luma"]:
        word = word << 1 | (luma > 125)
    low, total = word >> 8, word & 0xFF
    if sum(low.to_bytes(4, "big")) & 0xFF != total:
        return None
    return clock.delay_ms(low, seen["now"])


def patiently(what: str, look: Callable[[], Any], seconds: float = 30) -> Any:
    """The first thing found that is not None or False."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None and found is not False:
            return found
        time.sleep(0.25)
    raise AssertionError(f"Waited {seconds:.0f} s in vain for {what}.")


def test_a_phone_sees_the_show_within_three_seconds_and_says_so(demo: Demo, browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    try:
        page.goto(watch_address(demo))
        patiently("the clock in the picture", lambda: glass_to_glass_ms(page))
        page.wait_for_timeout(5000)  # let the player settle at the live edge
        readings = [found for _ in range(20) if (found := settled(page)) is not None]
        assert len(readings) >= 10
        readings.sort()
        assert readings[len(readings) // 2] <= SLOWEST_MS, readings
        expect(page.get_by_text("behind live")).to_be_visible()
        expect(page.get_by_role("button", name="Buy", exact=False).first).to_be_visible()
        assert overflow(page) <= 0
        assert serious(page) == []
        shot(page, "watch-phone")
    finally:
        page.close()


def settled(page: Page) -> int | None:
    """One reading, and a moment until the next."""
    page.wait_for_timeout(150)
    return glass_to_glass_ms(page)


def test_a_buyer_reserves_with_a_countdown_and_pays(demo: Demo, browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    try:
        page.goto(watch_address(demo, "facebook"))
        more = page.get_by_role("button", name="More products", exact=False)
        more.wait_for(timeout=20_000)
        more.click()
        page.get_by_role("button", name="Buy Ember mug").click()
        expect(page.get_by_role("timer")).to_contain_text("1:", timeout=10_000)
        assert serious(page) == []
        shot(page, "watch-sheet")
        page.get_by_role("textbox", name="Name", exact=True).fill("Zoe Example")
        page.get_by_role("textbox", name="E-mail").fill("zoe@example.com")
        page.get_by_role("button", name="Pay €19.00").click()
        expect(page.get_by_text("Paid. Thank you!")).to_be_visible(timeout=30_000)
        shot(page, "watch-paid")
    finally:
        page.close()


def test_the_studio_shows_the_evening_as_it_happens(demo: Demo, browser: Browser) -> None:
    page = browser.new_page(viewport=DESKTOP)
    try:
        sign_in(page, demo)
        page.get_by_role("link", name="Autumn evening", exact=False).first.click()
        expect(page.get_by_role("region", name="Programme")).to_be_visible()
        for platform in ("youtube", "facebook", "twitch", "tiktok"):
            # Twitch is killed by the script in mid-show, and comes back.
            expect(page.get_by_test_id(f"target-{platform}")).to_have_attribute(
                "data-state", "live", timeout=30_000
            )
            said = page.locator(f'[data-testid="message"][data-platform="{platform}"]')
            expect(said.first).to_be_visible(timeout=10_000)
        patiently("the programme's picture", lambda: glass_to_glass_ms(page))
        reply = "We ship to Spain, too."
        page.get_by_role("textbox", name="Reply").fill(reply)
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text(reply)).to_be_visible()
        expect(page.get_by_role("table", name="By channel")).to_be_visible()
        assert serious(page) == []
        assert overflow(page) <= 0
        shot(page, "studio")
        page.set_viewport_size(PHONE)
        assert overflow(page) <= 0
        shot(page, "studio-phone")
    finally:
        page.close()


def test_a_stranger_does_not_get_in(demo: Demo, browser: Browser) -> None:
    page = browser.new_page(viewport=DESKTOP)
    try:
        page.goto(f"{demo.site}/studio")
        page.get_by_label("E-mail").fill("owner@demo.example")
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible(timeout=15_000)
        assert serious(page) == []
    finally:
        page.close()


def test_the_evening_ends_as_promised(demo: Demo) -> None:
    report = demo.report()
    assert report["problems"] == []
    assert demo.process.returncode == 0
    assert report["stock"]["BAG-RED"] == {"on_hand": 50, "held": 0, "committed": 50, "oversold": 0}
    assert report["offer"]["state"] == "live"
    assert [one["taken"] for one in report["offer"]["steps"]] == [2, 3, 2]
    # Six of these seven scarves are paid; the claim on TikTok is still to be.
    assert sum(report["offer"]["sold"].values()) == 6
    assert {one["platform"]: one["state"] for one in report["claims"]} == {"twitch": "paid", "tiktok": "held"}
    assert {one["name"] for one in report["targets"]} == {"youtube", "facebook", "twitch", "tiktok"}
    assert all(one["frames"] > 1000 for one in report["targets"] if one["name"] != "twitch")
    assert set(report["messages"]) == {"youtube", "facebook", "twitch", "tiktok", "own"}
    assert report["hls"]["latency_ms"] <= SLOWEST_MS
    assert report["audit"]["differences"] == []
    assert report["audit"]["checked"] > 100
    assert {"join", "product_view", "hold", "order", "pay", "chat", "leave"} <= set(report["events"])
    assert left_running(demo.data) == []
