"""What one more destination costs: our worker beside nginx-rtmp and beside an ffmpeg for each destination.

All relay the same 1080p30 feed at about 5 Mbit/s at the same time into nginx-rtmp as the sink; the CPU time
of the relay alone is counted, over the same windows. Our worker relays and does nothing else, like nginx:
the show has no player of its own. What the player's packaging adds is a row of its own.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import media
from tests.bench.relay_setting import FFMPEG, NGINX, Case, Setting, Spent
from tests.bench.rows import Row, row

NGINX_BARS: Final = {5: 2.5, 20: 1.6}
MARGINAL_BAR: Final = 1.3
FFMPEG_BAR: Final = 0.25
MEMORY_BAR_MIB: Final = 80
TLS_MARGINAL_BAR: Final = 2.0
"""Milliseconds of CPU per second for one more RTMPS destination."""
NO_BAR: Final = "none"
CPU: Final = "ms CPU/s"
MANY_CORES: Final = 4
"""A hundred ffmpegs beside everything else need more than two cores to keep up with the feed."""

FEW, MORE = 5, 20
PLAIN: Final = (Case(1), Case(FEW), Case(MORE), Case(100))
PLAYER: Final = Case(MORE, player=True)
SECURE: Final = (Case(FEW, secure=True), Case(MORE, secure=True))


@dataclass(frozen=True)
class Measured:
    """Medians of one case."""

    case: Case
    spent: Spent

    def cpu_row(self, peer: str, bar: float | None = None) -> Row:
        """Our CPU time beside a peer's."""
        ours, theirs = self.spent.cpu["ours"], self.spent.cpu[peer]
        said = NO_BAR if bar is None else f"<= {bar} x {peer}"
        return row(
            self.case.words,
            "CPU",
            CPU,
            ours,
            {peer: theirs},
            bar=said,
            ok=bar is None or ours <= bar * theirs,
        )


def run(quick: bool) -> tuple[int, list[Row]]:
    """(number of windows, rows)."""
    windows, seconds = (1, 4.0) if quick else (3, 8.0)
    with tempfile.TemporaryDirectory(prefix="simulcast-bench-") as name:
        folder = Path(name)
        file = media.sample(folder)

        def measure(case: Case) -> Measured:
            copiers = case.count <= MORE or (os.cpu_count() or 1) >= MANY_CORES
            setting = Setting(folder, file, case, copiers=copiers)
            return Measured(case, setting.measure(windows, seconds))

        plain = {case.count: measure(case) for case in PLAIN if not quick or case.count in NGINX_BARS}
        rows = [line for one in plain.values() for line in plain_rows(one)]
        rows += [marginal(plain[FEW], plain[MORE]), memory(plain[MORE])]
        rows.append(measure(PLAYER).cpu_row(NGINX))
        secure = [measure(case) for case in SECURE]
        rows += [one.cpu_row(FFMPEG) for one in secure]
        rows.append(secure_marginal(*secure))
    return windows, rows


def plain_rows(measured: Measured) -> list[Row]:
    """One number of RTMP destinations, against nginx and against ffmpegs where they were run."""
    count = measured.case.count
    rows = [measured.cpu_row(NGINX, NGINX_BARS.get(count))]
    if FFMPEG in measured.spent.cpu:
        rows.append(measured.cpu_row(FFMPEG, FFMPEG_BAR if count == MORE else None))
    return rows


def marginal(few: Measured, more: Measured) -> Row:
    """What one more destination costs, between the two numbers."""
    ours, nginx = slope(few, more, "ours"), slope(few, more, NGINX)
    bar = f"<= {MARGINAL_BAR} x {NGINX}"
    case = f"one more RTMP destination, {FEW} to {MORE}"
    return row(case, "CPU", CPU, ours, {NGINX: nginx}, bar=bar, ok=ours <= MARGINAL_BAR * nginx)


def memory(measured: Measured) -> Row:
    """The workers' resident memory."""
    mib = measured.spent.memory
    ok = mib["ours"] <= MEMORY_BAR_MIB
    peers = {name: value for name, value in mib.items() if name != "ours"}
    return row(
        measured.case.words, "memory", "MiB", mib["ours"], peers, bar=f"<= {MEMORY_BAR_MIB} MiB", ok=ok
    )


def secure_marginal(few: Measured, more: Measured) -> Row:
    """What one more RTMPS destination costs."""
    ours, ffmpeg = slope(few, more, "ours"), slope(few, more, FFMPEG)
    case = f"one more RTMPS destination, {FEW} to {MORE}"
    bar = f"<= {TLS_MARGINAL_BAR} ms"
    return row(case, "CPU", CPU, ours, {FFMPEG: ffmpeg}, bar=bar, ok=ours <= TLS_MARGINAL_BAR)


def slope(few: Measured, more: Measured, name: str) -> float:
    """CPU per destination between two cases."""
    return (more.spent.cpu[name] - few.spent.cpu[name]) / (more.case.count - few.case.count)
