"""The whole show's measurements, bounded: each second of the last hour, then ten-second means for a day.

Rows are packed: a model for each of 12,000 rows would cost a worker more memory than everything else.
"""

from __future__ import annotations

import math
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from restream.api import HealthSample

FINE_ROWS: Final = 3600
COARSE_ROWS: Final = 8640
COARSE_SECONDS: Final = 10.0
COLUMNS: Final = tuple(name for name in HealthSample.model_fields if name != "at")
ROW: Final = struct.Struct(f"<d{len(COLUMNS)}f")


class History:
    """`add` in order of time; `since` gives rows of both resolutions, the oldest first."""

    def __init__(self) -> None:
        self._fine: deque[bytes] = deque()
        self._coarse: deque[bytes] = deque(maxlen=COARSE_ROWS)
        self._leaving: list[bytes] = []

    def __len__(self) -> int:
        return len(self._fine) + len(self._leaving) + len(self._coarse)

    def add(self, sample: HealthSample) -> None:
        """One more row; the oldest fine one goes towards a mean."""
        values = (getattr(sample, name) for name in COLUMNS)
        row = ROW.pack(sample.at.timestamp(), *(math.nan if v is None else v for v in values))
        self._fine.append(row)
        if len(self._fine) > FINE_ROWS:
            self._let_go(self._fine.popleft())

    def since(self, moment: datetime | None = None) -> list[HealthSample]:
        """Rows at or after a moment; all of them without one."""
        begins = moment.timestamp() if moment else -math.inf
        rows = chain(self._coarse, self._leaving, self._fine)
        return [_sample(row) for row in rows if _time(row) >= begins]

    def _let_go(self, row: bytes) -> None:
        if self._leaving and _time(row) - _time(self._leaving[0]) >= COARSE_SECONDS:
            self._coarse.append(_mean(self._leaving))
            self._leaving.clear()
        self._leaving.append(row)


def _time(row: bytes) -> float:
    return float(ROW.unpack(row)[0])


def _mean(rows: Sequence[bytes]) -> bytes:
    """Column by column over what is known; the time is the first row's."""
    times, *columns = zip(*(ROW.unpack(row) for row in rows), strict=True)
    return ROW.pack(times[0], *(_mean_of(column) for column in columns))


def _mean_of(column: Sequence[float]) -> float:
    known = [value for value in column if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _sample(row: bytes) -> HealthSample:
    at, *values = ROW.unpack(row)
    return HealthSample(at=datetime.fromtimestamp(at, UTC), **dict(_known(values)))


def _known(values: Sequence[float]) -> Iterator[tuple[str, float]]:
    for name, value in zip(COLUMNS, values, strict=True):
        if not math.isnan(value):
            yield name, round(value, 2)
