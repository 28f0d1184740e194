"""Every table, so that migrations see them all."""

from __future__ import annotations

from hub.attribution.models import Touch, TrackedLink
from hub.auth.models import Brand, Member, StaffSession
from hub.catalog.models import Listing, Product, Variant
from hub.chat.models import ChatMute, ChatPace, ChatReading, ChatRelay, Delivery, Message, ModerationAction
from hub.connections.models import Connection, Linking, QuotaUse, Revocation
from hub.customers.models import Customer, Identity
from hub.orders.models import Order, OrderLine
from hub.payments.models import Payment
from hub.playback.models import PlaybackKey, ShowCue
from hub.quality.models import PlaybackPoint, PlaybackSession
from hub.shows.models import Asset, MediaWorker, Show, ShowProduct, ShowTarget
from hub.stock.models import Hold, Stock, StockMovement
from hub.webhooks.models import WebhookEvent

TABLES = (
    *(Brand, Member, StaffSession, Connection, Linking, Revocation, QuotaUse),
    *(Product, Variant, Listing, Stock, Hold, StockMovement),
    *(MediaWorker, Asset, Show, ShowTarget, ShowProduct, PlaybackKey, ShowCue),
    *(Message, Delivery, ChatReading, ChatPace, ChatRelay, ChatMute, ModerationAction, Customer, Identity),
    *(TrackedLink, Touch, Order, OrderLine, Payment, WebhookEvent, PlaybackSession, PlaybackPoint),
)
