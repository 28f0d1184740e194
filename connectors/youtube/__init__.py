"""YouTube Live: broadcasts, live chat, replies."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.youtube.api import GOOGLE, Config
from connectors.youtube.chat import YouTubeChat, YouTubeReplies
from connectors.youtube.destination import YouTubeDestination
from connectors.youtube.oauth import GoogleOAuth

CONNECTOR = Connector(
    name="youtube",
    title="YouTube",
    config=Config,
    addresses=Addresses(base_url=GOOGLE),
    token_help=(
        "The tokens Google gives after the channel's consent to scope youtube.force-ssl, "
        "with access_type=offline so that a refresh token comes along."
    ),
    oauth=GoogleOAuth(),
    destination=YouTubeDestination,
    chat_source=YouTubeChat,
    chat_sink=YouTubeReplies,
)
