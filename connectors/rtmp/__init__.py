"""Any RTMP, SRT or WHIP address and key: the smallest true connector."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.rtmp.destination import Config, RtmpDestination

CONNECTOR = Connector(
    name="rtmp",
    title="RTMP, SRT or WHIP address",
    config=Config,
    addresses=Addresses(base_url=""),
    destination=RtmpDestination,
)
