"""Orders read from Shopify, and cancelled there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from connectors.base import Session
from connectors.errors import Refused, Unreadable
from connectors.shopify.api import Config, Graph, agreed
from connectors.shopify.orders import from_graph, gid
from connectors.shopify.queries import CANCEL, MORE_LINES, ORDER, ORDERS, REFUNDS
from connectors.types import Order

NOT_OURS = "Shopify sent an order that does not look like one. It may have changed its format."


class ShopifyOrders:
    """The truth behind webhooks."""

    def __init__(self, session: Session[Config], graph: Graph | None = None) -> None:
        self._graph = graph or Graph(session)
        self._shop = session.config.shop

    async def orders(self, since: datetime) -> AsyncIterator[Order]:
        """Orders changed since then, oldest change first. Shopify tells of the last 60 days only.

        One that cannot be read does not hide those that changed after it: Unreadable comes at the end.
        """
        unreadable: list[str] = []
        wanted = f"status:any AND updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
        async for page in self._graph.pages(ORDERS, "orders", filter=wanted):
            for node in page.data["orders"]["nodes"]:
                try:
                    order = await self._whole(node)
                except Refused:
                    unreadable.append(str(node["id"]))
                else:
                    yield order
        if unreadable:
            raise Unreadable(NOT_OURS, unreadable)

    async def order(self, order_id: str) -> Order | None:
        """One order by its gid or its number."""
        wanted = gid("Order", order_id) if order_id.isdecimal() else order_id
        node = (await self._graph.run(ORDER, id=wanted)).data["order"]
        return await self._whole(node) if node else None

    async def _whole(self, node: dict[str, Any]) -> Order:
        lines = node["lineItems"]
        while lines["pageInfo"]["hasNextPage"]:
            after = lines["pageInfo"]["endCursor"]
            answer = await self._graph.run(MORE_LINES, id=node["id"], after=after)
            if not answer.data["order"]:
                break
            lines = answer.data["order"]["lineItems"]
            node["lineItems"]["nodes"] += lines["nodes"]
        if node["refunds"]:
            answer = await self._graph.run(REFUNDS, id=node["id"])
            node["refunds"] = (answer.data["order"] or {}).get("refunds") or []
        try:
            return from_graph(node, self._shop)
        except (KeyError, TypeError, ValueError, AttributeError):
            # The original quotes the order, which is a buyer's business.
            raise Refused(NOT_OURS) from None


class ShopifyCancellations:
    """Cancels an order that found no stock: money back, buyer told, nothing put back on the shelf."""

    def __init__(self, session: Session[Config], graph: Graph | None = None) -> None:
        self._graph = graph or Graph(session)
        self._orders = ShopifyOrders(session, self._graph)

    async def cancel(self, order_id: str, *, key: str) -> None:
        """Shopify does it in the background. One that is cancelled already is not an error."""
        answer = await self._graph.run(
            CANCEL,
            id=order_id,
            refund={"originalPaymentMethodsRefund": True},
            note=f"Sold out during a live show. Reference {key}."[:255],
        )
        try:
            agreed(answer.data["orderCancel"], "orderCancelUserErrors")
        except Refused:
            # Its codes do not tell "already" from "never"; the order does.
            order = await self._orders.order(order_id)
            if order is None or order.state != "cancelled":
                raise
