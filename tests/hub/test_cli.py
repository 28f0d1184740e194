"""The command says what went wrong in one sentence, and never in a traceback."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

SIMULCAST = Path(sys.executable).with_name("simulcast")


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SIMULCAST_")}
    return subprocess.run(
        [SIMULCAST, *arguments],
        env=environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        (["doctor"], {"SIMULCAST_HTTP_PORT": "abc"}, "make no sense: SIMULCAST_HTTP_PORT"),
        (["up"], {"SIMULCAST_BIND": "192.0.2.1"}, "192.0.2.1 (SIMULCAST_BIND) is not an address"),
        (["up"], {"SIMULCAST_DATA": "/dev/null/data"}, "Set SIMULCAST_DATA to another"),
        (["migrate"], {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "Check DATABASE_URL"),
        (["bench", "nothing"], {}, "Choose one of"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(
    arguments: list[str], settings: dict[str, str], sentence: str
) -> None:
    done = run(*arguments, **settings)
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_seeding_needs_a_running_product(tmp_path: Path) -> None:
    done = run("seed", SIMULCAST_DATA=str(tmp_path))
    assert done.returncode == 1
    assert "Start `simulcast up` first" in done.stderr


def test_a_second_demo_is_refused_and_leaves_the_first_ones_data_alone(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    data.mkdir()
    (data / "precious").touch()
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        free = {
            f"SIMULCAST_{name}_PORT": "0"
            for name in ("HTTP", "MEDIA", "GATEWAY", "MEDIA_CONTROL", "RTMP", "RTMPS", "SRT", "WEBRTC")
        }
        done = run("demo", SIMULCAST_DATA=str(tmp_path), **free)
    assert done.returncode == 1
    assert "already running" in done.stderr
    assert (data / "precious").exists()
