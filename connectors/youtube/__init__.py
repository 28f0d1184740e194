"""YouTube Live: broadcasts planned and at once, their chat both ways, moderation, figures."""

from __future__ import annotations

from connectors.base import Addresses, Connector, Moderation
from connectors.types import ChatLimits, TextLimits
from connectors.youtube import moderation
from connectors.youtube.api import GOOGLE
from connectors.youtube.chat import YouTubeChat, YouTubeReplies
from connectors.youtube.config import Config, quota_of
from connectors.youtube.destination import YouTubeDestination
from connectors.youtube.figures import YouTubeAudience, YouTubeHealth
from connectors.youtube.metadata import PICTURE_BYTES, YouTubeMetadata
from connectors.youtube.oauth import CONSENT_URL, GoogleConsent, GoogleOAuth
from connectors.youtube.refusals import classify

CONNECTOR = Connector(
    name="youtube",
    title="YouTube",
    config=Config,
    addresses=Addresses(base_url=GOOGLE, consent_url=CONSENT_URL),
    token_help=(
        "The tokens Google gives after the channel's consent to scope youtube.force-ssl, "
        "with access_type=offline so that a refresh token comes along."
    ),
    oauth=GoogleOAuth(),
    consent=GoogleConsent(),
    quota=quota_of,
    # 5,000 characters of description are YouTube's limit; our marker needs room among them.
    text_limits=TextLimits(
        title=100,
        description=4_900,
        tags=500,
        tag_characters=500,
        forbidden="<>",
        thumbnail_bytes=PICTURE_BYTES,
    ),
    # YouTube publishes no rate. One message a second is our own caution: each costs 20 units.
    chat_limits=ChatLimits(characters=200, unit="utf16", messages=10, seconds=10),
    gaps={
        "replier": "YouTube's chat has no replies to a single message: an answer goes to everybody.",
        "private_replier": "YouTube has no private messages.",
        "announcer": "YouTube lets programs announce and pin nothing: it is sent as an ordinary message.",
        "moderation.hide": "YouTube takes a message from everybody or from nobody: use delete.",
        "moderation.unhide": "A message that YouTube has removed can't be brought back.",
    },
    classify=classify,
    destination=YouTubeDestination,
    planner=YouTubeDestination,
    metadata=YouTubeMetadata,
    audience=YouTubeAudience,
    health=YouTubeHealth,
    chat_source=YouTubeChat,
    chat_sink=YouTubeReplies,
    moderation=Moderation(
        delete=moderation.delete, timeout=moderation.timeout, ban=moderation.ban, unban=moderation.unban
    ),
)
