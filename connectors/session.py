"""What a capability is given: a way to the platform, the brand's config, and what is left of a quota."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

from pydantic import BaseModel

from connectors.http import Http


class NoConfig(BaseModel):
    """For a connector that needs nothing but its login."""


@dataclass(frozen=True)
class Addresses:
    """Where the platform answers. Tests, rehearsals and the demo put fakes here; nothing is patched."""

    base_url: str
    ingest_url: str | None = None
    ws_url: str | None = None
    consent_url: str | None = None
    """The page where a person lets us into an account."""
    script_url: str | None = None
    """The script with the gateway's own fields for card data, which a buyer's page loads from there."""


C = TypeVar("C", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Quota:
    """A platform's daily allowance. All connections with the same `pot` (one app, say) share it.

    The day begins at midnight in `zone` (IANA). `reserve` units are kept for calls marked urgent.
    """

    pot: str
    units: int
    zone: str
    reserve: int = 0


@dataclass(frozen=True)
class PaymentPace:
    """How fast a gateway may be asked: writes of one kind a second, and calls at the same time."""

    per_second: float
    at_once: int


class Budget(Protocol):
    """What is left of a quota today, for everybody who shares it."""

    async def spend(self, units: int, *, urgent: bool = False) -> None:
        """Note the cost of a call that is about to be made. Raises RetryLater until the day is over."""
        ...

    async def left(self) -> int | None:
        """Units a call that is not urgent may still use; None without a quota."""
        ...


class NoQuota:
    """The budget of a platform that counts nothing."""

    async def spend(self, units: int, *, urgent: bool = False) -> None:
        """Always in order."""

    async def left(self) -> int | None:
        """There is no limit."""
        return None


class Common:
    """What all capabilities of one account share in a process: what a platform's rate limit leaves, say.

    A platform counts an account's calls, whichever show or capability makes them.
    """

    def __init__(self) -> None:
        self._kept: dict[Callable[[], Any], Any] = {}

    def one(self, make: Callable[[], T]) -> T:
        """The one thing of a kind, made when it is first asked for."""
        if make not in self._kept:
            self._kept[make] = make()
        return cast("T", self._kept[make])


@dataclass(frozen=True)
class Session(Generic[C]):
    """All a capability is ever given. `http` already carries and refreshes the login."""

    http: Http
    config: C
    addresses: Addresses
    budget: Budget = field(default_factory=NoQuota)
    common: Common = field(default_factory=Common)
