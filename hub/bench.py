"""`simulcast bench NAME`: runs a benchmark of the source tree and prints it.

A benchmark is a module tests/bench/NAME.py with `run(quick: bool) -> list[Row]`; here it gets its
frame (machine, verdict), so that all print the same shape.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

NAMES = ("relay", "hls", "whep", "glass", "holds", "gateway", "chat", "links", "analytics")
ROOT = Path(__file__).parent.parent


class CannotBench(OSError):
    """Why not, as a sentence that says what to do."""


def run_bench(name: str, *, quick: bool) -> dict[str, Any]:
    """Measure; rows have case, metric, unit, ours, peers, ratio, bar and ok."""
    if not (ROOT / "tests" / "bench").exists():
        raise CannotBench("Benchmarks are part of the source tree. Run this from a clone of the repository.")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        module = importlib.import_module(f"tests.bench.{name}")
        runs, rows = module.run(quick)
    except ModuleNotFoundError as error:
        raise CannotBench(f"{error.name} is missing. Run: make install") from error
    except OSError as error:
        raise CannotBench(str(error)) from error
    return {"name": name, "machine": machine(), "runs": runs, "rows": rows}


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}


def print_table(console: Console, result: dict[str, Any]) -> None:
    """For people."""
    table = Table(title=f"{result['name']} ({result['runs']} runs, median)")
    for column in ("case", "metric", "ours", "peers", "ratio", "bar", "ok"):
        table.add_column(column)
    for row in result["rows"]:
        peers = ", ".join(f"{name} {value:.4g}" for name, value in row["peers"].items())
        ratio = ", ".join(f"{value:.2f}× {name}" for name, value in row["ratio"].items())
        ours = f"{row['ours']:.4g} {row['unit']}"
        table.add_row(
            row["case"], row["metric"], ours, peers, ratio, str(row["bar"]), "✓" if row["ok"] else "✗"
        )
    console.print(table)
