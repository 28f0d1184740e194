"""What TikTok Shop sends us, and that it goes on doing so."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Session
from connectors.tiktok_shop.api import Api, Config

WEBHOOKS = "/event/202309/webhooks"
TOPICS = (
    *("ORDER_STATUS_CHANGE", "CANCELLATION_STATUS_CHANGE", "RETURN_STATUS_CHANGE"),
    *("PACKAGE_UPDATE", "REFUND_SUCCESS"),
)


class TikTokShopSubscriptions:
    """One address for each topic; setting it again changes nothing."""

    def __init__(self, session: Session[Config], api: Api | None = None) -> None:
        self._api = api or Api(session)

    async def ensure(self, url: str) -> Sequence[str]:
        """Set the address of every topic that has another one or none."""
        data = await self._api.get(WEBHOOKS)
        there = {
            str(one.get("event_type"))
            for one in data.get("webhooks") or ()
            if isinstance(one, dict) and one.get("address") == url
        }
        missing = [topic for topic in TOPICS if topic not in there]
        for topic in missing:
            await self._api.put(WEBHOOKS, {"address": url, "event_type": topic})
        return missing
