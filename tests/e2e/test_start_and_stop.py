"""Starting, being refused with a sentence, stopping: nothing is left behind.

Ctrl-C ends the show of `test_screens.py`, which is running anyway.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import SIMULCAST, free_port, left_running, settings, start

pytestmark = pytest.mark.e2e


def test_up_is_seeded_and_keeps_its_data_over_a_restart(folder: Path) -> None:
    environ = settings(folder)
    with running(environ):
        seeded = subprocess.run(
            [SIMULCAST, "seed", "--brand", "Linnea"], env=environ, capture_output=True, text=True, check=True
        )
        found = re.search(r"Password  (\S+)", seeded.stderr)
        assert found
        assert shows(environ, found[1]) == ["First show"]
        again = subprocess.run(
            [SIMULCAST, "seed"], env=environ, capture_output=True, text=True, check=False, timeout=60
        )
        assert "is a member already" in again.stderr
    with running(environ):
        assert shows(environ, found[1]) == ["First show"]
    assert left_running(folder) == []


@contextmanager
def running(environ: dict[str, str]) -> Iterator[None]:
    """`simulcast up` until the block ends, then Ctrl-C."""
    process = subprocess.Popen([SIMULCAST, "up"], env=environ, stderr=subprocess.PIPE, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            try:
                if httpx.get(f"{site(environ)}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def site(environ: dict[str, str]) -> str:
    """Origin of the API."""
    return f"http://127.0.0.1:{environ['SIMULCAST_HTTP_PORT']}"


def shows(environ: dict[str, str], password: str) -> list[str]:
    """Titles of the seeded brand's shows."""
    with httpx.Client(base_url=site(environ), headers={"X-Requested-With": "simulcast"}) as http:
        body = {"email": "owner@example.com", "password": password}
        assert http.post("/api/v1/auth/session", json=body).status_code == 200
        return [one["title"] for one in http.get("/api/v1/shows").json()]


def test_a_killed_demo_takes_its_children_along(folder: Path) -> None:
    running = start(folder)
    running.wait_for("The show is live")
    running.process.kill()
    running.process.wait(10)
    deadline = time.monotonic() + 40
    while left_running(folder):
        assert time.monotonic() < deadline, left_running(folder)
        time.sleep(0.2)


def test_a_taken_port_is_named_with_the_setting_that_moves_it(folder: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        running = start(folder, ports={"HTTP": port})
        assert running.process.wait(60) == 1
    words = "".join(running.said)
    assert f"{port} (SIMULCAST_HTTP_PORT)" in words
    assert "Traceback" not in words


def test_doctor_finds_nothing_missing() -> None:
    done = subprocess.run([SIMULCAST, "doctor"], capture_output=True, text=True, timeout=60, check=False)
    for what in ("Python", "PostgreSQL", "NATS", "ffmpeg", "Front end", "Connectors"):
        assert f"✓ {what}" in done.stderr, done.stderr
