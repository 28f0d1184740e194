"""One order and what is done to it after the sale, over HTTP, for staff."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from hub.aftersale.book import opened
from hub.aftersale.detail import OrderDetail, PartOut, ReturnOut, returns_of_brand
from hub.aftersale.figures import Rates, Returner, rates, returners
from hub.aftersale.models import OrderDelivery
from hub.aftersale.money import RefundWish
from hub.aftersale.refunds import Why
from hub.aftersale.returns import Arrived, Asked
from hub.aftersale.terms import terms_of
from hub.auth.guard import Hub, SignedIn
from hub.auth.service import Staff
from hub.errors import BadInput
from hub.orders.timeline import note
from hub.payments.pan import without_cards
from hub.privacy.masks import all_masked, masked, sees_all
from hub.services import Services

router = APIRouter(prefix="/api/v1", tags=["aftersale"])

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$"),
    AfterValidator(without_cards),
]
Number = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")]
"""A carrier's: as long as a card's, and never masked."""
Remark = Annotated[Number, AfterValidator(without_cards)]
Key = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]
Pieces = Annotated[int, Field(ge=1, le=10**6)]
Minor = Annotated[int, Field(ge=0, le=10**12)]


class LineIn(BaseModel):
    """So many pieces of a line of the order."""

    line_id: UUID
    quantity: Pieces


class WishIn(BaseModel):
    """What to give back. `everything` is all that is left; `amount_minor` is for nothing in particular."""

    lines: list[LineIn] = Field(default_factory=list, max_length=200)
    shipping_minor: Minor = 0
    amount_minor: Minor = 0
    everything: bool = False

    def wish(self) -> RefundWish:
        """As the room has it."""
        lines: dict[UUID, int] = {}
        for line in self.lines:
            lines[line.line_id] = lines.get(line.line_id, 0) + line.quantity
        return RefundWish(lines, self.shipping_minor, self.amount_minor, self.everything)


class RefundIn(WishIn):
    """`key`: your own; the same key refunds once. `restock`: the pieces can be sold again."""

    key: Key
    reason: Reason
    restock: bool = False


class PreviewOut(BaseModel):
    """What a refund would come to."""

    total_minor: int
    parts: list[PartOut]


class ReasonIn(BaseModel):
    """Why. It stands in the order's timeline beside your name."""

    reason: Reason


class RemarkIn(BaseModel):
    """Why, if there is something to say."""

    reason: Remark = ""


class ReturnIn(BaseModel):
    """A return in the buyer's name; it is approved at once."""

    key: Key
    lines: list[LineIn] = Field(min_length=1, max_length=200)
    reason: Reason


class ArrivedIn(BaseModel):
    """What came of one line of the return."""

    id: UUID
    pieces: Annotated[int, Field(ge=0, le=10**6)]
    restock: bool


class ReceiveIn(BaseModel):
    """What arrived. Lines that are not named did not arrive."""

    lines: list[ArrivedIn] = Field(min_length=1, max_length=200)
    reason: Remark = ""


class ReturnRefundIn(BaseModel):
    """The pieces' own money. `shipping_minor` null: all of it where the law wants that, else nothing."""

    reason: Reason
    shipping_minor: Minor | None = None


class DeliveryIn(BaseModel):
    """When it left and when it arrived. The withdrawal period begins with `delivered_at`."""

    sent_at: AwareDatetime | None = None
    delivered_at: AwareDatetime | None = None
    tracking: Number = ""


async def detail(hub: Services, staff: Staff, order_id: UUID) -> OrderDetail:
    """The order as it is now. Whoever sees the address is written down."""
    async with hub.db.session() as session:
        found = await hub.aftersale.details.read(session, staff.brand_id, order_id)
        if sees_all(staff.role):
            seen = [name for name in ("buyer_name", "email", "address") if getattr(found, name)]
            await hub.rights.looks.note(session, staff, "order", order_id, seen)
    return masked(found, staff.role)


@router.get("/orders/{order_id}")
async def order(order_id: UUID, staff: SignedIn, hub: Hub) -> OrderDetail:
    """Everything about one order."""
    return await detail(hub, staff, order_id)


@router.post("/orders/{order_id}/refunds/preview")
async def preview(order_id: UUID, body: WishIn, staff: SignedIn, hub: Hub) -> PreviewOut:
    """What a refund would give back, to the cent; nothing is changed."""
    async with hub.db.session() as session:
        parts = await hub.aftersale.refunds.preview(session, staff.brand_id, order_id, body.wish())
    return PreviewOut(
        total_minor=sum(part.amount_minor for part in parts),
        parts=[
            PartOut(order_line_id=part.line_id, quantity=part.quantity, amount_minor=part.amount_minor)
            for part in parts
        ],
    )


@router.post("/orders/{order_id}/refunds", status_code=202)
async def refund(order_id: UUID, body: RefundIn, staff: SignedIn, hub: Hub) -> OrderDetail:
    """Give money back: 409 `too_much`, `pieces_too_many`, `nothing_left`, `refund_elsewhere`."""
    why = Why(body.key, body.reason, str(staff.member_id))
    async with hub.db.session() as session:
        book = await opened(session, staff.brand_id, order_id)
        await hub.aftersale.refunds.give(session, book, body.wish(), why, restock=body.restock)
    return await detail(hub, staff, order_id)


@router.post("/orders/{order_id}/cancel")
async def cancel(order_id: UUID, body: ReasonIn, staff: SignedIn, hub: Hub) -> OrderDetail:
    """Cancel for the buyer, within the 24 hours or after them, as long as it has not been sent."""
    async with hub.db.session() as session:
        book = await opened(session, staff.brand_id, order_id)
        await hub.aftersale.buyers.cancel(session, book, Why("cancel", body.reason, str(staff.member_id)))
    return await detail(hub, staff, order_id)


