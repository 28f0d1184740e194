"""TikTok LIVE: a key that a person brings, and, where somebody sets it up, the chat."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Addresses, Connector
from connectors.tiktok.chat import TikTokChat
from connectors.tiktok.config import API, CONSENT, PUSH, Config
from connectors.tiktok.consent import TikTokConsent
from connectors.tiktok.destination import TikTokDestination

CONNECTOR = Connector(
    name="tiktok",
    title="TikTok LIVE",
    config=Config,
    addresses=Addresses(base_url=API, ws_url=PUSH, consent_url=CONSENT),
    # No `oauth`: the login tells who somebody is, once. Nothing needs it afterwards, so nothing renews it,
    # and its end can never stop a stream.
    consent=TikTokConsent(),
    destination=TikTokDestination,
    chat_source=TikTokChat,
    # TikTok says of a key only that it is made for one LIVE; many say themselves until when (see
    # `destination.expiry_of`). For the others: yesterday's key is no good, this morning's may be.
    key_life=timedelta(hours=12),
    before_start="Copy this LIVE's server URL and stream key from TikTok, and press Go LIVE there when the "
    "picture is in TikTok's preview.",
    after_end="End the LIVE in TikTok as well: it goes on there until you do, or until TikTok has missed the "
    "picture for a while.",
    gaps={
        "planner": "TikTok gives programs no way to announce a LIVE. Plan it in the TikTok app.",
        "metadata": "TikTok gives programs no way to set a LIVE's title. Set it in TikTok when you go LIVE.",
        "audience": "TikTok has no figures for programs. Viewers are shown while a chat reader is set up.",
        "health": "TikTok does not tell how it likes the stream. Look at the preview in LIVE Producer.",
        "chat_sink": "TikTok gives programs no way to write in a LIVE's chat. Answer in the TikTok app.",
        "replier": "TikTok gives programs no way to answer in a LIVE's chat. Answer in the TikTok app.",
        "private_replier": "TikTok lets no program write to a viewer. Answer in the TikTok app.",
        "announcer": "TikTok gives programs no way to pin or announce. Pin a comment in the TikTok app.",
        "moderation": "TikTok lets only people moderate a LIVE. What is hidden here stays on TikTok; make "
        "somebody a moderator in the TikTok app.",
    },
)
