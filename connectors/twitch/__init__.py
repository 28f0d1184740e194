"""Twitch: the channel's stream, its chat over EventSub, replies."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.twitch.api import EVENTSUB, INGEST, TWITCH, Config, TwitchErrors, authorise
from connectors.twitch.chat import TwitchChat, TwitchReplies
from connectors.twitch.destination import TwitchDestination
from connectors.twitch.oauth import TwitchOAuth

CONNECTOR = Connector(
    name="twitch",
    title="Twitch",
    config=Config,
    addresses=Addresses(base_url=TWITCH, ingest_url=INGEST, ws_url=EVENTSUB),
    token_help=(
        "The tokens Twitch gives after the channel's own account has consented to channel:read:stream_key, "
        "channel:manage:broadcast, user:read:chat and user:write:chat."
    ),
    oauth=TwitchOAuth(),
    # Twitch wants the client's ID beside the token on every call.
    authorise=authorise,
    classify=TwitchErrors(),
    destination=TwitchDestination,
    chat_source=TwitchChat,
    chat_sink=TwitchReplies,
)
