"""Is it up yet? Small questions to ports and disks, asked before and while we start."""

from __future__ import annotations

import asyncio
import errno
import shutil
import socket
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from hub.engines.process import Child

DISK_NEEDED = 500 << 20
"""Bytes: enough for a fresh database, its log and some hours of messages."""
UDP_PORTS = {"srt_port", "webrtc_port"}


def port_problems(bind: str, ports: Iterable[tuple[str, int]]) -> list[str]:
    """A sentence for each (setting, port) that cannot be listened on, each problem told once."""
    problems: dict[str, None] = {}
    for setting, port in ports:
        kind = socket.SOCK_DGRAM if setting in UDP_PORTS else socket.SOCK_STREAM
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((bind, port))
            except OSError as error:
                problems[why_not(error, bind, f"{port} (SIMULCAST_{setting.upper()})")] = None
    return list(problems)


def why_not(error: OSError, bind: str, port: str) -> str:
    """What stands in the way of a port, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop whoever listens there, or choose another port."
    if error.errno == errno.EACCES:
        return f"Port {port} is for root alone: choose one above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{bind} (SIMULCAST_BIND) is not an address of this machine."
    return f"Port {port} cannot be opened: {error.strerror}."


def disk_problem(folder: Path, needed: int = DISK_NEEDED) -> str | None:
    """A sentence when the disk under `folder` is too full to start, or None."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free >= needed:
        return None
    return (
        f"Only {free >> 20} MB are free where the data folder is ({folder}). "
        f"Free at least {needed >> 20} MB, or set SIMULCAST_DATA to another disk."
    )


async def ready(child: Child, url: str | None, seconds: float = 60.0) -> Child:
    """The child, once GET `url` is answered (at once without one). OSError says why it is not.

    A child that does not become ready is stopped, and so is one whose start is called off.
    """
    try:
        async with asyncio.timeout(seconds):
            while url and not await answers(url):
                if not child.running:
                    raise OSError(f"{child.name} did not start:\n{child.last_words()}")
                await asyncio.sleep(0.1)
        return child
    except TimeoutError:
        await child.stop()
        raise OSError(f"{child.name} was not ready within {seconds:.0f} seconds; see {child.log}.") from None
    except BaseException:
        await child.stop()
        raise


async def answers(url: str, timeout: float = 2.0) -> bool:
    """Whether GET `url` (plain HTTP) is answered with 200."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                request = (
                    f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
                )
                writer.write(request.encode())
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
