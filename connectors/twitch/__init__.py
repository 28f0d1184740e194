"""Twitch: the channel's stream, what it says about itself, its chat both ways, and its moderation."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.twitch.api import CONSENT, EVENTSUB, INGEST, TWITCH, Config, TwitchErrors, authorise
from connectors.twitch.chat import TwitchChat
from connectors.twitch.consent import TwitchConsent
from connectors.twitch.destination import TwitchAudience, TwitchDestination
from connectors.twitch.metadata import LONGEST_TITLE, MOST_TAGS, TwitchMetadata
from connectors.twitch.moderation import MODERATION
from connectors.twitch.oauth import TwitchOAuth
from connectors.twitch.writing import LONGEST_MESSAGE, RATE_WINDOW, TwitchAnnouncer, TwitchReplies
from connectors.types import ChatLimits, TextLimits

CONNECTOR = Connector(
    name="twitch",
    title="Twitch",
    config=Config,
    addresses=Addresses(base_url=TWITCH, ingest_url=INGEST, ws_url=EVENTSUB, consent_url=CONSENT),
    token_help=(
        "Filled in by itself when you link the account. By hand: the tokens Twitch gives after the channel's "
        "own account has allowed the permissions in the connector's README."
    ),
    oauth=TwitchOAuth(),
    consent=TwitchConsent(),
    text_limits=TextLimits(title=LONGEST_TITLE, tags=MOST_TAGS),
    # We write as the channel itself, which may say 100; anybody else may say 20.
    chat_limits=ChatLimits(characters=LONGEST_MESSAGE, messages=100, seconds=RATE_WINDOW, repeats=False),
    gaps={
        "planner": (
            "Twitch keeps its schedule apart from streams: enter the show in your channel's schedule "
            "at dashboard.twitch.tv."
        ),
        "health": (
            "Twitch doesn't tell programs how well it receives a stream: look at inspector.twitch.tv, "
            "signed in to your channel."
        ),
        "private_replier": "Whispers reach only who allows them, and Twitch drops most that programs send.",
        "moderation.hide": "Twitch can't hide a message from others only: delete it instead.",
        "moderation.unhide": "Twitch can't bring a deleted message back.",
    },
    # Twitch wants the client's ID beside the token on every call.
    authorise=authorise,
    classify=TwitchErrors(),
    destination=TwitchDestination,
    metadata=TwitchMetadata,
    audience=TwitchAudience,
    chat_source=TwitchChat,
    chat_sink=TwitchReplies,
    replier=TwitchReplies,
    announcer=TwitchAnnouncer,
    moderation=MODERATION,
)
