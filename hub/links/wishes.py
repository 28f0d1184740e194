"""What staff ask of links: what one is about, where it is posted, which hosts are the shop's."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Placement = Literal["chat", "pin", "bio", "qr", "overlay", "description", "other"]
How = Literal["announce", "message", "overlay"]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


class LinkWish(BaseModel):
    """What a link is about. A tag that is left out or empty is filled by the rule.

    `destination` None: the show's watch page. `boosted`: somebody is paid to spread it. `cost_minor`: what it
    cost, in minor units of `currency`.
    """

    title: Text = ""
    show_id: UUID | None = None
    target_id: UUID | None = None
    product_id: UUID | None = None
    offer_id: UUID | None = None
    host: Text | None = None
    placement: Placement = "other"
    boosted: bool = False
    destination: Annotated[str, StringConstraints(max_length=4000)] | None = None
    utm_source: Tag | None = None
    utm_medium: Tag | None = None
    utm_campaign: Tag | None = None
    utm_content: Tag | None = None
    utm_term: Tag | None = None
    utm_id: Tag | None = None
    cost_minor: int | None = Field(default=None, ge=0, le=10**12)
    currency: Currency | None = None

    @model_validator(mode="after")
    def _cost_has_a_currency(self) -> LinkWish:
        if self.cost_minor is None:
            self.currency = None
        elif self.currency is None:
            raise ValueError("say in which currency the link was paid for")
        return self


class NewLink(LinkWish):
    """A new one. `code`: the one its preview proposed; asking twice with the same code makes one link."""

    code: Annotated[str, StringConstraints(pattern="^[2-9cdfhjkmnprtvwxy]{8}$")] | None = None


class PostWish(BaseModel):
    """Where a link is posted. `how` None: the best its chat takes. `every_minutes` None: once, at the start.

    `message` goes before the address; an overlay has none.
    """

    target_id: UUID
    how: How | None = None
    every_minutes: int | None = Field(default=None, ge=2, le=240)
    message: Text = ""


class HostWish(BaseModel):
    """A host of the brand's own shop."""

    host: Annotated[str, StringConstraints(max_length=500)]
