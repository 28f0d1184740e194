"""Starting, being refused with a sentence, stopping: nothing is left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import SIMULCAST, free_port, left_running, start

pytestmark = pytest.mark.e2e

READY_SECONDS = 20


def test_ctrl_c_stops_every_child_and_the_next_start_is_quick(folder: Path) -> None:
    begun = time.monotonic()
    running = start(folder)
    running.wait_for("The show is live")
    took = time.monotonic() - begun
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0, "".join(running.said)
    assert left_running(folder) == []
    assert took <= READY_SECONDS


def test_a_killed_demo_takes_its_children_along(folder: Path) -> None:
    running = start(folder)
    running.wait_for("Starting media")
    running.process.kill()
    running.process.wait(10)
    deadline = time.monotonic() + 30
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
