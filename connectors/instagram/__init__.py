"""Instagram Live: a key that a person brings; comments, private replies and viewers where it is linked."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Addresses, Connector
from connectors.instagram.api import GRAPH, Config
from connectors.instagram.chat import InstagramChat
from connectors.instagram.destination import InstagramAudience, InstagramDestination
from connectors.instagram.errors import classify
from connectors.instagram.moderation import MODERATION
from connectors.instagram.oauth import DIALOG, InstagramConsent, InstagramOAuth
from connectors.instagram.replies import InstagramReplier
from connectors.instagram.webhooks import InstagramWebhooks, handshake
from connectors.types import ChatLimits

CONNECTOR = Connector(
    name="instagram",
    title="Instagram Live",
    config=Config,
    addresses=Addresses(base_url=GRAPH, consent_url=DIALOG),
    token_help="The account's long-lived Instagram token, good for sixty days; the same one twice. "
    "Not needed to stream only.",
    oauth=InstagramOAuth(),
    consent=InstagramConsent(),
    # Of a private reply; Instagram counts bytes, see replies.py.
    chat_limits=ChatLimits(characters=1000, messages=100, seconds=1),
    key_life=timedelta(hours=4),
    before_start="Open Live Producer on instagram.com (a computer is needed), copy its stream key here, and "
    "press Go live there when the picture shows. The picture should be upright, 720 by 1280.",
    after_end="End the live in Live Producer as well: Instagram does not let us do it.",
    gaps={
        "planner": "Instagram lets no program announce a live.",
        "metadata": "Instagram takes a live's title only in Live Producer.",
        "health": "Instagram does not tell programs how it receives the stream; Live Producer shows it.",
        "chat_sink": "Instagram gives programs no way to write under a live. Answer comments privately.",
        "announcer": "Instagram gives programs no way to write under a live.",
        "moderation.timeout": "Instagram has no timeouts for live comments.",
        "moderation.ban": "Instagram lets no program block people. Block them in the app.",
        "moderation.unban": "Instagram lets no program block people. Unblock them in the app.",
    },
    classify=classify,
    webhooks=InstagramWebhooks,
    handshake=handshake,
    destination=InstagramDestination,
    audience=InstagramAudience,
    chat_source=InstagramChat,
    replier=InstagramReplier,
    private_replier=InstagramReplier,
    moderation=MODERATION,
)
