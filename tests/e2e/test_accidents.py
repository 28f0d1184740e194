"""An evening with accidents: the database hangs, every process of ours is killed, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hub.demo.fakes import PLATFORMS
from hub.demo.show import SLUG
from tests.e2e.conftest import PHONE, Demo, start, watch_address
from tests.e2e.test_evening import glass_to_glass_ms, patiently

pytestmark = pytest.mark.e2e

VICTIMS = ("postgres -D", "nats-server", "-m restream ", "run api", "run gateway", "run work")
STALE_MS = 6000
GONE = 5.0
BETWEEN = 4.0
"""Seconds; long enough to be back, short enough that all of it falls into the show."""


def find(demo: Demo, words: str) -> int:
    """The process of this demo whose command line has these words; the oldest is the parent."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if words in command and parent == str(demo.process.pid):
            found.append(int(entry.name))
    assert len(found) == 1, (words, found)
    return found[0]


def same_chat(page: Page) -> bool:
    """Whether an open page shows all that a page which is loaded now would show."""
    shown = page.locator("chat-panel").evaluate("panel => panel.messages.map(one => one.id)")
    address = f"/api/v1/public/shows/{SLUG}"
    show = page.evaluate("address => fetch(address).then(answer => answer.json())", address)
    kept = [one["id"] for one in show["messages"]]
    return len(kept) > 10 and {*kept} <= {*shown}


def hang(pid: int, seconds: float) -> None:
    """Stop a process and its children for a while: connections stay open, and nobody answers."""
    family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    for one in family:
        os.kill(one, signal.SIGSTOP)
    time.sleep(seconds)
    for one in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGCONT)


def test_killing_every_process_in_mid_show_loses_nothing(folder: Path, browser: Browser) -> None:
    demo = start(folder, "--duration", "80", "--json")
    demo.wait_for("The show is live")
    page = browser.new_page(viewport=PHONE)
    page.goto(watch_address(demo))
    patiently("the clock in the picture", lambda: glass_to_glass_ms(page))
    page.evaluate("window.neverLoadedAgain = true")
    demo.wait_for("The studio answers everybody at once.")
    hang(find(demo, "postgres -D"), GONE)
    for words in VICTIMS:
        os.kill(find(demo, words), signal.SIGKILL)
        time.sleep(BETWEEN)
    # The watch page was open all the time, and nobody reloads it.
    patiently("a fresh picture", lambda: (glass_to_glass_ms(page) or STALE_MS) < STALE_MS, 60)
    # NATS and the gateway were away while people talked.
    patiently("the chat without a hole", lambda: same_chat(page), 60)
    assert page.evaluate("window.neverLoadedAgain")
    page.close()
    report = demo.report()
    # Twitch repeats nothing that was said while nobody listened; every other chat is read on from its place.
    # Killing the media worker is felt by every target for a moment, and people waited for what was away.
    # TikTok's reader is best effort: what was said while it was away counts as history.
    # A reply whose answer was lost is known again by its echo, which Twitch sends only to who listens.
    felt = (
        "twitch: ",
        "The reply to twitch ended as unknown",
        "tiktok: ",
        "Killing one receiver",
        *(f"{name} decoded only" for name in PLATFORMS),
    )
    problems = [one for one in report["problems"] if not one.startswith(felt) and " took " not in one]
    assert problems == [], "".join((*demo.said, str(report["audit"])))
    assert sum("service.back" in line for line in demo.said) >= len(VICTIMS)
