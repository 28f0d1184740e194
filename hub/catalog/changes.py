"""What may be changed about a product: the same whether a person, a file or a shop says it.

A field that is not set stays as it is. Lists are whole: what is not in them goes.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from pydantic import (
    BaseModel,
    Field,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
    field_validator,
    model_validator,
)

MOST_MEDIA = 20
MOST_VARIANTS = 2000
MOST_PARTS = 20

Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0, le=10**12)]
TaxClass = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9_-]{1,40}$", to_lower=True)
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]
State = Literal["draft", "active", "archived"]

URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def shown_safely(value: str, kind: str = "image") -> str:
    """The address with its blanks escaped; ValueError for what a page must not load."""
    value = re.sub(r"\s", lambda blank: quote(blank.group()), value.strip())
    # An address of ours begins with one slash; with two it would be anybody's.
    ours = value.startswith("/") and not value.startswith("//")
    if ours or value.startswith(f"data:{kind}/"):
        return value
    URL.validate_python(value)
    return value


class MediaIn(BaseModel):
    """A picture or a video: its https address (a picture may be a data: address), and what it shows."""

    kind: Literal["image", "video"] = "image"
    url: str = Field(min_length=1, max_length=200_000)
    alt: str = Field(default="", max_length=500)

    @field_validator("alt")
    @classmethod
    def on_one_line(cls, value: str) -> str:
        """Read aloud, so without breaks."""
        return " ".join(value.split())

    @model_validator(mode="after")
    def safe(self) -> MediaIn:
        """Nothing but what a page may load."""
        self.url = shown_safely(self.url, self.kind)
        return self


class PriceIn(BaseModel):
    """A price in another currency than the base one."""

    currency: Currency
    price_minor: Minor


class PartIn(BaseModel):
    """So many of one of the brand's variants."""

    variant_id: UUID
    quantity: int = Field(ge=1, le=1000)


class VariantChange(BaseModel):
    """A variant as it shall be. With `id` it is changed, without it is added and needs SKU and price.

    `components` makes it a bundle; an empty list makes it a plain variant again. `on_hand` is the first stock
    of a new variant and means nothing for one that exists: stock is adjusted, with a reason, elsewhere.
    """

    id: UUID | None = None
    sku: Sku | None = None
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None
    price_minor: Minor | None = None
    currency: Currency | None = None
    cost_minor: Minor | None = None
    options: dict[str, str] | None = None
    archived: bool | None = None
    prices: list[PriceIn] | None = Field(default=None, max_length=50)
    components: list[PartIn] | None = Field(default=None, max_length=MOST_PARTS)
    on_hand: int = Field(default=0, ge=0, le=10**9)

    @field_validator("options")
    @classmethod
    def few_and_short(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        """At most five options such as colour and size, without blanks around them."""
        if value:
            value = {" ".join(name.split()): " ".join(choice.split()) for name, choice in value.items()}
        if value and (len(value) > 5 or any(not k or len(k) > 40 or len(v) > 80 for k, v in value.items())):
            raise ValueError("at most 5 options, with names of 40 and values of 80 characters")
        return value

    @field_validator("prices")
    @classmethod
    def one_each(cls, value: list[PriceIn] | None) -> list[PriceIn] | None:
        """One price per currency."""
        if value and len({price.currency for price in value}) < len(value):
            raise ValueError("each currency once")
        return value

    @field_validator("components")
    @classmethod
    def once_each(cls, value: list[PartIn] | None) -> list[PartIn] | None:
        """Each part with its quantity."""
        if value and len({part.variant_id for part in value}) < len(value):
            raise ValueError("each part once, with its quantity")
        return value


class ProductChange(BaseModel):
    """A product as it shall be. Variants that are not named stay as they are."""

    title: Title | None = None
    description: Text | None = None
    state: State | None = None
    tax_class: TaxClass | None = None
    live_only: bool | None = None
    own_site_only: bool | None = None
    return_policy: Text | None = None
    media: list[MediaIn] | None = Field(default=None, max_length=MOST_MEDIA)
    variants: list[VariantChange] = Field(default=[], max_length=MOST_VARIANTS)

    def plain(self) -> dict[str, Any]:
        """The product's own columns that are given."""
        return {
            name: value
            for name, value in self.model_dump(exclude={"media", "variants", "version"}).items()
            if value is not None
        }
