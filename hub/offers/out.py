"""Offers as screens get them, and what the editor may send. No field says how many are left: we count."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Kind = Literal["flash", "quantity", "tiers", "bundle", "coupon", "early_access", "live_exclusive"]
Standing = Literal["soon", "open", "gone", "ended"]
Percent = Annotated[int, Field(ge=1, le=99)]
Units = Annotated[int, Field(ge=1, le=10**9)]
Minor = Annotated[int, Field(ge=0, le=10**12)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=32)]


class ItemIn(BaseModel):
    """A product of the offer; `unit_minor`: the price of one in it, where no percentage says it.

    `quantity`: how many of it are in one set of a bundle.
    """

    model_config = ConfigDict(extra="forbid")

    variant_id: UUID
    quantity: int = Field(default=1, ge=1, le=99)
    unit_minor: Minor | None = None


class TierIn(BaseModel):
    """A step: so many at this percentage off; without a number, the rest."""

    model_config = ConfigDict(extra="forbid")

    percent_off: Percent
    units: Units | None = None


class OfferIn(BaseModel):
    """A draft, as a whole. Anything may be missing until it goes live."""

    model_config = ConfigDict(extra="forbid")

    show_id: UUID | None = None
    kind: Kind
    title: Title
    minutes: int | None = Field(default=None, ge=1, le=24 * 60)
    starts_at: AwareDatetime | None = None
    percent_off: Percent | None = None
    units: Units | None = None
    per_buyer: int | None = Field(default=None, ge=1, le=1000)
    members_minutes: int | None = Field(default=None, ge=1, le=24 * 60)
    own_site_only: bool = False
    segment_id: UUID | None = None
    code: Code | None = None
    amount_off_minor: Annotated[int, Field(ge=1, le=10**12)] | None = None
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    min_total_minor: Minor | None = None
    stackable: bool = False
    items: list[ItemIn] = Field(default_factory=list, max_length=100)
    tiers: list[TierIn] = Field(default_factory=list, max_length=10)


class PartOut(BaseModel):
    """What is in a bundle."""

    variant_id: UUID
    title: str
    quantity: int
    list_minor: int


class PublicItem(BaseModel):
    """One variant. `was_minor` and `percent` only where the law lets them be said, else None."""

    variant_id: UUID
    title: str
    quantity: int
    unit_minor: int
    currency: str
    was_minor: int | None
    percent: int | None
    parts: list[PartOut]


class PublicSet(BaseModel):
    """One set of a bundle, all of it or nothing. `was_minor`: its parts alone, where that may be said."""

    unit_minor: int
    was_minor: int | None
    percent: int | None
    currency: str


class PublicTier(BaseModel):
    """One step. `left` None: as many as there are."""

    position: int
    percent: int | None
    units: int | None
    left: int | None
    prices: dict[str, int]


class PublicOffer(BaseModel):
    """An offer as every viewer may know it. `version` grows; an older one than the last heard is stale.

    `soon`: launched, begins at `starts_at`. `open`. `gone`: all taken, yet some only held and not paid.
    `left` is units minus what the ledger has given out, and never more than is in stock.
    """

    id: UUID
    kind: Kind
    title: str
    state: Standing
    starts_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    units: int | None
    taken: int
    left: int | None
    per_buyer: int | None
    members_until: datetime | None
    segment_id: UUID | None = None
    own_site_only: bool
    stackable: bool
    items: list[PublicItem]
    tiers: list[PublicTier]
    bundle: PublicSet | None
    record_url: str
    version: int


class ViewerOffer(PublicOffer):
    """The same, to one viewer: `yours` units held or bought, `open_to_you` unless it is for others (yet)."""

    yours: int = 0
    open_to_you: bool = True


class ReferenceOut(BaseModel):
    """Which price counts for a variant, and why, for the editor."""

    variant_id: UUID
    title: str
    list_minor: int
    lowest_minor: int | None
    was_minor: int | None
    currency: str
    why: str


class ProblemOut(BaseModel):
    """What is in the way of going live."""

    field: str
    text: str


class Preview(BaseModel):
    """What viewers would see if it went live now."""

    problems: list[ProblemOut]
    references: list[ReferenceOut]
    offer: PublicOffer


class Results(BaseModel):
    """What came of it. `units` are sold, `held` wait for money; `conversion`: sold of holds that ended."""

    units: int = 0
    held: int = 0
    revenue_minor: int = 0
    currency: str | None = None
    holds: int = 0
    conversion: float | None = None
    uses: int = 0


class ItemOut(BaseModel):
    """A variant of an offer in the editor."""

    variant_id: UUID
    quantity: int
    unit_minor: int | None


class TierOut(BaseModel):
    """A step with its counter."""

    position: int
    percent_off: int
    units: int | None
    taken: int


class LogOut(BaseModel):
    """One line of the audit trail."""

    at: datetime
    kind: str
    text: str
    author: str | None


class OfferOut(BaseModel):
    """An offer in the studio."""

    id: UUID
    show_id: UUID | None
    kind: Kind
    title: str
    state: Literal["draft", "live", "ended"]
    minutes: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    live_at: datetime | None
    ended_at: datetime | None
    ended_why: str | None
    percent_off: int | None
    units: int | None
    taken: int
    per_buyer: int | None
    members_minutes: int | None
    members_until: datetime | None
    own_site_only: bool
    segment_id: UUID | None
    code: str | None
    amount_off_minor: int | None
    currency: str | None
    min_total_minor: int | None
    stackable: bool
    items: list[ItemOut]
    tiers: list[TierOut]
    results: Results
    record_url: str | None


class OfferDetail(OfferOut):
    """With everything that was done and tried."""

    log: list[LogOut]


class SignedRecord(BaseModel):
    """The same twice: to read, and as it was signed."""

    record: dict[str, Any]
    jws: str


class RecordOut(BaseModel):
    """What anybody may verify with the keys at `keys_url`. `ended` comes when the last hold is settled."""

    live: SignedRecord
    ended: SignedRecord | None
    keys_url: str
