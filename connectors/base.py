"""The boundary of a connector.

A capability is a field of `Connector` that is present or `None`, never a flag: what a connector can
do is exactly what is not `None`, known before anyone logs in. A capability is built from a `Session`
and nothing else; it knows neither the hub nor the media engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from connectors.http import Classify, Http
from connectors.types import (
    Broadcast,
    BroadcastStatus,
    ChatItem,
    Fact,
    Ingest,
    Money,
    Order,
    PaymentRequest,
    PaymentResult,
    Product,
    Stock,
    Tokens,
    Webhook,
)


class NoConfig(BaseModel):
    """For a connector that needs nothing but its login."""


@dataclass(frozen=True)
class Addresses:
    """Where the platform answers. Tests, rehearsals and the demo put fakes here; nothing is patched."""

    base_url: str
    ingest_url: str | None = None
    ws_url: str | None = None


C = TypeVar("C", bound=BaseModel)


@dataclass(frozen=True)
class Session(Generic[C]):
    """All a capability is ever given. `http` already carries and refreshes the login."""

    http: Http
    config: C
    addresses: Addresses


class Destination(Protocol):
    """A place a show can be pushed to."""

    async def open(self, broadcast: Broadcast) -> Ingest:
        """Create or find the broadcast. Repeatable: the same marker gives the same broadcast."""
        ...

    async def started(self, ref: str) -> BroadcastStatus:
        """Called while we push: take the broadcast live if the platform needs telling. Repeatable."""
        ...

    async def status(self, ref: str) -> BroadcastStatus:
        """The platform's own word."""
        ...

    async def close(self, ref: str) -> None:
        """End the broadcast. Repeatable; one that is gone already is not an error."""
        ...


class ChatSource(Protocol):
    """Reads a chat. Ends when the chat has ended; raises one of the three errors otherwise."""

    def messages(self, ref: str, *, cursor: str | None = None) -> AsyncIterator[ChatItem]:
        """Messages from `cursor` on. Own replies come back too, with the id `ChatSink.send` gave."""
        ...


class ChatSink(Protocol):
    """Writes to a chat."""

    async def send(self, ref: str, text: str, *, key: str) -> str:
        """Send once and return the platform's message id. Not repeatable unless the platform is."""
        ...


class CatalogSource(Protocol):
    """Reads products."""

    def products(self) -> AsyncIterator[Product]:
        """Every sellable variant."""
        ...


class OrderSource(Protocol):
    """Reads orders; the truth behind webhooks."""

    def orders(self, since: datetime) -> AsyncIterator[Order]:
        """Orders changed since then, oldest change first; overlaps are normal."""
        ...

    async def order(self, order_id: str) -> Order | None:
        """One order, or None when the platform does not know it."""
        ...


class OrderSink(Protocol):
    """Writes to orders."""

    async def cancel(self, order_id: str, *, key: str) -> None:
        """Cancel as out of stock. Repeatable; an order that is cancelled already is not an error."""
        ...


class StockSink(Protocol):
    """Writes stock."""

    async def set_stock(self, stock: Stock, *, key: str) -> None:
        """Set the absolute quantity; the same key twice changes nothing."""
        ...


class PaymentGateway(Protocol):
    """Moves money. Every write carries our idempotency key and may be repeated with it."""

    async def authorise(self, request: PaymentRequest, *, key: str) -> PaymentResult:
        """Hold the amount; never captures."""
        ...

    async def capture(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """Take what was held."""
        ...

    async def void(self, ref: str, *, key: str) -> PaymentResult:
        """Let go of what was held; answers `captured` when it is too late."""
        ...

    async def refund(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """Give back captured money."""
        ...

    async def get(self, ref: str) -> PaymentResult:
        """The gateway's own word."""
        ...


class Delivery(Protocol):
    """A CDN in front of playback. Signing is pure; `until` is aware."""

    def base_url(self, show: str) -> str:
        """What stands before `/live/SHOW/…` in the addresses players get: an origin, no slash at the end."""
        ...

    async def purge(self, paths: Sequence[str], *, key: str) -> str:
        """Forget these addresses, and what is below those that end in a slash; the provider's reference.

        Paths begin with a slash and have no query. The same key twice is one purge. Raises Refused for a path
        the provider cannot name.
        """
        ...

    def sign(self, url: str, until: datetime) -> str:
        """The address with a signature that the CDN's edge accepts until then.

        One that ends in `/*` is signed for everything below it; the query of what comes back then goes with
        each of those requests. Raises Refused when there is no key to sign with.
        """
        ...


class Webhooks(Protocol):
    """Reads what a platform sends us. Pure: no I/O, no clock but the one in the request."""

    def verify(self, hook: Webhook) -> str:
        """The delivery's id for de-duplication; raises Refused when forged, altered or stale."""
        ...

    def parse(self, body: bytes) -> Sequence[Fact]:
        """What it says. Unknown kinds give an empty list; a broken body raises Refused."""
        ...


class OAuth(Protocol):
    """Keeps a login alive."""

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """New tokens, or Reconnect when the refresh token is dead. `http` carries no login."""
        ...


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
    authorise: Callable[[C, str], dict[str, str]] | None = None
    """Headers that carry the login, from config and access token (empty string when there is none)."""
    classify: Classify | None = None
    """A platform's own spelling of the three errors: (status, headers, body) → error, or None."""
    webhooks: Callable[[C], Webhooks] | None = None
    destination: Callable[[Session[C]], Destination] | None = None
    chat_source: Callable[[Session[C]], ChatSource] | None = None
    chat_sink: Callable[[Session[C]], ChatSink] | None = None
    catalog_source: Callable[[Session[C]], CatalogSource] | None = None
    order_source: Callable[[Session[C]], OrderSource] | None = None
    order_sink: Callable[[Session[C]], OrderSink] | None = None
    stock_sink: Callable[[Session[C]], StockSink] | None = None
    payments: Callable[[Session[C]], PaymentGateway] | None = None
    delivery: Callable[[Session[C]], Delivery] | None = None

    def session(self, http: Http, config: C, addresses: Addresses) -> Session[C]:
        """A session for one connection."""
        return Session(http=http, config=config, addresses=addresses)


AnyConnector = Connector[Any]
