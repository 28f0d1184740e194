"""Values that cross the connector boundary: frozen, typed, free of any platform's spelling.

Money is integer minor units plus an ISO-4217 code, times are aware UTC, ids are strings as the
platform gave them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr

from connectors.conversions import Browser as Browser
from connectors.conversions import Contact as Contact
from connectors.conversions import Conversion as Conversion
from connectors.conversions import ConversionConsent as ConversionConsent
from connectors.conversions import ConversionItem as ConversionItem
from connectors.conversions import ConversionLimits as ConversionLimits
from connectors.conversions import ConversionOutcome as ConversionOutcome
from connectors.money import THREE_DECIMALS as THREE_DECIMALS
from connectors.money import Money as Money
from connectors.money import Value as Value
from connectors.money import exponent as exponent
from connectors.payments import Dispute as Dispute
from connectors.payments import PaymentAction as PaymentAction
from connectors.payments import PaymentForm as PaymentForm
from connectors.payments import PaymentRequest as PaymentRequest
from connectors.payments import PaymentResult as PaymentResult
from connectors.payments import RefundResult as RefundResult
from connectors.payments import SavedMethod as SavedMethod


class Tokens(Value):
    """What an OAuth server gave us. `expires_at` None means the token does not say."""

    access: SecretStr
    refresh: SecretStr | None = None
    expires_at: AwareDatetime | None = None
    scopes: tuple[str, ...] = ()


class Account(Value):
    """A page or channel that a login reaches. `config` joins what the brand entered for its app.

    `tokens` is the account's own login, where it is another one than the person's.
    """

    id: str
    title: str
    detail: str = ""
    picture_url: str | None = None
    config: dict[str, str] = Field(default_factory=dict)
    tokens: Tokens | None = None


# --- destinations -------------------------------------------------------------------------------


class Picture(Value):
    """An image file, whole."""

    media_type: Literal["image/jpeg", "image/png"]
    data: bytes = Field(repr=False)


class Broadcast(Value):
    """The show as a platform needs to know it. `marker` is unique and finds it again after a lost answer.

    `title` and `description` fit the platform's limits already. None leaves a choice to the connection's
    config or to the platform; a connector passes over what its platform does not know.
    """

    title: str
    description: str = ""
    privacy: Literal["public", "unlisted", "private"] = "public"
    starts_at: AwareDatetime | None = None
    thumbnail: Picture | None = None
    latency: Literal["normal", "low", "ultra_low"] | None = None
    made_for_kids: bool | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    marker: str


class BackupIngest(Value):
    """A platform's second entrance, for the same picture at the same time."""

    url: str
    key: SecretStr


class Ingest(Value):
    """Where to push. `url` has no key in it; `key` is pushed verbatim, query and all.

    `passphrase` encrypts SRT. `backup` is pushed to as well, where a platform offers it. The key is good
    until `expires_at`.
    """

    ref: str
    url: str
    key: SecretStr
    passphrase: SecretStr | None = None
    backup: BackupIngest | None = None
    chat_ref: str | None = None
    watch_url: str | None = None
    expires_at: AwareDatetime | None = None


class BroadcastStatus(Value):
    """The platform's own word on a broadcast, in the state words of all platforms together.

    `receiving`: our data arrives there, as far as it tells. `reason` is a sentence for the producer: what is
    wrong or awaited, and what to do.
    """

    state: Literal["scheduled", "starting", "live", "ending", "ended", "failed"]
    receiving: bool | None = None
    viewers: int | None = None
    reason: str | None = None


class Audience(Value):
    """Who is there, as the platform counts; None is untold, which is not nought."""

    viewers: int | None = None
    reactions: int | None = None


class IngestHealth(Value):
    """The platform's own word on the quality of what it receives. `issues` are sentences for the producer."""

    state: Literal["good", "fair", "bad", "nothing"]
    issues: tuple[str, ...] = ()


class TextLimits(Value):
    """How much a platform takes of a show's texts, in characters. None: no such text there.

    `tags`: how many; `tag_characters`: of all of them together, where that is limited.

    `forbidden` holds the single characters it refuses.
    """

    title: int | None = None
    description: int | None = None
    tags: int | None = None
    tag_characters: int | None = None
    forbidden: str = ""
    thumbnail_bytes: int | None = None


# --- chat ---------------------------------------------------------------------------------------


class ChatLimits(Value):
    """What a chat takes from a program: `characters` of a message, and `messages` in any `seconds`.

    `unit` says what a character is there: a code point, or a UTF-16 unit. `links`: False where addresses are
    refused. `repeats`: False where the same words twice in a row are.
    """

    characters: int
    unit: Literal["code_point", "utf16"] = "code_point"
    messages: int
    seconds: float
    links: bool = True
    repeats: bool = True


class Fragment(Value):
    """A piece of a message; all texts in a row are its text. `url`: an emote's picture, a link's target."""

    kind: Literal["text", "emote", "link", "mention"] = "text"
    text: str
    url: str | None = None


class Badge(Value):
    """What an author is in this chat; `title` in the platform's words, for example "Member (2 years)"."""

    kind: Literal["owner", "moderator", "member", "vip", "verified", "other"]
    title: str = ""


