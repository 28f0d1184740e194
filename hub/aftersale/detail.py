"""One order with everything a person wants to know of it: lines, money, people, papers, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.book import Opened, opened
from hub.aftersale.deadlines import Deadline
from hub.aftersale.figures import Returner, returners
from hub.aftersale.invoices import Invoices
from hub.aftersale.models import Invoice
from hub.aftersale.rights import Buyers, Rights
from hub.aftersale.terms import terms_of
from hub.carts.addresses import Address
from hub.db import run
from hub.secrets import Vault

RETURNS: Final = """
    SELECT return_request.*, orders.number AS order_number, orders.buyer_name, orders.currency,
           refund.state AS refund_state, refund.amount_minor AS refund_minor,
           coalesce((SELECT name FROM member WHERE member.id::text = return_request.author),
                    return_request.author) AS author_name,
           (SELECT json_agg(json_build_object('id', line.id, 'order_line_id', line.order_line_id,
                'title', of.title, 'sku', of.sku, 'quantity', line.quantity, 'received', line.received,
                'restock', line.restock, 'reason', line.reason) ORDER BY line.id)
            FROM return_line AS line JOIN order_line AS of ON of.id = line.order_line_id
            WHERE line.return_id = return_request.id) AS lines
    FROM return_request JOIN orders ON orders.id = return_request.order_id
    LEFT JOIN refund ON refund.id = return_request.refund_id
"""
RETURNS_OF_ORDER: Final = text(
    RETURNS + "WHERE return_request.order_id = :order_id ORDER BY return_request.id"
)
RETURNS_OF_BRAND: Final = text(
    RETURNS
    + """
    WHERE return_request.brand_id = :brand_id AND return_request.kind <> 'cancel'
      AND (CAST(:state AS text) IS NULL OR return_request.state = :state
           OR (:state = 'open' AND return_request.state IN ('asked', 'approved', 'received')))
    ORDER BY return_request.id DESC LIMIT :limit
    """
)
TIMELINE: Final = text(
    """
    SELECT at, kind, text,
           coalesce((SELECT name FROM member WHERE member.id::text = author), author) AS author
    FROM order_event WHERE order_id = :order_id ORDER BY at, id
    """
)
REFUNDS: Final = text(
    """
    SELECT refund.id, refund.amount_minor, refund.state, refund.reason, refund.message, refund.created_at,
           coalesce((SELECT name FROM member WHERE member.id::text = refund.author), refund.author) AS author,
           (SELECT coalesce(json_agg(json_build_object('order_line_id', order_line_id, 'quantity', quantity,
                'amount_minor', amount_minor, 'restocked', restocked) ORDER BY id), '[]')
            FROM refund_part WHERE refund_part.refund_id = refund.id) AS parts
    FROM refund WHERE order_id = :order_id ORDER BY created_at, id
    """
)
PAYMENTS: Final = text(
    """
    SELECT payment.state, payment.amount_minor, payment.captured_minor, payment.message,
           connection.connector AS gateway, payment.updated_at
    FROM payment JOIN connection ON connection.id = payment.connection_id
    WHERE payment.order_id = :order_id ORDER BY payment.id
    """
)


class DeadlineOut(BaseModel):
    """The moment a right ends, its last day by the buyer's calendar, and what it is counted from."""

    until: datetime
    last_day: date
    counted_from: Literal["delivery", "longest_delivery"]

    @classmethod
    def of(cls, found: Deadline) -> DeadlineOut:
        """From the value."""
        return cls(until=found.until, last_day=found.last_day, counted_from=found.counted_from)


class RightsOut(BaseModel):
    """What the buyer may do now, and until when."""

    cancel_until: datetime
    can_cancel: bool
    withdrawal: DeadlineOut | None
    can_withdraw: bool
    returns: DeadlineOut
    can_return: bool

    @classmethod
    def of(cls, rights: Rights) -> RightsOut:
        """From the value."""
        return cls(
            cancel_until=rights.cancel_until,
            can_cancel=rights.can_cancel,
            withdrawal=DeadlineOut.of(rights.withdrawal) if rights.withdrawal else None,
            can_withdraw=rights.can_withdraw,
            returns=DeadlineOut.of(rights.returns),
            can_return=rights.can_return,
        )


class LineDetail(BaseModel):
    """A line: what was paid for all of it, tax and discount included, and how much of it is back."""

    id: UUID
    title: str
    sku: str | None
    quantity: int
    unit_minor: int
    list_minor: int
    discount_minor: int
    tax_minor: int
    tax_percent: str
    paid_minor: int
    state: str
    refunded_pieces: int
    refunded_minor: int
    returned: int
    returnable: int


class Told(BaseModel):
    """One entry of the timeline; `author` is a member's name, None when nobody of the staff did it."""

    at: datetime
    kind: str
    text: str
    author: str | None


class PartOut(BaseModel):
    """What a refund gave back; `order_line_id` None: shipping."""

    order_line_id: UUID | None
    quantity: int
    amount_minor: int
    restocked: int = 0


class RefundOut(BaseModel):
    """A refund and how far it has come."""

    id: UUID
    amount_minor: int
    state: str
    reason: str
    message: str
    created_at: datetime
    author: str | None
    parts: list[PartOut]


