"""How long the stream keys last that people enter. Pure."""

from __future__ import annotations

from datetime import datetime

from connectors.base import AnyConnector
from hub.connections.models import Connection


def entered_until(connector: AnyConnector, connection: Connection) -> datetime | None:
    """Until when the key of an account is good; None where keys stay good, or its age is not known."""
    if connector.key_life is None or connection.key_entered_at is None:
        return None
    return connection.key_entered_at + connector.key_life
