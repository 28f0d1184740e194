"""What Shopify sends us, and that it goes on doing so."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Session
from connectors.shopify.api import Config, Graph, agreed
from connectors.shopify.queries import SUBSCRIBE, SUBSCRIPTIONS

TOPICS = (
    *("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_EDITED"),
    *("REFUNDS_CREATE", "INVENTORY_LEVELS_UPDATE"),
)


class ShopifySubscriptions:
    """Shopify deletes a subscription after eight failures in a row, and tells nobody."""

    def __init__(self, session: Session[Config], graph: Graph | None = None) -> None:
        self._graph = graph or Graph(session)

    async def ensure(self, url: str) -> Sequence[str]:
        """Subscribe to every topic that is not sent there. One that just came to be is not made twice."""
        there = {
            node["topic"]
            async for page in self._graph.pages(SUBSCRIPTIONS, "webhookSubscriptions")
            for node in page.data["webhookSubscriptions"]["nodes"]
            if node["uri"] == url
        }
        missing = [topic for topic in TOPICS if topic not in there]
        for topic in missing:
            answer = await self._graph.run(SUBSCRIBE, topic=topic, uri=url)
            agreed(answer.data["webhookSubscriptionCreate"])
        return missing
