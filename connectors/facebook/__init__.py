"""Facebook Live on a Page: live videos, comments both ways, moderation, viewers, webhooks."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.facebook.api import GRAPH, STREAMING, Config
from connectors.facebook.audience import FacebookAudience, FacebookHealth
from connectors.facebook.chat import FacebookChat
from connectors.facebook.consent import DIALOG, FacebookConsent
from connectors.facebook.destination import FacebookDestination
from connectors.facebook.errors import classify
from connectors.facebook.moderation import MODERATION
from connectors.facebook.replies import FacebookComments, FacebookPrivateReplier, FacebookReplier
from connectors.facebook.webhooks import FacebookWebhooks, handshake
from connectors.types import ChatLimits, TextLimits

CONNECTOR = Connector(
    name="facebook",
    title="Facebook",
    config=Config,
    # `ws_url` is the host of the comment stream: server-sent events, but the platform's push address.
    addresses=Addresses(base_url=GRAPH, ws_url=STREAMING, consent_url=DIALOG),
    token_help=("The Page's own long-lived token: listed at /me/accounts for a long-lived user token."),
    # No oauth: a Page token has no end and cannot be renewed by machine, so a dead one is Reconnect.
    consent=FacebookConsent(),
    # The description is ours to bound: Facebook names no limit, and our marker needs room.
    text_limits=TextLimits(title=254, description=5000),
    # Facebook names no rate for comments; what is much alike and often is blocked for a while (368).
    chat_limits=ChatLimits(characters=8000, messages=30, seconds=60, repeats=False),
    # Messenger's own; above 40 a second the Page's inbox gives up, so stay well below.
    private_limits=ChatLimits(characters=2000, messages=10, seconds=1),
    gaps={
        "announcer": "Facebook has nothing louder than a comment for programs; announcements go out as one.",
        "moderation.timeout": "Facebook has no timeouts. Hide the comments, or block the person.",
    },
    classify=classify,
    webhooks=FacebookWebhooks,
    handshake=handshake,
    destination=FacebookDestination,
    planner=FacebookDestination,
    metadata=FacebookDestination,
    audience=FacebookAudience,
    health=FacebookHealth,
    chat_source=FacebookChat,
    chat_sink=FacebookComments,
    replier=FacebookReplier,
    private_replier=FacebookPrivateReplier,
    moderation=MODERATION,
)
