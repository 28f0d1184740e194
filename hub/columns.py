"""Column kinds every table shares: keys, times, money, words from a fixed list."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime
from sqlmodel import Field

from hub.clock import wall_clock
from hub.ids import new_id


def key() -> Any:
    """A primary key made by us."""
    return Field(default_factory=new_id, primary_key=True)


def brand() -> Any:
    """The tenant fence: on every tenant row and in every query."""
    return Field(foreign_key="brand.id", index=True)


def ref(column: str, **how: Any) -> Any:
    """A foreign key, indexed."""
    return Field(foreign_key=column, index=True, **how)


def when(**how: Any) -> Any:
    """timestamptz."""
    return Field(sa_type=DateTime(timezone=True), **how)


def now() -> Any:
    """timestamptz, filled in by us when the row is made."""
    return Field(sa_type=DateTime(timezone=True), default_factory=wall_clock)


def big(default: int = 0) -> Any:
    """BIGINT: money in minor units, counters."""
    return Field(default=default, sa_type=BigInteger)


def one_of(table: str, column: str, *words: str) -> CheckConstraint:
    """Text that may only be one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{table}_{column}_known")


OptionalTime = datetime | None
OptionalId = UUID | None