@router.post("/orders/{order_id}/notes", status_code=201)
async def remark(order_id: UUID, body: ReasonIn, staff: SignedIn, hub: Hub) -> OrderDetail:
    """Write something into the timeline."""
    async with hub.db.session() as session:
        book = await opened(session, staff.brand_id, order_id)
        await note(session, book.order, "note", body.reason, str(staff.member_id))
    return await detail(hub, staff, order_id)


@router.put("/orders/{order_id}/delivery")
async def delivery(order_id: UUID, body: DeliveryIn, staff: SignedIn, hub: Hub) -> OrderDetail:
    """Note when the order was sent and when it arrived."""
    async with hub.db.session() as session:
        book = await opened(session, staff.brand_id, order_id)
        row = book.delivery or OrderDelivery(order_id=order_id, brand_id=staff.brand_id)
        row.sent_at, row.delivered_at, row.tracking = body.sent_at, body.delivered_at, body.tracking
        session.add(row)
        at = body.delivered_at or body.sent_at
        words = ["Arrived" if body.delivered_at else "Sent" if at else "Not sent yet"]
        words += [f"{at:%Y-%m-%d %H:%M %Z}"] if at else []
        words += [body.tracking] if body.tracking else []
        await note(session, book.order, "delivery", " ".join(words), str(staff.member_id))
    return await detail(hub, staff, order_id)


@router.post("/orders/{order_id}/returns", status_code=201)
async def add_return(order_id: UUID, body: ReturnIn, staff: SignedIn, hub: Hub) -> OrderDetail:
    """Begin a return in the buyer's name."""
    why = Why(body.key, body.reason, str(staff.member_id))
    lines = WishIn(lines=body.lines).wish().lines
    async with hub.db.session() as session:
        book = await opened(session, staff.brand_id, order_id)
        asked = Asked("return", why, lines, state="approved")
        await hub.aftersale.buyers.return_some(session, book, asked, in_time=False)
    return await detail(hub, staff, order_id)


@router.get("/returns")
async def returns(
    staff: SignedIn,
    hub: Hub,
    state: Literal["open", "asked", "approved", "received", "refunded", "rejected", "closed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ReturnOut]:
    """The newest returns and withdrawals."""
    async with hub.db.session() as session:
        found = await returns_of_brand(session, staff.brand_id, state, limit)
    return all_masked(found, staff.role)


@router.get("/returns/rates")
async def return_rates(staff: SignedIn, hub: Hub) -> Rates:
    """Pieces sold and returned, by show and by offer."""
    async with hub.db.session() as session:
        return await rates(session, staff.brand_id)


@router.get("/returns/returners")
async def serial_returners(staff: SignedIn, hub: Hub) -> list[Returner]:
    """Customers whose returns reach the brand's thresholds. A signal; nobody is refused by it."""
    async with hub.db.session() as session:
        found = await returners(session, await terms_of(session, staff.brand_id))
    return all_masked(found, staff.role)


@router.post("/returns/{return_id}/{step}")
async def decide(
    return_id: UUID,
    step: Literal["approve", "reject", "close"],
    body: RemarkIn,
    staff: SignedIn,
    hub: Hub,
) -> OrderDetail:
    """Approve, reject or close a return; the buyer is told. A rejection needs a reason."""
    async with hub.db.session() as session:
        request, book = await hub.aftersale.returns.open(session, staff.brand_id, return_id)
        if step == "reject" and not body.reason:
            raise BadInput("reason_missing", "Say why. The buyer reads it.")
        why = Why(request.key, body.reason, str(staff.member_id))
        await hub.aftersale.returns.decide(session, request, book, step, why)
        if step != "close":
            await hub.aftersale.buyers.tell(session, book, request)
    return await detail(hub, staff, request.order_id)


@router.put("/returns/{return_id}/arrival")
async def receive(return_id: UUID, body: ReceiveIn, staff: SignedIn, hub: Hub) -> OrderDetail:
    """The parcel is here: what was in it, and what of it can be sold again. Decided once."""
    arrived = {line.id: Arrived(line.pieces, line.restock) for line in body.lines}
    async with hub.db.session() as session:
        request, book = await hub.aftersale.returns.open(session, staff.brand_id, return_id)
        why = Why(request.key, body.reason, str(staff.member_id))
        await hub.aftersale.returns.receive(session, request, book, arrived, why)
    return await detail(hub, staff, request.order_id)


@router.put("/returns/{return_id}/refund")
async def refund_return(return_id: UUID, body: ReturnRefundIn, staff: SignedIn, hub: Hub) -> OrderDetail:
    """Give back what the returned pieces cost. Asked again, it is done already."""
    async with hub.db.session() as session:
        request, book = await hub.aftersale.returns.open(session, staff.brand_id, return_id)
        why = Why(request.key, body.reason, str(staff.member_id))
        await hub.aftersale.returns.refund(session, request, book, why, shipping_minor=body.shipping_minor)
    return await detail(hub, staff, request.order_id)


@router.get("/invoices/{invoice_id}")
async def invoice(invoice_id: UUID, staff: SignedIn, hub: Hub) -> Response:
    """The PDF of an invoice or credit note."""
    async with hub.db.session() as session:
        found = await hub.aftersale.invoices.get(session, staff.brand_id, invoice_id)
    return as_pdf(await hub.aftersale.invoices.draw(found), found.number)


def as_pdf(content: bytes, number: str) -> Response:
    """To be saved under its number."""
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in number)
    headers = {"Content-Disposition": f'attachment; filename="{safe}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)
