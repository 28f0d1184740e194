"""What the payment room hands out: forms for buyers' pages, and what a checkout asks for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

from pydantic import BaseModel

from hub.errors import BadInput
from hub.orders.models import Order
from hub.payments.models import SavedMethod
from hub.payments.pan import find_pans


@dataclass(frozen=True, kw_only=True)
class PaymentChoice:
    """How a buyer wants to pay: a fresh `source` from the gateway's fields, or a method kept for them.

    `gateway`: the form's `connection_id` (or the connector's name): where the source is good. `save` keeps
    the method for next time; `consent` is the sentence the buyer agreed to. `customer_id`: who they are, for
    saved methods. `buyer_present` False: nobody is there who could answer the bank. `return_url`: where the
    bank sends the buyer back to. BadInput `card_number` where a card's number is sent for its token.
    """

    source: str | None = field(default=None, repr=False)
    gateway: str | None = None
    saved_method_id: UUID | None = None
    save: bool = False
    consent: str = ""
    customer_id: UUID | None = None
    buyer_present: bool = True
    return_url: str | None = None
    ip: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.source and any(find_pans(self.source)):
            raise BadInput(
                "card_number",
                "Never send card numbers here. The payment form makes a token of the card; send that.",
            )


def keeping(choice: PaymentChoice, order: Order) -> PaymentChoice:
    """With whom a new card is kept for: a guest's for whom their address leads to.

    A method that is kept already is only for who is signed in: to type an address is no proof.
    """
    if choice.saved_method_id:
        return choice
    return replace(choice, customer_id=choice.customer_id or order.customer_id)


class SavedOut(BaseModel):
    """A kept payment method, as its owner may see it."""

    id: UUID
    card_brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None

    @classmethod
    def of(cls, row: SavedMethod) -> SavedOut:
        """From the table."""
        return cls(**row.model_dump(include=set(cls.model_fields)))


class FormOut(BaseModel):
    """What the buyer's page needs to draw the gateway's own fields. `session` is this buyer's alone.

    `test_sources`: tokens of test cards, offered where no real money moves; empty otherwise.
    """

    gateway: str
    connection_id: UUID
    title: str
    script_url: str | None
    public: dict[str, str]
    session: str | None
    test_sources: list[str]
    saved: list[SavedOut]


class ActionOut(BaseModel):
    """What the buyer must do at the bank: go to `url`, or let the page's script do it with `data` (JSON).

    `kind` "return": the bank asked when nobody was there; confirm with an empty answer, and the action comes.
    """

    gateway: str
    kind: str
    url: str | None
    data: str | None
