"""Invoices at payment, credit notes at refund: numbered without a gap, kept as issued, drawn when asked for.

A sweep issues what is due, so a crash at any line costs no document and makes none twice. The number is
taken and used in one transaction that holds the brand's series: one that rolls back gives it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.aftersale.book import Opened, opened
from hub.aftersale.documents import Document, Heading, Party, document
from hub.aftersale.models import AftersaleTerms, Invoice, RefundPart
from hub.aftersale.money import Part, RefundWish, planned
from hub.aftersale.terms import shop_terms_of, terms_of
from hub.auth.models import Brand
from hub.carts.addresses import Address
from hub.clock import Clock
from hub.db import Database, run
from hub.errors import HubError, NotFound
from hub.orders.models import Order
from hub.payments.models import Refund
from hub.secrets import Vault

log = structlog.get_logger()

UNBILLED: Final = text(
    """
    SELECT orders.id, orders.brand_id FROM orders
    WHERE orders.channel = 'own'
      AND EXISTS (SELECT FROM payment WHERE payment.order_id = orders.id AND payment.captured_minor > 0)
      AND NOT EXISTS (SELECT FROM invoice WHERE invoice.order_id = orders.id AND invoice.kind = 'invoice')
    ORDER BY orders.placed_at, orders.id LIMIT 100
    """
)
UNCREDITED: Final = text(
    """
    SELECT refund.id, refund.brand_id FROM refund JOIN orders ON orders.id = refund.order_id
    WHERE orders.channel = 'own' AND refund.state = 'done'
      AND EXISTS (SELECT FROM invoice WHERE invoice.order_id = orders.id AND invoice.kind = 'invoice')
      AND NOT EXISTS (SELECT FROM invoice WHERE invoice.refund_id = refund.id)
    ORDER BY refund.updated_at, refund.id LIMIT 100
    """
)
REFUNDED: Final = text(
    """
    UPDATE return_request SET state = 'refunded', updated_at = :now FROM refund
    WHERE refund.id = return_request.refund_id AND refund.state = 'done' AND return_request.state = 'received'
    """
)
NEXT: Final = text(
    """
    INSERT INTO invoice_series (brand_id, last) VALUES (:brand_id, 1)
    ON CONFLICT (brand_id) DO UPDATE SET last = invoice_series.last + 1 RETURNING last
    """
)


class Invoices:
    """The brand's books of what it billed and gave back."""

    def __init__(self, db: Database, clock: Clock, vault: Vault) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault

    async def sweep(self) -> None:
        """Issue what is due, oldest first; and returns whose money is back are refunded."""
        async with self._db.session() as session:
            unbilled = (await run(session, UNBILLED)).all()
        for row in unbilled:
            await self._one(row.brand_id, "invoice", row.id)
        async with self._db.session() as session:
            uncredited = (await run(session, UNCREDITED)).all()
            await run(session, REFUNDED, {"now": self._clock()})
        for row in uncredited:
            await self._one(row.brand_id, "credit_note", row.id)

    async def _one(self, brand_id: UUID, kind: str, of: UUID) -> None:
        try:
            async with self._db.session() as session:
                if kind == "invoice":
                    await self.bill(session, brand_id, of)
                else:
                    await self.credit(session, brand_id, of)
        except HubError as error:
            # One odd order must not keep the others from their documents.
            log.warning("invoice.not_issued", kind=kind, of=str(of), reason=str(error))

    async def bill(self, session: AsyncSession, brand_id: UUID, order_id: UUID) -> Invoice | None:
        """The order's invoice, made now if it is due; None when nothing was paid."""
        book = await opened(session, brand_id, order_id)
        before = await self._invoice(session, order_id)
        if before or not book.paid_minor:
            return before
        pots = [pot.untouched() for pot in book.pots]
        given = planned(pots, RefundWish(everything=True), book.order.total_minor)
        return await self._issue(session, book, "invoice", given)

    async def credit(self, session: AsyncSession, brand_id: UUID, refund_id: UUID) -> Invoice | None:
        """The credit note of a refund that is done; an order without an invoice has none."""
        refund = await session.get(Refund, refund_id)
        if refund is None or refund.brand_id != brand_id:
            raise NotFound("refund_unknown", "There is no such refund.")
        book = await opened(session, brand_id, refund.order_id)
        made = select(Invoice).where(col(Invoice.refund_id) == refund_id)
        before = (await session.exec(made)).first()
        billed = await self._invoice(session, refund.order_id)
        if before or billed is None:
            return before
        query = select(RefundPart).where(col(RefundPart.refund_id) == refund_id).order_by(col(RefundPart.id))
        parts = [
            Part(part.order_line_id, part.quantity, part.amount_minor, part.tax_minor)
            for part in await session.exec(query)
        ]
        if not parts:
            # Given back at the gateway by hand: a fair share of everything.
            wish, pots = RefundWish(amount_minor=refund.amount_minor), [pot.untouched() for pot in book.pots]
            parts = planned(pots, wish, refund.amount_minor)
        return await self._issue(session, book, "credit_note", parts, refund=refund, billed=billed)

    async def of_order(self, session: AsyncSession, order_id: UUID) -> Sequence[Invoice]:
        """All documents of an order, in their order."""
        query = select(Invoice).where(col(Invoice.order_id) == order_id).order_by(col(Invoice.n))
        return (await session.exec(query)).all()

    async def get(self, session: AsyncSession, brand_id: UUID, invoice_id: UUID) -> Invoice:
        """One of a brand's documents."""
        found = await session.get(Invoice, invoice_id)
        if found is None or found.brand_id != brand_id:
            raise NotFound("invoice_unknown", "There is no such invoice.")
        return found

    async def draw(self, invoice: Invoice) -> bytes:
        """The PDF. Beside the loop: a long invoice takes a while."""
        # Here and not above: the library takes a second to load, in every process at every start.
        from hub.aftersale.pdf import drawn

        return await asyncio.to_thread(drawn, Document.model_validate(invoice.data))

    async def _invoice(self, session: AsyncSession, order_id: UUID) -> Invoice | None:
        query = select(Invoice).where(col(Invoice.order_id) == order_id, col(Invoice.kind) == "invoice")
        return (await session.exec(query)).first()

    async def _issue(
        self,
        session: AsyncSession,
        book: Opened,
        kind: str,
        given: Sequence[Part],
        *,
        refund: Refund | None = None,
        billed: Invoice | None = None,
    ) -> Invoice:
        order = book.order
        terms = await terms_of(session, order.brand_id)
        n = (await run(session, NEXT, {"brand_id": order.brand_id})).scalar_one()
        heading = Heading(
            kind=kind,
            number=f"{terms.invoice_prefix}{n:06}",
            issued_at=self._clock(),
            seller=await self._seller(session, terms),
            buyer=self._buyer(order),
            refers_to=billed.number if billed else "",
            note=terms.invoice_note,
        )
        row = Invoice(
            brand_id=order.brand_id,
            order_id=order.id,
            refund_id=refund.id if refund else None,
            number=heading.number,
            n=n,
            kind=kind,
            issued_at=heading.issued_at,
            data=document(heading, order, book.lines, given).model_dump(mode="json"),
        )
        session.add(row)
        await session.flush()
        return row

    async def _seller(self, session: AsyncSession, terms: AftersaleTerms) -> Party:
        brand = (await session.exec(select(Brand).where(col(Brand.id) == terms.brand_id))).one()
        shop = await shop_terms_of(session, terms.brand_id)
        return Party(
            name=terms.legal_name or brand.name,
            address=[line.strip() for line in terms.legal_address.splitlines() if line.strip()],
            vat_id=terms.vat_id,
            contact=shop.contact,
        )

    def _buyer(self, order: Order) -> Party:
        if order.address_sealed is None:
            return Party(name=order.buyer_name or "", address=[])
        return Party(
            name=order.buyer_name or "",
            address=lines_of(Address.model_validate_json(self._vault.open(order.address_sealed))),
        )


def lines_of(address: Address) -> list[str]:
    """As on an envelope."""
    town = " ".join(part for part in (address.postcode, address.city, address.region) if part)
    return [line for line in (address.line1, address.line2, town, address.country) if line]
