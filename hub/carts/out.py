"""Carts and checkouts as the watch page gets them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from hub.carts.addresses import EVERYWHERE, CountryRule
from hub.carts.models import ShippingMethod
from hub.carts.quote import Quote
from hub.carts.service import Line, LineState
from hub.payments.out import FormOut


class LineOut(BaseModel):
    """One line. `hold_ids` are its living reservations, the first of which ends at `expires_at`."""

    variant_id: UUID
    title: str
    image_url: str | None
    quantity: int
    held: int
    state: LineState
    expires_at: datetime | None
    amount_minor: int
    list_minor: int
    currency: str
    available: int
    offer_id: UUID | None
    hold_ids: list[UUID]
    return_policy: str

    @classmethod
    def of(cls, line: Line) -> LineOut:
        """From the tables."""
        return cls(
            variant_id=line.variant.id,
            title=line.title,
            image_url=line.product.image_url,
            quantity=line.quantity,
            held=line.held,
            state=line.state,
            expires_at=line.expires_at,
            amount_minor=line.amount_minor,
            list_minor=line.list_minor,
            currency=line.currency,
            available=line.available,
            offer_id=line.offer_id,
            hold_ids=line.group_ids,
            return_policy=line.product.return_policy,
        )


class MethodOut(BaseModel):
    """A way of delivery; no countries: everywhere."""

    id: UUID
    title: str
    countries: list[str]
    price_minor: int
    free_from_minor: int | None
    currency: str
    days: str


class DeliveryOut(BaseModel):
    """What has to be said about delivery: nothing at all when there is no way of it."""

    methods: list[MethodOut]
    countries: list[CountryRule]

    @classmethod
    def of(cls, methods: Sequence[ShippingMethod]) -> DeliveryOut:
        """From the table."""
        named = {country for method in methods for country in method.countries}
        everywhere = any(not method.countries for method in methods)
        countries = EVERYWHERE.split() if everywhere else sorted(named)
        return cls(
            methods=[
                MethodOut(**method.model_dump(include=set(MethodOut.model_fields))) for method in methods
            ],
            countries=[CountryRule.of(code) for code in countries],
        )


class CartOut(BaseModel):
    """The cart. Count down from `server_time`, not from the viewer's own clock."""

    lines: list[LineOut]
    delivery: DeliveryOut
    server_time: datetime


class SumsOut(BaseModel):
    """What it comes to."""

    currency: str
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    prices_include_tax: bool

    @classmethod
    def of(cls, quote: Quote) -> SumsOut:
        """From a quote."""
        return cls(**{name: getattr(quote, name) for name in cls.model_fields})


class CheckoutOut(BaseModel):
    """The payment step: everything is reserved until `expires_at`, and this is what it costs.

    `form`: how to pay; None when there is nothing to pay. `proof`: before a saved card is charged, the buyer
    shows that it is they.
    """

    lines: list[LineOut]
    hold_ids: list[UUID]
    expires_at: datetime
    server_time: datetime
    sums: SumsOut
    shipping_method_id: UUID | None
    form: FormOut | None
    proof: bool
