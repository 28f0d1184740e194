"""The boundary of a connector: what it must declare.

A capability is a field of `Connector` that is present or `None`, never a flag: what a connector can
do is exactly what is not `None`, known before anyone logs in. A capability is built from a `Session`
and nothing else; it knows neither the hub nor the media engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic

from connectors.capabilities import (
    Announcer,
    AudienceSource,
    CatalogSource,
    ChatSink,
    ChatSource,
    Consent,
    ConversionSink,
    Delivery,
    Destination,
    HealthSource,
    Metadata,
    Moderation,
    OAuth,
    OrderSink,
    OrderSource,
    PaymentGateway,
    Permission,
    Planner,
    PrivateReplier,
    Replier,
    StockSink,
    StockSource,
    Subscriptions,
    Webhooks,
)
from connectors.http import Classify, Http
from connectors.session import (
    Addresses,
    Budget,
    C,
    Common,
    NoConfig,
    NoQuota,
    PaymentPace,
    Quota,
    Session,
)
from connectors.types import ChatLimits, ConversionLimits, TextLimits

__all__ = [
    "Addresses",
    "Announcer",
    "AnyConnector",
    "AudienceSource",
    "Budget",
    "CatalogSource",
    "ChatSink",
    "ChatSource",
    "Common",
    "Connector",
    "Consent",
    "ConversionSink",
    "Delivery",
    "Destination",
    "HealthSource",
    "Metadata",
    "Moderation",
    "NoConfig",
    "NoQuota",
    "OAuth",
    "OrderSink",
    "OrderSource",
    "PaymentGateway",
    "PaymentPace",
    "Permission",
    "Planner",
    "PrivateReplier",
    "Quota",
    "Replier",
    "Session",
    "StockSink",
    "StockSource",
    "Subscriptions",
    "Webhooks",
]


@dataclass(frozen=True, kw_only=True)
class Connector(Generic[C]):
    """One platform. Each capability is a builder from a session, or None."""

    name: str
    title: str
    config: type[C]
    addresses: Addresses
    token_help: str | None = None
    """What the pasted login is and where it is found; None when the config alone is enough."""
    oauth: OAuth | None = None
    consent: Consent | None = None
    quota: Callable[[C], Quota] | None = None
    """The daily allowance that calls of a connection draw on."""
    text_limits: TextLimits | None = None
    chat_limits: ChatLimits | None = None
    private_limits: ChatLimits | None = None
    """Of private answers, where the platform counts them apart from its chat; None: together."""
    key_life: timedelta | None = None
    """How long a stream key is good that a person entered; None: until it is reset."""
    before_start: str | None = None
    after_end: str | None = None
    """What a person must do on the platform, in a sentence: to go live there, and when the show is over."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Why a capability is None: its field's name (`moderation.ban` for a verb) and a sentence."""
    authorise: Callable[[C, str], dict[str, str]] | None = None
    """Headers that carry the login, from config and access token (empty string when there is none)."""
    classify: Classify | None = None
    """A platform's own spelling of the three errors: (status, headers, body) → error, or None."""
    webhooks: Callable[[C], Webhooks] | None = None
    handshake: Callable[[C, Mapping[str, str]], str] | None = None
    """The answer to a GET that asks, with this query, whether the webhook address is ours; or Refused."""
    destination: Callable[[Session[C]], Destination] | None = None
    planner: Callable[[Session[C]], Planner] | None = None
    metadata: Callable[[Session[C]], Metadata] | None = None
    audience: Callable[[Session[C]], AudienceSource] | None = None
    health: Callable[[Session[C]], HealthSource] | None = None
    chat_source: Callable[[Session[C]], ChatSource] | None = None
    chat_sink: Callable[[Session[C]], ChatSink] | None = None
    replier: Callable[[Session[C]], Replier] | None = None
    private_replier: Callable[[Session[C]], PrivateReplier] | None = None
    announcer: Callable[[Session[C]], Announcer] | None = None
    moderation: Moderation[C] | None = None
    catalog_source: Callable[[Session[C]], CatalogSource] | None = None
    order_source: Callable[[Session[C]], OrderSource] | None = None
    order_sink: Callable[[Session[C]], OrderSink] | None = None
    stock_sink: Callable[[Session[C]], StockSink] | None = None
    stock_source: Callable[[Session[C]], StockSource] | None = None
    subscriptions: Callable[[Session[C]], Subscriptions] | None = None
    payments: Callable[[Session[C]], PaymentGateway] | None = None
    payment_pace: PaymentPace | None = None
    payment_seconds: float | None = None
    """The time an authorisation may take before new payments are sent to another gateway, if there is one."""
    payment_life: timedelta | None = None
    """How long an authorisation stands before the gateway lets go of it, where it does not say itself."""
    payment_memory: timedelta | None = None
    """How long an idempotency key is safe to repeat; None: there are no keys, `find` is asked first."""
    tells_payments: bool = False
    """Whether a webhook tells of every payment soon after its capture, so that silence means trouble."""
    delivery: Callable[[Session[C]], Delivery] | None = None
    conversions: Callable[[Session[C]], ConversionSink] | None = None
    conversion_limits: ConversionLimits | None = None
    pixel: Callable[[C], str] | None = None
    """The public id a page's own script tells the platform under; the script is at `addresses.script_url`."""

    def session(
        self, http: Http, config: C, addresses: Addresses, budget: Budget | None = None
    ) -> Session[C]:
        """A session for one connection."""
        return Session(http=http, config=config, addresses=addresses, budget=budget or NoQuota())


AnyConnector = Connector[Any]
