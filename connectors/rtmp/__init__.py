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
    after_end="If the place has a page of its own for the broadcast, end it there as well.",
    gaps={
        "planner": "An address can't announce a show. Do it in the place's own page.",
        "metadata": "An address takes no title or description. Set them in the place's own page.",
        "audience": "An address does not tell how many watch.",
        "health": "An address does not tell how it likes the stream. What we measure ourselves is shown.",
        "chat_source": "An address brings no chat. Read it in the place's own page.",
        "chat_sink": "An address takes no messages. Write in the place's own page.",
        "replier": "An address takes no messages. Answer in the place's own page.",
        "private_replier": "An address takes no messages. Answer in the place's own page.",
        "announcer": "An address takes no messages. Announce in the place's own page.",
        "moderation": "An address brings no chat to moderate.",
    },
)
