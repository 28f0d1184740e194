"""A connector that runs, each line explained. Copy the folder, rename, keep what the platform offers.

`connectors.load()` skips folders that begin with an underscore, so this one never shows up in the hub;
the contract suite runs it all the same.
"""

from __future__ import annotations

from connectors._template.api import Config, allowance, classify
from connectors._template.chat import ExampleAnnouncements, ExampleAnswers, ExampleChat, ExampleReplies
from connectors._template.consent import ExampleConsent
from connectors._template.destination import ExampleDestination, ExampleMetadata, ExamplePlanner
from connectors._template.figures import ExampleAudience, ExampleHealth
from connectors._template.moderation import MODERATION
from connectors._template.oauth import ExampleOAuth
from connectors._template.webhooks import ExampleWebhooks, handshake
from connectors.base import Addresses, Connector
from connectors.types import ChatLimits, TextLimits

CONNECTOR = Connector(
    # The folder's name; load() insists on it. It is also the NAME in SIMULCAST_NAME_BASE_URL.
    name="_template",
    # What a brand reads in the studio.
    title="Example platform",
    # A pydantic model; its JSON schema draws the form, so every field needs a title and a description.
    config=Config,
    # The real platform. A fake is reached by replacing these, never by patching code. `consent_url` is the
    # page where a person lets us in; it is mostly on another host than the API.
    addresses=Addresses(
        base_url="https://api.example.com/v1/", consent_url="https://www.example.com/login/authorize"
    ),
    # None when a login cannot be renewed by machine. Then a dead login is Reconnect.
    oauth=ExampleOAuth(),
    # How a person links an account by pressing Allow; None where logins are pasted.
    consent=ExampleConsent(),
    # The login a brand pastes, in a sentence; None when what the form asks for is enough.
    token_help="The access and refresh token of your Example app; the README says how to get them.",
    # Only where the platform counts calls by the day. The capabilities then spend from `session.budget`.
    quota=allowance,
    # What the studio shows beside the texts, and cuts or refuses before anything is sent.
    text_limits=TextLimits(title=100, description=5000, tags=10, forbidden="<>", thumbnail_bytes=2_000_000),
    chat_limits=ChatLimits(characters=200, messages=20, seconds=30.0),
    # `key_life`, `before_start` and `after_end` are for platforms where a person brings the stream key or
    # presses a button: a timedelta and two sentences. This platform needs none of the three.
    # Only for platforms that use HTTP in their own way; the general rule is in connectors/http.py.
    classify=classify,
    # Transport, not a capability: how their calls to us are verified and read. `handshake` answers the GET
    # by which some platforms ask whether an address is really ours.
    webhooks=ExampleWebhooks,
    handshake=handshake,
    # Each capability is a class whose constructor takes a Session. Leave out what is not offered:
    # a field that is None is how the hub knows.
    destination=ExampleDestination,
    planner=ExamplePlanner,
    metadata=ExampleMetadata,
    audience=ExampleAudience,
    health=ExampleHealth,
    chat_source=ExampleChat,
    chat_sink=ExampleReplies,
    replier=ExampleAnswers,
    announcer=ExampleAnnouncements,
    # The one capability that is partial by nature: one function for each verb the platform has.
    moderation=MODERATION,
    # Why something is not there, in a sentence a brand reads before the show. Only for what is None.
    gaps={
        "private_replier": "Example gives programs no way to write to one person alone.",
        "moderation.unhide": "Example gives programs no way to show a hidden message again.",
    },
)
