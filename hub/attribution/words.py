"""The words of attribution: its models, windows and keys, and what a question and an answer look like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, get_args
from uuid import UUID

from pydantic import BaseModel

Model = Literal["first", "last", "last_non_direct", "linear", "time_decay", "position", "markov", "shapley"]
Window = Literal["session", "24h", "7d", "30d"]
By = Literal["source", "channel_group", "campaign", "target", "link"]

MODELS: Final[tuple[Model, ...]] = get_args(Model)
WINDOWS: Final[tuple[Window, ...]] = get_args(Window)
KEYS: Final[tuple[By, ...]] = get_args(By)

BY_CHANNEL: Final[frozenset[Model]] = frozenset({"markov", "shapley"})
"""These weigh channels, not touches: their credits depend on what a channel is taken to be."""
MODEL_VERSION: Final = 1
"""Goes up with every change that makes an old file's credits differ from what would be reckoned today."""

UNKNOWN: Final = "direct / unknown"
"""The key of orders that no touch led to within the window: nothing is lost, nothing is made up."""
WATCHED: Final = "watched on our page"
"""The key of orders whose person watched the show here: it influences, and gets no credit."""
REACH: Final[dict[Window, timedelta]] = {
    "session": timedelta(minutes=30),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
"""How far back from the order; of the session, the pause that ends it (GA4's)."""
LONGEST: Final = REACH["30d"]
MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Query:
    """What is asked. `since` and `until` bound when money moved: refunds count on their own day."""

    show_id: UUID | None = None
    model: Model = "last_non_direct"
    window: Window = "7d"
    by: By = "source"
    since: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    until: datetime = datetime(9999, 1, 1, tzinfo=UTC)


class CreditRow(BaseModel):
    """One channel in one currency (None: nobody of it ordered).

    `orders` are orders in parts, exact to six places; `credit_minor` is what they brought by the model, net
    of refunds; `sold_minor` is the same before refunds. `influenced_minor` is the net money of all orders
    whose person had any touch of the channel in the window: it overlaps between channels, so it has no total.
    `touches` and `persons` are of the channel, whatever the currency.
    """

    key: str
    title: str = ""
    currency: str | None
    orders: Decimal
    credit_minor: int
    sold_minor: int
    influenced_minor: int
    influenced_orders: int
    touches: int
    persons: int


class Total(BaseModel):
    """All orders of one currency: what the rows of it add up to, and nothing else."""

    currency: str
    orders: Decimal
    credit_minor: int
    sold_minor: int


class Credits(BaseModel):
    """The answer. `version` is the run it came from, or "live"; `used` is the model that was really used, and
    `notes` say why it is not the one that was asked for."""

    model: Model
    used: Model
    model_version: int
    window: Window
    by: By
    version: int | Literal["live"]
    as_of: datetime
    rows: list[CreditRow]
    totals: list[Total]
    notes: list[str]
