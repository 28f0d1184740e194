"""What a WHEP viewer costs: our sender processes beside Debian's Janus, fed the same file at the same time.

Servers run on one core, viewers and feeders on the other. What a server costs without a viewer is taken off.
Ours includes making Opus of the feed's AAC, which for Janus its feeder does.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import media, whep_janus
from tests.bench.rows import (
    CannotMeasure,
    Row,
    children,
    cpu_seconds,
    free_port,
    listening,
    median,
    needed,
    process,
    resident_mib,
    row,
)

CASES: Final = (1, 10, 50, 100)
QUICK: Final = (1, 50)
OF_JANUS: Final = 0.55
"""Share of Janus's CPU for a viewer, at 50: the aim of 5 ms a second was set where Janus took 9.1."""
BAR_AT: Final = 50
JOIN_SECONDS: Final = 90.0
ENOUGH: Final = 0.8
"""Share of the packets a viewer must get, or the server is not doing the work that is measured."""


@dataclass
class Server:
    """One that is measured. `kind` says how viewers join."""

    name: str
    kind: str
    pid: int
    address: str
    idle: float = 0.0
    memory: float = 0.0
    packets: dict[int, float] = field(default_factory=dict)
    cpu: dict[int, float] = field(default_factory=dict)


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of windows, rows)."""
    windows, seconds = (1, 3.0) if quick else (3, 4.0)
    host, cores = own_address(), sorted(os.sched_getaffinity(0))
    taskset = needed("taskset", "util-linux")
    pin = [taskset, "-c", str(cores[0])]
    aside = [taskset, "-c", str(cores[-1])]
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        file = media.sample(folder)
        ours = start_ours(stack, folder, file, host, pin)
        pid, address = whep_janus.start(stack, folder, file, host, pin, aside)
        servers = [ours, Server("janus", "janus", pid, address)]
        time.sleep(3.0)
        for server in servers:
            server.idle = rate(server.pid, seconds)
        rows = []
        for count in QUICK if quick else CASES:
            for server in servers:
                measure(server, count, host, aside, windows, seconds)
            rows += rows_of(count, *servers)
        rows.append(memory(*servers))
    return windows, rows


def own_address() -> str:
    """One of this machine that is not loopback: Janus takes no other. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError as error:
            raise CannotMeasure("This machine has no address but loopback, and Janus needs one.") from error
        return str(probe.getsockname()[0])


def start_ours(stack: ExitStack, folder: Path, file: Path, host: str, pin: list[str]) -> Server:
    """A worker with one sender process."""
    port = free_port()
    argv = [*pin, sys.executable, "-m", "tests.bench.whep_server", str(file), host, str(port), "1"]
    started = stack.enter_context(process(argv, log=folder / "ours.log"))
    listening(port, "Our server")
    return Server("ours", "whep", started.pid, f"http://127.0.0.1:{port}/live/show/whep")


def rate(pid: int, seconds: float) -> float:
    """Milliseconds of CPU a second, of a process and its children."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) * 1000 / (time.monotonic() - began)


def measure(server: Server, count: int, host: str, aside: list[str], windows: int, seconds: float) -> None:
    """So many viewers, for some windows."""
    argv = [sys.executable, "-m", "tests.bench.whep_viewers", server.kind, server.address, str(count), host]
    with Viewers([*aside, *argv], count) as viewers:
        viewers.settle()
        cpu, packets = [], []
        for _ in range(windows):
            cpu.append(rate(server.pid, seconds))
            packets.append(viewers.packets)
        server.memory = max(resident_mib(pid) for pid in (server.pid, *children(server.pid)))
    server.cpu[count] = max(median(cpu) - server.idle, 0.0) / count
    server.packets[count] = median(packets)


class Viewers:
    """The process with the viewers, and what it last said."""

    def __init__(self, argv: list[str], count: int) -> None:
        self._argv, self._count = argv, count
        self.connected = 0
        self.packets = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> Viewers:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._log = folder / "viewers.log"
        self._process = self._stack.enter_context(process(self._argv, log=self._log))
        self._over = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._stack.close()

    def settle(self) -> None:
        """Until all of them are connected and get media."""
        deadline = time.monotonic() + JOIN_SECONDS
        while self.connected < self._count or not self.packets:
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text()[-600:]
                of = f"{self.connected} of {self._count} {self._argv[-4]} viewers"
                raise CannotMeasure(f"Only {of} came. {said}")
            time.sleep(0.1)
        time.sleep(2.0)  # joiners are sent what was kept, faster than it is made

    def _follow(self) -> None:
        while not self._over.wait(0.2):
            lines = [line for line in self._log.read_text().splitlines() if line.startswith("{")]
            if lines:
                told = json.loads(lines[-1])
                self.connected, self.packets = told["connected"], told["packets"]


def rows_of(count: int, ours: Server, janus: Server) -> list[Row]:
    """The cost of one viewer among so many, and that it got what it should."""
    case = f"{count} viewers of 1080p30, 5 Mbit/s" if count > 1 else "1 viewer of 1080p30, 5 Mbit/s"
    mine, theirs = ours.cpu[count], janus.cpu[count]
    judged = count == BAR_AT
    bar = f"<= {OF_JANUS} x janus" if judged else "none"
    ok = not judged or mine <= OF_JANUS * theirs
    got, wanted = ours.packets[count], ours.packets[min(ours.packets)]
    return [
        row(case, "CPU per viewer", "ms CPU/s", mine, {"janus": theirs}, bar=bar, ok=ok),
        row(
            case,
            "packets per viewer",
            "1/s",
            got,
            {"janus": janus.packets[count]},
            bar=f">= {ENOUGH} x those of one viewer",
            ok=got >= ENOUGH * wanted,
        ),
    ]


def memory(ours: Server, janus: Server) -> Row:
    """The largest process, with all of the last case's viewers."""
    peers = {"janus": janus.memory}
    return row(
        "the most viewers", "memory of the largest process", "MiB", ours.memory, peers, bar="none", ok=True
    )
