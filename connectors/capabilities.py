"""What a platform may be able to do: a protocol for each capability.

Reading is an async iterator, acting a coroutine. Nothing here knows the hub or the media engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol

from pydantic import BaseModel

from connectors.http import Http
from connectors.session import Addresses, C, Session
from connectors.types import (
    Account,
    Audience,
    Broadcast,
    BroadcastStatus,
    ChatItem,
    Conversion,
    ConversionOutcome,
    Fact,
    Ingest,
    IngestHealth,
    Level,
    Listing,
    Money,
    Order,
    PaymentForm,
    PaymentRequest,
    PaymentResult,
    Product,
    RefundResult,
    Stock,
    Tokens,
    Webhook,
)


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


class Planner(Protocol):
    """Announces a show before it begins, so that people find it and can be reminded."""

    async def plan(self, broadcast: Broadcast) -> Ingest:
        """Create or find the scheduled broadcast; `Destination.open` with the same marker takes it up."""
        ...


class Metadata(Protocol):
    """Changes what the platform says about a broadcast, before it or while it is live."""

    async def set(self, ref: str, broadcast: Broadcast) -> None:
        """Title, description and the rest as given, and nothing else. Repeatable."""
        ...


class AudienceSource(Protocol):
    """Counts who is there."""

    async def now(self, ref: str) -> Audience:
        """The platform's own figures at this moment."""
        ...


class HealthSource(Protocol):
    """Tells how the platform likes what it receives."""

    async def now(self, ref: str) -> IngestHealth:
        """The platform's own word at this moment."""
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


class Replier(Protocol):
    """Answers one message, so that the platform shows or sends the answer to whoever wrote it."""

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        """Answer once and return the platform's id. Not repeatable unless the platform is."""
        ...


class PrivateReplier(Protocol):
    """Answers one message so that nobody but whoever wrote it can read the answer."""

    async def reply(self, ref: str, message_id: str, text: str, *, key: str) -> str:
        """Answer once and return the platform's id, which is no chat message's.

        Refused with the code `answered`, `closed`, `unreachable` or `permission` where the platform allows no
        (further) private answer to this message: whoever asks may answer it publicly instead.
        """
        ...


class Announcer(Protocol):
    """Says something louder than a message."""

    async def announce(self, ref: str, text: str, *, key: str) -> str:
        """Once; the platform's id, or an empty string where it gives none."""
        ...


OnMessage = Callable[[Session[C], str, str], Awaitable[None]]
"""(session, chat, message id); repeatable, and one that is gone already is not an error."""
OnAuthor = Callable[[Session[C], str, str], Awaitable[None]]
"""(session, chat, author id); repeatable."""
ForSeconds = Callable[[Session[C], str, str, int], Awaitable[None]]
"""(session, chat, author id, seconds); repeatable."""


@dataclass(frozen=True, kw_only=True)
class Moderation(Generic[C]):
    """What a platform lets programs do about messages and people. A verb it does not have is None.

    `hide` leaves a message to its author and takes it from all others; `delete` takes it from everybody.
    `timeout` is a ban that ends by itself.
    """

    delete: OnMessage[C] | None = None
    hide: OnMessage[C] | None = None
    unhide: OnMessage[C] | None = None
    timeout: ForSeconds[C] | None = None
    ban: OnAuthor[C] | None = None
    unban: OnAuthor[C] | None = None


class CatalogSource(Protocol):
    """Reads products."""

    def products(self) -> AsyncIterator[Product]:
        """Every sellable variant."""
        ...


class OrderSource(Protocol):
    """Reads orders; the truth behind webhooks."""

    def orders(self, since: datetime) -> AsyncIterator[Order]:
        """Orders changed since then, oldest change first; overlaps are normal. Unreadable at the end."""
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
        """Set the absolute quantity; the same key twice changes nothing.

        Where the platform can compare: Refused with the code STALE when it is not what was expected.
        """
        ...


class StockSource(Protocol):
    """Reads stock back."""

    async def levels(self, listings: Sequence[Listing]) -> Sequence[Level]:
        """What the platform believes of these, in any order; those it does not know are left out."""
        ...


class Subscriptions(Protocol):
    """What a platform tells us by itself, and where it sends it."""

    async def ensure(self, url: str) -> Sequence[str]:
        """Have everything we need sent there; the names of what had to be made or switched on. Repeatable."""
        ...