class PaymentOut(BaseModel):
    """A payment, as far as staff need it."""

    gateway: str
    state: str
    amount_minor: int
    captured_minor: int
    message: str
    updated_at: datetime


class ReturnLineOut(BaseModel):
    """Some pieces of a line on their way back."""

    id: UUID
    order_line_id: UUID
    title: str
    sku: str | None
    quantity: int
    received: int
    restock: bool | None
    reason: str


class ReturnOut(BaseModel):
    """A return, withdrawal or cancel."""

    id: UUID
    order_id: UUID
    order_number: str
    buyer_name: str | None
    currency: str
    number: str
    state: str
    kind: str
    reason: str
    note: str
    answer: str
    author_name: str | None
    refund_state: str | None
    refund_minor: int | None
    created_at: datetime
    updated_at: datetime
    lines: list[ReturnLineOut]


class InvoiceOut(BaseModel):
    """A document that can be downloaded."""

    id: UUID
    number: str
    kind: str
    issued_at: datetime
    total_minor: int

    @classmethod
    def of(cls, paper: Invoice) -> InvoiceOut:
        """From the table."""
        return cls(total_minor=paper.data["total_minor"], **paper.model_dump(exclude={"data"}))


class DeliveryOut(BaseModel):
    """How it travels."""

    sent_at: datetime | None
    delivered_at: datetime | None
    tracking: str


class OrderDetail(BaseModel):
    """Everything about one order. `shipping_left_minor` and `left_minor`: what can still be given back."""

    id: UUID
    number: str
    channel: str
    state: str
    message: str
    currency: str
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    captured_minor: int
    refunded_minor: int
    prices_include_tax: bool
    left_minor: int
    shipping_left_minor: int
    shipping_method: str
    placed_at: datetime
    updated_at: datetime
    test: bool
    show_id: UUID | None
    buyer_name: str | None
    email: str | None
    address: Address | None
    lines: list[LineDetail]
    payments: list[PaymentOut]
    refunds: list[RefundOut]
    returns: list[ReturnOut]
    invoices: list[InvoiceOut]
    delivery: DeliveryOut | None
    rights: RightsOut
    returner: Returner | None
    timeline: list[Told]


class Details:
    """Reads orders for the studio. E-mail and address are opened here, for those who send the parcels."""

    def __init__(self, vault: Vault, buyers: Buyers, invoices: Invoices) -> None:
        self._vault = vault
        self._buyers = buyers
        self._invoices = invoices

    async def read(self, session: AsyncSession, brand_id: UUID, order_id: UUID) -> OrderDetail:
        """One of a brand's orders."""
        book = await opened(session, brand_id, order_id, lock=False)
        order = book.order
        terms = await terms_of(session, brand_id)
        known = await returners(session, terms, order.customer_id) if order.customer_id else []
        papers = await self._invoices.of_order(session, order_id)
        return OrderDetail.model_validate(
            {
                **order.model_dump(include=set(OrderDetail.model_fields) & set(type(order).model_fields)),
                "left_minor": max(0, book.left_minor),
                "shipping_left_minor": sum(pot.left_minor for pot in book.pots if pot.line_id is None),
                "email": self._open(order.buyer_email_sealed),
                "address": self._address(order.address_sealed),
                "lines": lines_of(book),
                "payments": await rows(session, PAYMENTS, order_id),
                "refunds": await rows(session, REFUNDS, order_id),
                "returns": await rows(session, RETURNS_OF_ORDER, order_id),
                "invoices": [InvoiceOut.of(paper) for paper in papers],
                "delivery": book.delivery.model_dump() if book.delivery else None,
                "rights": RightsOut.of(await self._buyers.rights(session, book)),
                "returner": known[0] if known else None,
                "timeline": await rows(session, TIMELINE, order_id),
            }
        )

    def _open(self, sealed: bytes | None) -> str | None:
        return self._vault.open(sealed) if sealed else None

    def _address(self, sealed: bytes | None) -> Address | None:
        return Address.model_validate_json(self._vault.open(sealed)) if sealed else None


def lines_of(book: Opened) -> list[Mapping[str, Any]]:
    """The lines with what is back of each."""
    pots = {pot.line_id: pot for pot in book.pots}
    return [
        {
            **line.model_dump(exclude={"tax_percent"}),
            "tax_percent": f"{line.tax_percent.normalize():f}",
            "paid_minor": pots[line.id].paid_minor,
            "refunded_pieces": pots[line.id].pieces_back,
            "refunded_minor": pots[line.id].back_minor,
            "returnable": book.returnable(line),
        }
        for line in book.lines
    ]


async def rows(session: AsyncSession, query: Any, order_id: UUID) -> list[dict[str, Any]]:
    """Of one order."""
    return [dict(row) for row in (await run(session, query, {"order_id": order_id})).mappings()]


async def returns_of_brand(
    session: AsyncSession, brand_id: UUID, state: str | None, limit: int
) -> list[ReturnOut]:
    """The newest returns and withdrawals; `state` "open": those that wait for somebody."""
    values = {"brand_id": brand_id, "state": state, "limit": limit}
    found = (await run(session, RETURNS_OF_BRAND, values)).mappings()
    return [ReturnOut.model_validate(dict(row)) for row in found]
