"""What WooCommerce sends us, and that it goes on doing so."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Session
from connectors.errors import Refused
from connectors.woocommerce.api import PER_PAGE, Api, Config

TOPICS = ("order.created", "order.updated", "order.deleted", "product.updated")


class WooSubscriptions:
    """WooCommerce switches a webhook off after five failures in a row, and tells nobody."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)
        self._secret = session.config.webhook_secret

    async def ensure(self, url: str) -> Sequence[str]:
        """Make what is missing and switch on what was switched off. The secret is ours, with both."""
        found = await self._api.get("webhooks", per_page=PER_PAGE, status="all")
        if not isinstance(found, list):
            raise Refused("WooCommerce's webhooks cannot be read.")
        ours = {one.get("topic"): one for one in found if one.get("delivery_url") == url}
        done = []
        for topic in TOPICS:
            had = ours.get(topic)
            if had and had.get("status") == "active":
                continue
            wish = {"status": "active", "secret": self._secret.get_secret_value()}
            if had:
                await self._api.send("PUT", f"webhooks/{int(had['id'])}", wish)
            else:
                made = wish | {"name": "Simulcast Hub", "topic": topic, "delivery_url": url}
                await self._api.send("POST", "webhooks", made)
            done.append(topic)
        return done
