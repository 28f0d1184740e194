"""An evening with accidents: every process of ours is killed in mid-show, and nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo, start

pytestmark = pytest.mark.e2e

VICTIMS = ("postgres -D", "nats-server", "run api", "run gateway", "run work")
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


def test_killing_every_process_in_mid_show_loses_nothing(folder: Path) -> None:
    demo = start(folder, "--duration", "75", "--json")
    demo.wait_for("The studio answers everybody at once.")
    for words in VICTIMS:
        os.kill(find(demo, words), signal.SIGKILL)
        time.sleep(BETWEEN)
    report = demo.report()
    # Twitch repeats nothing that was said while nobody listened; every other chat is read on from its place.
    problems = [one for one in report["problems"] if not one.startswith("twitch: ")]
    assert problems == [], "".join(demo.said)
    assert sum("service.back" in line for line in demo.said) >= len(VICTIMS)
