"""What TikTok Shop sends us: hints that something happened to an order, which is then read."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from connectors.errors import Refused
from connectors.http import decoded
from connectors.tiktok_shop.api import Config
from connectors.types import Fact, OrderHint, Webhook


class TikTokShopWebhooks:
    """The signature covers app key and body. It has no time, and repeats come up to 12 hours late: a late
    or replayed delivery is harmless because it only makes us read what is true now."""

    def __init__(self, config: Config) -> None:
        self._key = config.app_key.encode()
        self._secret = config.app_secret.get_secret_value().encode()

    def verify(self, hook: Webhook) -> str:
        """The notification's id, which its repeats share; the body's own hash where it has none."""
        made = hmac.new(self._secret, self._key + hook.body, hashlib.sha256).hexdigest()
        given = hook.headers.get("authorization", "")
        if not hmac.compare_digest(made.encode(), given.encode()):
            raise Refused("The signature is not TikTok Shop's.")
        named = (decoded(hook.body) or {}).get("tts_notification_id")
        return str(named) if named else f"sha256:{hashlib.sha256(hook.body).hexdigest()}"

    def parse(self, body: bytes) -> Sequence[Fact]:
        """Topics are told by shape: TikTok's numbers of them drift, and what names an order is a hint."""
        said = decoded(body)
        if said is None:
            raise Refused("The delivery is not a JSON object.")
        try:
            said["type"]
            found = orders_in({} if said.get("data") is None else said["data"])
        except (KeyError, TypeError, AttributeError) as error:
            raise Refused(f"The delivery cannot be read ({type(error).__name__}).") from None
        return tuple(OrderHint(order_id=order_id) for order_id in dict.fromkeys(found))


def orders_in(data: dict[str, Any]) -> list[str]:
    """Numbers of the orders a delivery is about, some of them given as text, some as numbers."""
    packages = data.get("package_list") or ()
    named = [
        data.get("order_id"),
        *(one for package in packages for one in package.get("order_id_list") or ()),
    ]
    return [str(one) for one in named if one]