class PaymentGateway(Protocol):
    """Moves money. Every write carries our idempotency key and may be repeated with it.

    A decline is a result. RetryLater(unknown=True) when a write may have happened: the caller repeats it with
    the same key while the gateway remembers it (`Connector.payment_memory`), else asks `find` first.
    """

    async def form(self, amount: Money, *, customer: str | None) -> PaymentForm:
        """What the buyer's page needs to draw the gateway's own fields."""
        ...

    async def authorise(self, request: PaymentRequest, *, key: str) -> PaymentResult:
        """Hold the amount; never captures."""
        ...

    async def confirm(self, ref: str, answer: Mapping[str, str], *, key: str) -> PaymentResult:
        """Go on after the buyer's action; `answer` is what the page's script or the redirect brought.

        Repeatable; one that is decided already answers what it became.
        """
        ...

    async def capture(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """Take what was held, or less and let the rest go; once. Answers `voided` when it has run out."""
        ...

    async def void(self, ref: str, *, key: str) -> PaymentResult:
        """Let go of what was held; answers `captured` (or `capture_pending`) when it is too late."""
        ...

    async def refund(self, ref: str, amount: Money, *, key: str) -> RefundResult:
        """Give back captured money, in parts if need be. Refused for more than is left of it.

        The same key again gives nothing back twice, also where the gateway knows no keys: then it is kept
        with the refund, and looked for there first.
        """
        ...

    async def get(self, ref: str) -> PaymentResult:
        """The gateway's own word."""
        ...

    async def find(self, order_id: str) -> PaymentResult | None:
        """The payment of an order, one that holds or took money first; None when there is certainly none.

        RetryLater(unknown=True) where a gateway cannot be asked so: None is taken for a licence to charge.
        """
        ...

    async def forget(self, saved_ref: str, customer: str | None) -> None:
        """Delete a saved method. Repeatable; one that is gone already is not an error."""
        ...


class Delivery(Protocol):
    """A CDN in front of playback. Signing is pure; `until` is aware."""

    @property
    def signs(self) -> bool:
        """Whether its settings hold a key: its edge may then refuse addresses that are not signed."""
        ...

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


class ConversionSink(Protocol):
    """Tells a platform what happened."""

    async def send(self, batch: Sequence[Conversion], *, now: datetime) -> Sequence[ConversionOutcome]:
        """An outcome for each, in their order; `now` decides what is too old.

        Repeatable: the platform counts an event id once. One it refuses does not keep it from the others.
        RetryLater and Reconnect say nothing of any of them: send all of them again.
        """
        ...

    async def check(self, conversion: Conversion, *, now: datetime) -> ConversionOutcome:
        """What the platform thinks of it, without counting it. Refused where it cannot be asked so."""
        ...


class Webhooks(Protocol):
    """Reads what a platform sends us. Pure: no I/O, no clock but the one in the request."""

    def verify(self, hook: Webhook) -> str:
        """The delivery's id for de-duplication; raises Refused when forged, altered or stale.

        Empty for a greeting that needs no more than an answer.
        """
        ...

    def parse(self, body: bytes) -> Sequence[Fact]:
        """What it says. Unknown kinds give an empty list; a broken body raises Refused."""
        ...


class OAuth(Protocol):
    """Keeps a login alive."""

    async def refresh(self, http: Http, config: BaseModel, tokens: Tokens) -> Tokens:
        """New tokens, or Reconnect when the refresh token is dead. `http` carries no login."""
        ...


@dataclass(frozen=True)
class Permission:
    """One thing a login allows: the platform's name for it, and why we ask, in a brand's words.

    `needed` False: an account is worth linking without it; what it is for is then refused with a sentence.
    """

    scope: str
    why: str
    needed: bool = True


class Consent(Protocol):
    """How a person lets us into an account: OAuth 2.0's authorization code (RFC 6749) with PKCE (RFC 7636).

    `app` is what a brand enters about its app on the platform beforehand: the part of the connector's config
    that no account brings along. `http` carries no login.
    """

    @property
    def app(self) -> type[BaseModel]: ...

    @property
    def permissions(self) -> Sequence[Permission]: ...

    def url(
        self, app: BaseModel, addresses: Addresses, *, redirect_uri: str, state: str, challenge: str
    ) -> str:
        """Where to send the person. `challenge` is S256; a platform without PKCE is not given it."""
        ...

    async def exchange(
        self, http: Http, app: BaseModel, *, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """The login for a code, which works once. Refused for a code that is used, stale or another app's."""
        ...

    async def accounts(self, http: Http, app: BaseModel, tokens: Tokens) -> Sequence[Account]:
        """Every page or channel the login reaches; empty when the person has none."""
        ...

    async def revoke(self, http: Http, app: BaseModel, tokens: Tokens) -> None:
        """Give the login back. Repeatable; one that is dead already is not an error."""
        ...
