"""Orders read from TikTok Shop, and cancelled there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from connectors.base import Session
from connectors.errors import Refused, Unreadable
from connectors.tiktok_shop.api import Api, Config, numbered
from connectors.tiktok_shop.orders import order_of
from connectors.tiktok_shop.returns import refunds_of, returned_since
from connectors.types import Order

SEARCH = "/order/202309/orders/search"
DETAIL = "/order/202507/orders"
CANCEL = "/return_refund/202602/cancellations"
CANCELLATIONS = "/return_refund/202602/cancellations/search"
SENT = frozenset({"PARTIALLY_SHIPPING", "IN_TRANSIT", "DELIVERED", "COMPLETED"})
MOST_DETAILS = 50
OUT_OF_STOCK = "out_of_stock"
"""In the name of the reason; its beginning and end differ by the order's status and the shop's country."""


class TikTokShopOrders:
    """The truth behind webhooks."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)

    async def orders(self, since: datetime) -> AsyncIterator[Order]:
        """Orders changed since then, oldest change first, then those of which only a return changed.

        One that cannot be read is Unreadable, last.
        """
        unreadable: list[str] = []
        reason = ""
        async for orders in self._changed(int(since.timestamp())):
            refunds = await refunds_of(self._api, (str(one.get("id")) for one in orders if sent(one)))
            for order in orders:
                try:
                    known = order_of(order, refunds.get(str(order.get("id")), ()))
                except Refused as refused:
                    # One bad order must not hide those that changed after it.
                    unreadable.append(str(order.get("id")))
                    reason = refused.reason
                else:
                    yield known
        if unreadable:
            raise Unreadable(reason, unreadable)

    async def _changed(self, since: int) -> AsyncIterator[list[dict[str, Any]]]:
        """A return whose webhook was lost is found like an order whose was."""
        seen: set[str] = set()
        async for orders in self._pages(since):
            seen |= {str(one.get("id")) for one in orders}
            yield orders
        left = [one for one in await returned_since(self._api, since) if one not in seen]
        for begin in range(0, len(left), MOST_DETAILS):
            data = await self._api.get(DETAIL, ids=",".join(left[begin : begin + MOST_DETAILS]))
            yield [one for one in data.get("orders") or () if isinstance(one, dict)]

    async def _pages(self, since: int) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of what changed, each from the last one's end on, and by TikTok's token only within a second.

        What changes meanwhile moves to the end, and the rest up: a token that counts would pass over some.
        And one that has run out ends no long reading.
        """
        token, given = "", set[tuple[str, int]]()
        while True:
            data = await self._api.page(
                SEARCH, {"update_time_ge": since}, token, sort_field="update_time", sort_order="ASC"
            )
            orders = [one for one in data.get("orders") or () if isinstance(one, dict)]
            yield [one for one in orders if version_of(one) not in given]
            token = str(data.get("next_page_token") or "")
            if not token:
                return
            given = {version_of(one) for one in orders}
            first, until = (version_of(orders[place])[1] if orders else 0 for place in (0, -1))
            if until > max(first, since):
                since, token = until, ""
            await self._api.rest()

    async def order(self, order_id: str) -> Order | None:
        """One order; TikTok leaves out what it does not know."""
        data = await self._api.get(DETAIL, ids=numbered(order_id))
        found = [order for order in data.get("orders") or () if str(order.get("id")) == order_id]
        if not found:
            return None
        refunds = await refunds_of(self._api, [order_id] if sent(found[0]) else [])
        return order_of(found[0], refunds.get(order_id, ()))


class TikTokShopCancellations:
    """Cancels an order that found no stock; TikTok gives the money back and tells the buyer."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)
        self._orders = TikTokShopOrders(session, self._api)

    async def cancel(self, order_id: str, *, key: str) -> None:
        """TikTok knows no keys: a repeat finds what the first attempt did, and that is not an error."""
        try:
            reason = await self._reason(numbered(order_id))
            await self._api.post(CANCEL, {"order_id": order_id, "cancel_reason": reason})
        except Refused:
            # Its codes do not tell "already" from "never"; the order does.
            if not await self._under_way(order_id):
                raise

    async def _reason(self, order_id: str) -> str:
        """The name of "out of stock" for this order; Refused when it cannot be cancelled so."""
        data = await self._api.get(
            f"/return_refund/202602/orders/{order_id}/aftersale_eligibility",
            initiate_aftersale_user="SELLER",
            request_types="CANCEL",
        )
        parts = [
            part
            for sku in data.get("sku_eligibility") or ()
            for part in sku.get("line_item_eligibility") or ()
            if part.get("request_type") == "CANCEL"
        ]
        for part in parts:
            if not part.get("eligible"):
                why = part.get("ineligible_reason") or "no reason given"
                code = str(part.get("ineligible_code"))
                raise Refused(f"TikTok Shop does not let this order be cancelled: {why}", code=code)
        offered = set.intersection(*(names(part) for part in parts)) if parts else set()
        reason = next((name for name in sorted(offered) if OUT_OF_STOCK in name), None)
        if reason is None:
            raise Refused("TikTok Shop does not let this order be cancelled as out of stock.")
        return reason

    async def _under_way(self, order_id: str) -> bool:
        order = await self._orders.order(order_id)
        if order is None or order.state == "cancelled":
            return order is not None
        async for page in self._api.pages(CANCELLATIONS, {"order_ids": [order_id]}):
            if any(asked(one, order_id) for one in page.get("cancellations") or ()):
                return True
        return False


def version_of(order: dict[str, Any]) -> tuple[str, int]:
    """Which order, and as of when; 0 where that cannot be read."""
    at = str(order.get("update_time"))
    return str(order.get("id")), int(at) if at.isdecimal() else 0


def sent(order: dict[str, Any]) -> bool:
    """Whether it has left the shop: before that it is cancelled, not returned."""
    return str(order.get("status")) in SENT


def names(part: dict[str, Any]) -> set[str]:
    """Reasons on offer; documented as a list, shown as a single text."""
    offered = part.get("available_reason_names") or []
    return {offered} if isinstance(offered, str) else {str(name) for name in offered}


def asked(cancellation: dict[str, Any], order_id: str) -> bool:
    """Whether it is the shop's own wish to cancel this order, and not withdrawn."""
    withdrawn = str(cancellation.get("cancel_status")).endswith(("_CANCEL", "_CANCELLED"))
    return (
        str(cancellation.get("order_id")) == order_id
        and cancellation.get("role") == "SELLER"
        and not withdrawn
    )
