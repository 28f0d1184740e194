"""A media worker in a process of its own, for long runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.rows import free_port, listening, process

TOKEN = "soak"
KEY = "soak-key"


@dataclass
class Ports:
    """Where the worker listens."""

    rtmp: int = field(default_factory=free_port)
    control: int = field(default_factory=free_port)
    media: int = field(default_factory=free_port)
    webrtc: int = field(default_factory=free_port)

    @property
    def ingest(self) -> str:
        """Where the encoder pushes to, key and all."""
        return f"rtmp://127.0.0.1:{self.rtmp}/live/{KEY}"


@contextmanager
def worker(folder: Path, ports: Ports) -> Iterator[int]:
    """Its process id; killed at the end."""
    env = os.environ | {
        "SIMULCAST_MEDIA_TOKEN": TOKEN,
        "SIMULCAST_DATA": str(folder),
        "SIMULCAST_RTMP_PORT": str(ports.rtmp),
        "SIMULCAST_RTMPS_PORT": str(free_port()),
        "SIMULCAST_SRT_PORT": str(free_port()),
        "SIMULCAST_WEBRTC_PORT": str(ports.webrtc),
        "SIMULCAST_MEDIA_PORT": str(ports.media),
        "SIMULCAST_MEDIA_CONTROL_PORT": str(ports.control),
        "SIMULCAST_LOG_LEVEL": "ERROR",
    }
    with process([sys.executable, "-m", "restream"], env=env, log=folder.with_suffix(".log")) as started:
        listening(ports.control, "The media worker")
        yield started.pid
