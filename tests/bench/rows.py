"""What every benchmark prints, and how processes are measured."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = dict[str, Any]
ROOT = Path(__file__).parent.parent.parent


class CannotMeasure(OSError):
    """What is missing, as a sentence that says what to do."""


def row(
    case: str, metric: str, unit: str, ours: float, peers: dict[str, float], *, bar: str, ok: bool
) -> Row:
    """One line of the result; ratios are ours to the peer's."""
    ratio = {name: ours / value for name, value in peers.items() if value}
    return {
        "case": case,
        "metric": metric,
        "unit": unit,
        "ours": round(ours, 3),
        "peers": {name: round(value, 3) for name, value in peers.items()},
        "ratio": {name: round(value, 3) for name, value in ratio.items()},
        "bar": bar,
        "ok": ok,
    }


def median(values: Sequence[float]) -> float:
    """The middle of several runs."""
    return float(statistics.median(values))


def percentile(values: Sequence[float], percent: int) -> float:
    """For example the 95th; the only value when there is but one."""
    if len(values) < 2:
        return float(values[0])
    return float(statistics.quantiles(values, n=100, method="inclusive")[percent - 1])


def free_port() -> int:
    """A TCP port nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def needed(program: str, package: str) -> str:
    """The path of a peer or load generator."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if not found:
        raise CannotMeasure(f"{program} is missing. Run: apt-get install {package}")
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children that still run, to the nanosecond."""
    total = _nanoseconds(pid)
    for child in children(pid):
        # PostgreSQL's workers come and go.
        with contextlib.suppress(FileNotFoundError):
            total += _nanoseconds(child)
    return total / 1e9


def _nanoseconds(pid: int) -> int:
    """Of one process; FileNotFoundError when it is gone."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total


def children(pid: int) -> list[int]:
    """Its direct children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(one) for one in listed.split()]


def resident_mib(pid: int) -> float:
    """Memory in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@contextmanager
def process(
    argv: Sequence[str | Path], *, env: dict[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is stopped afterwards; its output goes to `log`, or nowhere."""
    with (log or Path(os.devnull)).open("ab") as out:
        started = subprocess.Popen(
            [str(one) for one in argv], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def listening(port: int, what: str, patience: float = 30.0) -> None:
    """Wait until something accepts connections there."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CannotMeasure(f"{what} did not start within {patience:.0f} seconds.")
