"""TikTok LIVE: a key that a person brings, and, where somebody sets it up, the chat."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.tiktok.chat import TikTokChat
from connectors.tiktok.config import PUSH, Config
from connectors.tiktok.destination import TikTokDestination

CONNECTOR = Connector(
    name="tiktok",
    title="TikTok LIVE",
    config=Config,
    # No `base_url`: no API belongs to this connector. TikTok's website is asked for the room's number
    # by the chat alone, and only where a chat is set up.
    addresses=Addresses(base_url="", ws_url=PUSH),
    destination=TikTokDestination,
    chat_source=TikTokChat,
    # No chat_sink: TikTok gives programs no way to write in a LIVE's chat.
)
