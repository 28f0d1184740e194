"""A connector that runs, each line explained. Copy the folder, rename, keep what the platform offers.

`connectors.load()` skips folders that begin with an underscore, so this one never shows up in the hub;
the contract suite runs it all the same.
"""

from __future__ import annotations

from connectors._template.api import Config, classify
from connectors._template.chat import ExampleChat, ExampleReplies
from connectors._template.destination import ExampleDestination
from connectors._template.oauth import ExampleOAuth
from connectors._template.webhooks import ExampleWebhooks
from connectors.base import Addresses, Connector

CONNECTOR = Connector(
    # The folder's name; load() insists on it. It is also the NAME in SIMULCAST_NAME_BASE_URL.
    name="_template",
    # What a brand reads in the studio.
    title="Example platform",
    # A pydantic model; its JSON schema draws the form, so every field needs a title and a description.
    config=Config,
    # The real platform. A fake is reached by replacing these, never by patching code.
    addresses=Addresses(base_url="https://api.example.com/v1/"),
    # None when a login cannot be renewed by machine. Then a dead login is Reconnect.
    oauth=ExampleOAuth(),
    # The login a brand pastes, in a sentence; None when what the form asks for is enough.
    token_help="The access and refresh token of your Example app; the README says how to get them.",
    # Only for platforms that use HTTP in their own way; the general rule is in connectors/http.py.
    classify=classify,
    # Transport, not a capability: how their calls to us are verified and read.
    webhooks=ExampleWebhooks,
    # Each capability is a class whose constructor takes a Session. Leave out what is not offered:
    # a field that is None is how the hub knows.
    destination=ExampleDestination,
    chat_source=ExampleChat,
    chat_sink=ExampleReplies,
)
