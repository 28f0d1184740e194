"""What stands for a connector that this version no longer has, in rows that were stored when it was there.

It can do nothing, and says so: shows of old, lists and checkouts go on, and the account can be unlinked.
"""

from __future__ import annotations

from typing import Final

from connectors.base import Addresses, AnyConnector, Connector, NoConfig

WORDS: Final = "This platform is no longer known here. Unlink the account; what it brought stays."
MISSED: Final = ("destination", "chat_source", "chat_sink", "moderation", "order_source", "payments")


def gone(name: str) -> AnyConnector:
    """A connector without any capability, under the name of the one that is missing."""
    return Connector(
        name=name,
        title=name.replace("_", " ").strip().title(),
        config=NoConfig,
        addresses=Addresses(base_url="https://gone.invalid/"),
        gaps=dict.fromkeys(MISSED, WORDS),
    )
