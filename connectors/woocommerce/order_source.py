"""Orders read from WooCommerce, and cancelled there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Session
from connectors.errors import Refused, Unreadable
from connectors.types import Order
from connectors.woocommerce.api import PER_PAGE, Api, Config
from connectors.woocommerce.money import money
from connectors.woocommerce.orders import NOT_OURS, STATES, moment, order_of

ENDED = frozenset({"cancelled", "refunded", "trash"})
BY_HAND = "WooCommerce can't give this money back by itself. Refund and cancel the order there."


class WooOrders:
    """The truth behind webhooks, which come without repeats, and of which some never come."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)
        self._site = session.config.site

    async def orders(self, since: datetime) -> AsyncIterator[Order]:
        """Orders changed since then, oldest change first. One that cannot be read comes as Unreadable, last.

        From the newest change seen on, not page by page: an order that changes while we read would push
        others over the edge of a page.
        """
        unreadable: list[str] = []
        seen: set[tuple[str, str]] = set()
        after, page = since.astimezone(UTC), 1
        while True:
            found = await self._page(after, page)
            fresh = [one for one in found if mark(one) not in seen]
            for one in fresh:
                seen.add(mark(one))
                try:
                    order = await self._whole(one)
                except Refused:
                    unreadable.append(str(one.get("id")))
                    continue
                if order:
                    yield order
            if len(found) < PER_PAGE:
                break
            # Whole seconds: a hundred orders of one second need a second page.
            newest = max(stamp(one, after) for one in found) - timedelta(seconds=1)
            after, page = (newest, 1) if newest > after else (after, page + 1)
        if unreadable:
            raise Unreadable(NOT_OURS, unreadable)

    async def order(self, order_id: str) -> Order | None:
        """One order, or None; a cart is none."""
        found = await self._api.find(f"orders/{numbered(order_id)}")
        return await self._whole(found) if found else None

    async def _whole(self, order: dict[str, Any]) -> Order | None:
        # The order itself tells of its refunds only how much they were.
        refunds: list[dict[str, Any]] = []
        if order.get("refunds"):
            refunds = await self._api.get(f"orders/{order['id']}/refunds", per_page=PER_PAGE)
            if not isinstance(refunds, list):
                raise Refused(NOT_OURS)
        return order_of(order, refunds, self._site)

    async def _page(self, after: datetime, page: int) -> list[dict[str, Any]]:
        found = await self._api.get(
            "orders",
            modified_after=f"{after:%Y-%m-%dT%H:%M:%S}",
            dates_are_gmt="true",
            orderby="modified",
            order="asc",
            status="any,trash",
            per_page=PER_PAGE,
            page=page,
        )
        if not isinstance(found, list):
            raise Refused("WooCommerce's list of orders cannot be read.")
        return [one for one in found if isinstance(one, dict)]


class WooCancellations:
    """Ends an order that found no stock: money back where it was paid, and nothing put back on the shelf."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)

    async def cancel(self, order_id: str, *, key: str) -> None:
        """Repeatable although WooCommerce knows no keys: what was given back is read before more is given."""
        name = numbered(order_id)
        order = await self._api.find(f"orders/{name}")
        if order is None:
            raise Refused("WooCommerce does not know this order.", code="unknown")
        if order.get("status") in ENDED:
            return
        if STATES.get(str(order.get("status"))) == "paid" or order.get("date_paid_gmt"):
            await self._refund(name, order, key)
        else:
            await self._api.send("PUT", f"orders/{name}", {"status": "cancelled"})

    async def _refund(self, name: str, order: dict[str, Any], key: str) -> None:
        total = money(order["total"], order["currency"])
        given = sum(abs(money(one["total"], total.currency).amount) for one in order.get("refunds") or ())
        left = total.model_copy(update={"amount": total.amount - given})
        if left.amount > 0:
            wish = {
                "amount": left.decimal(),
                "reason": f"Sold out during a live show. Reference {key}.",
                "api_refund": True,
                # The piece that was sold twice must not be on sale again.
                "api_restock": False,
            }
            try:
                await self._api.send("POST", f"orders/{name}/refunds", wish)
            except Refused as refused:
                raise Refused(f"{BY_HAND} ({refused.reason})", code=refused.code) from None
        # All the money back makes it "refunded" by itself; where a plugin prevents that, it is said.
        after = await self._api.find(f"orders/{name}")
        if after and after.get("status") not in ENDED:
            await self._api.send("PUT", f"orders/{name}", {"status": "refunded"})


def mark(order: dict[str, Any]) -> tuple[str, str]:
    """A version of an order."""
    return str(order.get("id")), str(order.get("date_modified_gmt"))


def stamp(order: dict[str, Any], default: datetime) -> datetime:
    """When it changed; the default for one that does not say."""
    try:
        return moment(order["date_modified_gmt"])
    except (KeyError, TypeError, ValueError):
        return default


def numbered(text: str) -> str:
    """An id that goes into a path; Refused when it is none of WooCommerce's, which are all digits."""
    if not (text.isascii() and text.isdecimal()):
        raise Refused("WooCommerce has nothing with this number.", code="unknown")
    return text
