"""Reserving what is in a cart, and letting go of it.

Taking holds is the hot path and stands outside of our transactions (`hub/stock/reserve.py`): each step here
is safe to repeat, and a step that did not follow leaves at most a reservation that ends by itself.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlmodel import col, select

from hub.auth.tokens import Viewer
from hub.carts.service import Carts, Line
from hub.db import Database
from hub.errors import Conflict, HubError, NotFound
from hub.shows.models import Show
from hub.stock.facts import Wish
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom

SOLD_OUT: Final = "Sold out. Nothing was charged."


@dataclass(frozen=True)
class Wanting:
    """So many of a variant. `key` is the buyer's idempotency key for this wish."""

    variant_id: UUID
    quantity: int
    key: str
    offer_id: UUID | None = None


class Reserving:
    """Makes holds of a cart. `seconds`: how long they last where a show says nothing."""

    def __init__(
        self, db: Database, carts: Carts, stock: StockRoom, reservations: Reservations, seconds: int
    ) -> None:
        self._db = db
        self._carts = carts
        self._stock = stock
        self._reservations = reservations
        self._seconds = seconds

    async def lines(self, viewer: Viewer) -> list[Line]:
        """The cart as it is now."""
        async with self._db.session() as session:
            return await self._carts.lines(session, viewer)

    async def put(self, viewer: Viewer, wanted: Wanting) -> None:
        """So many from now on, reserved at once where the show does so. Refused: the cart is unchanged."""
        before = next((one for one in await self.lines(viewer) if one.variant.id == wanted.variant_id), None)
        if before and before.state == "paying":
            raise Conflict("being_paid", "This is being paid for.")
        async with self._db.session() as session:
            show = (await session.exec(select(Show).where(col(Show.id) == viewer.show_id))).one()
        if wanted.quantity and show.hold_policy != "first_paid":
            await self._hold(viewer, wanted, before)
        elif before:
            await self._let_go(before)
        async with self._db.session() as session:
            await self._carts.put(session, viewer, wanted.variant_id, wanted.quantity, wanted.offer_id)

    async def secure(self, viewer: Viewer, key: str) -> list[Line]:
        """The payment step opens: whatever is not reserved yet is reserved now.

        Conflict `some_gone` names every line that could not be, before anybody is asked for a card.
        """
        gone: list[dict[str, object]] = []
        for line in await self._unpaid(viewer):
            if line.open:
                await self._or_gone(
                    line, gone, self._take(viewer, Wanting(line.variant.id, line.open, key, line.offer_id))
                )
        for line in await self._unpaid(viewer):
            # A price alone is no reservation (`Hold.soft`): now it becomes one.
            await self._or_gone(line, gone, self._firm(line))
        if gone:
            words = " ".join(f"{one['title']}: {one['detail']}" for one in gone)
            raise Conflict("some_gone", words, lines=gone)
        return await self._unpaid(viewer)

    async def _unpaid(self, viewer: Viewer) -> list[Line]:
        return [line for line in await self.lines(viewer) if line.state != "paying"]

    async def _or_gone(
        self, line: Line, gone: list[dict[str, object]], step: Coroutine[None, None, None]
    ) -> None:
        """Do it; a refusal joins the others, so that the buyer hears of all at once."""
        try:
            await step
        except (Conflict, NotFound) as refusal:
            if not any(one["variant_id"] == str(line.variant.id) for one in gone):
                gone.append({"variant_id": str(line.variant.id), "title": line.title} | said(refusal))

    async def _hold(self, viewer: Viewer, wanted: Wanting, before: Line | None) -> None:
        held = before.held if before else 0
        if wanted.quantity > held:
            await self._more(viewer, wanted, before)
        elif before and wanted.quantity < held:
            try:
                # First the new one, then away with the old: nobody loses what they wanted to keep.
                await self._take(viewer, wanted, replaces=held)
            except Conflict as refusal:
                if refusal.code == "hoarding":
                    raise  # with less they would be refused as well: they keep what they have
                await self._let_go(before)
                await self._take(viewer, replace(wanted, key=f"{wanted.key}:2"), replaces=held)
            else:
                await self._let_go(before)

    async def _more(self, viewer: Viewer, wanted: Wanting, before: Line | None) -> None:
        held = before.held if before else 0
        try:
            await self._take(viewer, replace(wanted, quantity=wanted.quantity - held))
        except Conflict as refusal:
            if before is None or "hold_id" not in refusal.extra:
                raise
            # An offer gives each buyer one reservation: a larger one has to take the place of the smaller.
            await self._let_go(before)
            try:
                await self._take(viewer, replace(wanted, key=f"{wanted.key}:2"))
            except Conflict:
                back = replace(wanted, quantity=held, key=f"{wanted.key}:3")
                await self._take(viewer, back, replaces=held)
                raise

    async def _take(self, viewer: Viewer, wanted: Wanting, replaces: int = 0) -> None:
        """`replaces`: units of their own that it takes the place of."""
        await self._reservations.take(
            Wish(
                viewer.brand_id,
                viewer.show_id,
                viewer.id,
                wanted.variant_id,
                wanted.quantity,
                f"{wanted.key}:{wanted.variant_id}",
                offer_id=wanted.offer_id,
                member=viewer.member,
                segments=viewer.segments,
                network=viewer.network,
                replaces=replaces,
            )
        )

    async def _firm(self, line: Line) -> None:
        soft = [hold.id for hold in line.holds if hold.soft]
        if not soft:
            return
        async with self._db.session() as session:
            if not await self._stock.firm(session, soft, self._seconds):
                raise Conflict("sold_out", SOLD_OUT, available=line.available)

    async def _let_go(self, line: Line) -> None:
        async with self._db.session() as session:
            for hold_id in line.hold_ids:
                await self._stock.release_hold(session, hold_id)


def said(refusal: HubError) -> dict[str, object]:
    """A refusal as a part of a larger answer."""
    return {"code": refusal.code, "detail": refusal.detail, "available": refusal.extra.get("available", 0)}
