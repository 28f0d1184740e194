"""What is said about a show's viewers: one stream of events, with a version.

A page says what its viewer did (`PageEvent`); who, where and when is stamped by whoever hears it, so that a
page never speaks for somebody else. The hub's own facts are events of the same kind (`hub/events/facts.py`).

Changing the schema: a new optional field needs nothing. Anything else is a new version: `VERSION` goes up,
`UPGRADES` gains the step from the one before, `tests/hub/events/golden` a file, and docs/events.md a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self, get_args
from uuid import UUID

from pydantic import UUID7, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

VERSION: Final = 1
"""What is written; all older ones are read."""

PageKind = Literal[
    "heartbeat",
    "product_view",
    "product_click",
    "cart_add",
    "checkout_step",
    "reaction",
    "poll",
    "stall",
    "leave",
]
HubKind = Literal["join", "hold", "hold_end", "order", "pay", "refund", "chat", "sold_out"]
Kind = PageKind | HubKind
KINDS: Final[tuple[str, ...]] = (*get_args(PageKind), *get_args(HubKind))

MOST_EVENTS: Final = 40
"""In one frame of a page, which sends 20."""
LARGEST_FRAME: Final = 32 << 10
LARGEST_DATA: Final = 512
"""Characters of JSON that one event may add."""
LONGEST_AGO_MS: Final = 3_600_000
"""A page that was cut off tells later what happened; what is older than this happened an hour ago."""

Chain = Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]
UPGRADES: Final[Chain] = {}
"""Version → how to make the next one of it."""

Simple = str | int | float | bool | None


class PageEvent(BaseModel):
    """What a page may say, and nothing else. `ago_ms`: how long ago it happened, by the page's steady clock.

    Its id is a UUIDv7 made in the page: the hub's own facts have version 5, so none can be passed off as one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    v: Literal[1] = 1
    id: UUID7
    kind: PageKind
    ago_ms: int = Field(0, ge=0, le=LONGEST_AGO_MS)
    visit: UUID | None = None
    product_id: UUID | None = None
    variant_id: UUID | None = None
    offer_id: UUID | None = None
    quantity: int | None = Field(None, ge=1, le=1000)
    data: dict[Annotated[str, Field(max_length=40)], Simple] = {}

    @model_validator(mode="after")
    def small(self) -> Self:
        """Room for a few words, not for a document."""
        if self.data and len(json.dumps(self.data)) > LARGEST_DATA:
            raise ValueError(f"data may have {LARGEST_DATA} characters of JSON at most")
        return self


class Frame(BaseModel):
    """What a page sends at once; it repeats it until it hears that `n` is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    t: Literal["events"]
    n: int = Field(ge=0, le=1 << 53)
    events: list[PageEvent] = Field(max_length=MOST_EVENTS)


class LooseFrame(BaseModel):
    """The same with events that we may not understand one by one."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    t: Literal["events"]
    n: int = Field(ge=0, le=1 << 53)
    events: list[dict[str, Any]] = Field(max_length=MOST_EVENTS)


class ViewerEvent(BaseModel):
    """One event, whole. `at` is ours; `show_ms`: milliseconds since the show went live, None before.

    `viewer_id` is None for what happened on a platform: who that was is in the row that `data` names.
    `platform`: `own`, or the connector where it happened. `data`: a JSON object as text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: Literal[1] = 1
    id: UUID
    brand_id: UUID
    show_id: UUID
    viewer_id: str | None = None
    visit: UUID | None = None
    kind: Kind
    at: AwareDatetime
    show_ms: int | None = None
    source: Literal["page", "hub"]
    platform: str = "own"
    product_id: UUID | None = None
    variant_id: UUID | None = None
    offer_id: UUID | None = None
    hold_id: UUID | None = None
    order_id: UUID | None = None
    quantity: int | None = None
    value_minor: int | None = None
    currency: str | None = None
    data: str = "{}"

    def payload(self) -> bytes:
        """As it travels."""
        return self.model_dump_json(exclude_none=True).encode()


class Apart(BaseModel):
    """An event of a version that we do not know: from a page, or a process, newer than we are.

    Kept as it came, for whoever can read it.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    v: int
    id: UUID
    brand_id: UUID
    show_id: UUID

    def payload(self) -> bytes:
        """As it travels."""
        return self.model_dump_json().encode()


