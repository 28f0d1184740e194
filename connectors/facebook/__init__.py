"""Facebook Live on a Page: live videos, comments, replies."""

from __future__ import annotations

from connectors.base import Addresses, Connector
from connectors.facebook.api import GRAPH, STREAMING, Config
from connectors.facebook.chat import FacebookChat, FacebookReplies
from connectors.facebook.destination import FacebookDestination
from connectors.facebook.errors import classify

CONNECTOR = Connector(
    name="facebook",
    title="Facebook",
    config=Config,
    # `ws_url` is the host of the comment stream: server-sent events, but the platform's push address.
    addresses=Addresses(base_url=GRAPH, ws_url=STREAMING),
    token_help=("The Page's own long-lived token: listed at /me/accounts for a long-lived user token."),
    # No oauth: a Page token cannot be renewed by machine, so a dead one is Reconnect.
    classify=classify,
    destination=FacebookDestination,
    chat_source=FacebookChat,
    chat_sink=FacebookReplies,
)