class ChatMessage(Value):
    """One message. `cursor`, if set, is where reading may resume after this message.

    `ours` is True when the linked account itself said it: a reply of ours coming back, or the host's phone.
    `fragments` may be empty for a message that is mere text. `reply_to`: the id of the message it answers.
    """

    id: str
    text: str
    author_id: str | None = None
    author_name: str | None = None
    author_picture: str | None = None
    badges: tuple[Badge, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    kind: Literal[
        "text", "paid", "membership", "gift", "raid", "poll", "reaction", "announcement", "notice"
    ] = "text"
    money: Money | None = None
    reply_to: str | None = None
    sent_at: AwareDatetime | None = None
    ours: bool = False
    backlog: bool = False
    cursor: str | None = None


class ChatDeletion(Value):
    """The platform removed messages: by id, or all of one author, or (with neither) all there are."""

    message_ids: tuple[str, ...] = ()
    author_id: str | None = None


class ChatHealth(Value):
    """How the reader is doing. `missed` is True when messages were certainly or possibly lost."""

    state: Literal["connected", "degraded", "down"]
    detail: str = ""
    missed: bool = False


ChatItem = ChatMessage | ChatDeletion | ChatHealth


# --- commerce -----------------------------------------------------------------------------------


class Listing(Value):
    """Where one of our SKUs lives on a platform."""

    sku: str
    product_id: str
    variant_id: str
    location_id: str | None = None
    inventory_item_id: str | None = None


class Product(Value):
    """One sellable variant of a platform's catalogue.

    `hidden`: why the platform shows it to nobody, and what to do, in a sentence or two; None: it is shown, or
    the platform does not say.
    """

    listing: Listing
    title: str
    variant_title: str = ""
    price: Money
    quantity: int | None = None
    image_url: str | None = None
    hidden: str | None = None


class Stock(Value):
    """An absolute sellable quantity for one listing. `version` grows with each change of ours.

    `expected`: what the platform holds if nothing happened there that we do not know of; None: anything.
    """

    listing: Listing
    quantity: int = Field(ge=0)
    version: int
    expected: int | None = None


class Level(Value):
    """What a platform believes it can sell of a listing; None where it does not count.

    `hidden` as in `Product`, and told by the same platforms.
    """

    listing: Listing
    quantity: int | None
    hidden: str | None = None


class LevelNews(Value):
    """A webhook that says what is counted now, without a cause: an echo of ours, or a reason to look."""

    variant_id: str | None = None
    inventory_item_id: str | None = None
    location_id: str | None = None
    quantity: int | None


class Buyer(Value):
    """Who bought, as far as the platform tells. `proxy_email` marks a relay address: no identity."""

    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    proxy_email: bool = False


class OrderLine(Value):
    """One line. `id` is stable over updates of the order and keys its stock movements.

    `quantity`: pieces that were bought and not edited out again. `restocked`: those of them that the platform
    says are back on the shelf. A refund alone puts nothing back. `tax` and `discount` are the whole line's.
    """

    id: str
    sku: str | None
    title: str
    quantity: int = Field(gt=0)
    restocked: int = Field(0, ge=0)
    unit_price: Money
    tax: Money | None = None
    discount: Money | None = None
    listing: Listing | None = None


class RefundLine(Value):
    """Pieces of a line that money was given back for. `restocked` None: the platform does not say."""

    line_id: str
    quantity: int = Field(gt=0)
    restocked: bool | None = None


class OrderRefund(Value):
    """Money given back, in the shop's currency. Without lines: a free amount, or the shipping."""

    id: str
    at: AwareDatetime
    amount: Money
    lines: tuple[RefundLine, ...] = ()


class Order(Value):
    """An order placed on a platform, whole, as of `updated_at` (its version).

    Money is in the shop's currency; `paid` is the total in the buyer's, where that is another. `total` is
    what was to be paid before anything was given back: `total - refunded` is left. `failed`: not paid, and it
    may be tried again.
    """

    id: str
    number: str
    state: Literal["pending", "paid", "failed", "cancelled", "refunded"]
    placed_at: AwareDatetime
    updated_at: AwareDatetime
    total: Money
    lines: tuple[OrderLine, ...]
    refunded: Money | None = None
    refunds: tuple[OrderRefund, ...] = ()
    shipping: Money | None = None
    tax: Money | None = None
    discount: Money | None = None
    taxes_included: bool = True
    paid: Money | None = None
    buyer: Buyer = Buyer()
    landing_url: str | None = None
    show_hint: str | None = None
    test: bool = False


class OrderHint(Value):
    """A webhook that says only: read this order again."""

    order_id: str


# --- webhooks -----------------------------------------------------------------------------------


class Webhook(Value):
    """A request as it came in. Header names are lower case; `body` is the raw bytes that were signed."""

    headers: dict[str, str]
    body: bytes
    received_at: datetime


class ChatNews(Value):
    """What a webhook brought of the chat `chat_ref`; the same things come by reading it, too."""

    chat_ref: str
    items: tuple[ChatItem, ...]


Fact = Order | OrderHint | LevelNews | ChatMessage | ChatNews | PaymentResult | RefundResult | Dispute