@dataclass(frozen=True)
class Stamp:
    """Who speaks, where and when: what only we say. `live_at`: when the show went live, if it has."""

    brand_id: UUID
    show_id: UUID
    viewer_id: str
    at: datetime
    live_at: datetime | None

    def of(self, said: PageEvent) -> ViewerEvent:
        """A page's words as an event."""
        at = self.at - timedelta(milliseconds=said.ago_ms)
        # Both halves are checked already; once more would cost the gateway a tenth of its core.
        return ViewerEvent.model_construct(
            v=VERSION,
            id=said.id,
            brand_id=self.brand_id,
            show_id=self.show_id,
            viewer_id=self.viewer_id,
            visit=said.visit,
            kind=said.kind,
            at=at,
            show_ms=show_ms(at, self.live_at),
            source="page",
            platform="own",
            product_id=said.product_id,
            variant_id=said.variant_id,
            offer_id=said.offer_id,
            quantity=said.quantity,
            data=json.dumps(said.data, separators=(",", ":"), sort_keys=True) if said.data else "{}",
        )

    def apart(self, said: dict[str, Any]) -> Apart | None:
        """An event of a newer page; None when it is not even that."""
        try:
            version, key = int(said["v"]), UUID(str(said["id"]))
        except (KeyError, ValueError, TypeError, OverflowError):
            return None
        if (
            version <= VERSION
            or version > 999
            or key.version != 7
            or len(json.dumps(said)) > 2 * LARGEST_DATA
        ):
            return None
        mine = {"brand_id": self.brand_id, "show_id": self.show_id, "viewer_id": self.viewer_id}
        return Apart(**mine, v=version, id=key, at=self.at, live_at=self.live_at, said=said)


@dataclass(frozen=True)
class Heard:
    """A frame taken apart. `refused`: events that make no sense; the page need not repeat them."""

    n: int
    events: list[ViewerEvent | Apart]
    refused: int = 0


def hear(frame: bytes | str, stamp: Stamp) -> Heard | None:
    """A page's frame with our stamp; None when it is no frame of events."""
    try:
        whole = Frame.model_validate_json(frame)
    except ValidationError:
        return hear_loosely(frame, stamp)
    return Heard(whole.n, [stamp.of(one) for one in whole.events])


def hear_loosely(frame: bytes | str, stamp: Stamp) -> Heard | None:
    """Event by event: one that is odd does not cost the others."""
    try:
        loose = LooseFrame.model_validate_json(frame)
    except ValidationError:
        return None
    events: list[ViewerEvent | Apart] = []
    for said in loose.events:
        try:
            events.append(stamp.of(PageEvent.model_validate_json(json.dumps(said))))
        except ValidationError:
            if found := stamp.apart(said):
                events.append(found)
    return Heard(loose.n, events, len(loose.events) - len(events))


def read(payload: bytes) -> ViewerEvent | Apart:
    """An event off the stream or a file, upgraded to what we know. ValueError for what is none."""
    with suppress(ValidationError):
        event = ViewerEvent.model_validate_json(payload)
        if "v" in event.model_fields_set:  # as nearly all are: this version's
            return event
    said: Any = json.loads(payload)
    if not isinstance(said, dict) or not isinstance(said.get("v"), int) or said["v"] < 1:
        raise ValueError("no event")
    if said["v"] > VERSION:
        return Apart.model_validate(said)
    return ViewerEvent.model_validate_json(json.dumps(upgrade(said)))


def upgrade(said: dict[str, Any], chain: Chain = UPGRADES, to: int = VERSION) -> dict[str, Any]:
    """The same event in the version `to`, step by step."""
    while said["v"] < to:
        said = chain[said["v"]](said) | {"v": said["v"] + 1}
    return said


def show_ms(at: datetime, live_at: datetime | None) -> int | None:
    """Show time; None before the show went live."""
    if live_at is None or at < live_at:
        return None
    return int((at - live_at) / timedelta(milliseconds=1))
