"""The demo as a newcomer starts it, in a process of its own, and a real browser that looks at it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from hub.demo.show import OWNER, SLUG

SIMULCAST: Final = Path(sys.executable).with_name("simulcast")
CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--autoplay-policy=no-user-gesture-required",
    ),
)
PHONE: Final = ViewportSize(width=390, height=844)
DESKTOP: Final = ViewportSize(width=1440, height=900)
AXE: Final = Path(__file__).parents[2] / "dashboards" / "node_modules" / "axe-core" / "axe.min.js"
PORTS: Final = ("HTTP", "MEDIA", "GATEWAY", "MEDIA_CONTROL", "RTMP", "RTMPS", "SRT", "WEBRTC")


@dataclass
class Demo:
    """A running demo. `said` is what it told the person at the terminal, `ready_seconds` after how long."""

    process: subprocess.Popen[str]
    environ: dict[str, str]
    data: Path
    said: list[str] = field(default_factory=list)
    ready_seconds: float = math.inf

    @property
    def site(self) -> str:
        """Origin of studio and watch page."""
        return f"http://127.0.0.1:{self.environ['SIMULCAST_HTTP_PORT']}"

    @property
    def password(self) -> str:
        """Of the studio's owner."""
        found = re.search(r"with password (\S+)", "\n".join(self.said))
        assert found
        return found[1]

    def wait_for(self, words: str, seconds: float = 180) -> None:
        """Until the terminal has said it."""
        deadline = time.monotonic() + seconds
        while not any(words in line for line in self.said):
            assert self.process.poll() is None, "".join(self.said)
            assert time.monotonic() < deadline, f"{words!r} was never said:\n" + "".join(self.said)
            time.sleep(0.1)

    def report(self, seconds: float = 240) -> dict[str, Any]:
        """What it prints at the end."""
        assert self.process.stdout
        text = self.process.stdout.read()
        self.process.wait(seconds)
        found: dict[str, Any] = json.loads(text)
        return found


def start(data: Path, *options: str, ports: dict[str, int] | None = None) -> Demo:
    """`simulcast demo` on ports of its own."""
    environ = settings(data, ports)
    process = subprocess.Popen(
        [SIMULCAST, "demo", *options],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    demo = Demo(process, environ, data)
    threading.Thread(target=listen, args=(demo,), daemon=True).start()
    return demo


def settings(data: Path, ports: dict[str, int] | None = None) -> dict[str, str]:
    """An environment with a data folder and ports of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SIMULCAST_")}
    environ["SIMULCAST_DATA"] = str(data)
    for name in PORTS:
        environ[f"SIMULCAST_{name}_PORT"] = str((ports or {}).get(name) or free_port())
    return environ


def listen(demo: Demo) -> None:
    """Keep what it says."""
    assert demo.process.stderr
    demo.said.extend(demo.process.stderr)


def free_port() -> int:
    """A port nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def left_running(data: Path) -> list[str]:
    """Command lines of processes that still work on the data folder."""
    return [command for _, command in at_work(data)]


def at_work(data: Path) -> list[tuple[int, str]]:
    """(process id, command line) of whoever has the data folder in its command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            environ = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if entry.name != str(os.getpid()) and str(data).encode() in environ + command:
            found.append((int(entry.name), command.replace(b"\0", b" ").decode(errors="replace")))
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that PostgreSQL's own user can reach; what a failed test left working there is ended."""
    with tempfile.TemporaryDirectory(prefix="simulcast-e2e-", ignore_cleanup_errors=True) as name:
        yield Path(name)
        for pid, _ in at_work(Path(name)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One evening for all tests of a module."""
    with tempfile.TemporaryDirectory(prefix="simulcast-e2e-") as name:
        running = start(Path(name), "--duration", "90", "--json")
        try:
            running.wait_for("The show is live")
            yield running
        finally:
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGINT)
                running.process.wait(60)


@pytest.fixture(scope="session")
def endless() -> Iterator[Demo]:
    """A show that goes on until it is told to stop."""
    with tempfile.TemporaryDirectory(prefix="simulcast-e2e-") as name:
        begun = time.monotonic()
        running = start(Path(name))
        try:
            running.wait_for("The show is live")
            running.ready_seconds = time.monotonic() - begun
            yield running
        finally:
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGINT)
                running.process.wait(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield chromium
        chromium.close()


def serious(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page, shadow roots included."""
    if not page.evaluate("'axe' in window"):  # half a megabyte
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def watch_address(demo: Demo, source: str = "youtube") -> str:
    """The watch page by a tracked address."""
    return f"{demo.site}/watch/{SLUG}?utm_source={source}&utm_medium=social&utm_campaign={SLUG}"


def sign_in(page: Page, demo: Demo) -> None:
    """As the owner."""
    page.goto(f"{demo.site}/studio")
    page.get_by_label("E-mail").fill(OWNER)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
