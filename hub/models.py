"""Every table, so that migrations see them all."""

from __future__ import annotations

from hub.aftersale.models import (
    AftersaleTerms,
    Invoice,
    InvoiceSeries,
    OrderDelivery,
    RefundPart,
    ReturnLine,
    ReturnRequest,
    TermsSaid,
)
from hub.analytics.models import Cohort
from hub.attribution.models import AttributionRun
from hub.auth.models import Brand, Member, MemberInvite, StaffSession
from hub.benefits.models import MigratedPerson, Segment, SegmentMember
from hub.carts.models import CartLine, ShippingMethod, ShopTerms, TaxRate
from hub.catalog.models import (
    BundleItem,
    Intake,
    Listing,
    Price,
    PriceHistory,
    Product,
    ProductMedia,
    UnmatchedListing,
    Variant,
)
from hub.chat.models import (
    ChatMute,
    ChatPace,
    ChatReading,
    ChatRelay,
    ChatShed,
    ChatTombstone,
    ChatTurn,
    Delivery,
    Message,
    ModerationAction,
)
from hub.claims.models import Claim, ClaimBlock, ClaimRules, ClaimWord
from hub.connections.models import Connection, Linking, QuotaUse, Revocation
from hub.consent.models import ConsentChoice, ConsentText
from hub.conversions.models import AdIds, Conversion, ConversionDesk
from hub.customers.models import Customer, Identity, IdentityEdge, PersonChange, Suggestion
from hub.events.models import EventCursor, EventFile
from hub.links.models import LinkClick, LinkPost, ShopHost, TrackedLink
from hub.mail.models import Mail
from hub.offers.models import Offer, OfferItem, OfferKey, OfferLog, OfferTier, OfferUse
from hub.orders.models import Order, OrderLine
from hub.orders.outside import Drift, OutsideRefund, ShopWatch
from hub.orders.timeline import OrderEvent
from hub.payments.models import Dispute, GatewayRank, GatewayTiming, Payment, Refund, SavedMethod
from hub.playback.models import PlaybackKey, ShowCue
from hub.privacy.models import Erasure, LookLog, RetentionRule, RetentionRun, RightsRequest
from hub.probe.models import ProbeKey, ProbePlace, ProbeRun
from hub.quality.models import PlaybackPoint, PlaybackSession, RegionAlarm, RegionPoint
from hub.risk.models import RiskPace, RiskReview, RiskScore, RiskTerms, RiskTrace
from hub.shoppers.models import Passkey, PasskeyChallenge, ShopperSession, SignInCode
from hub.shows.models import Asset, MediaWorker, Show, ShowProduct, ShowTarget
from hub.stock.models import Hold, Stock, StockAt, StockMovement, StockPlace, Waitlist
from hub.visits.models import Touch, Visit, VisitorPass
from hub.webhooks.models import WebhookEvent

TABLES = (
    *(Brand, Member, StaffSession, Connection, Linking, Revocation, QuotaUse),
    *(Product, Variant, ProductMedia, Price, PriceHistory, BundleItem, UnmatchedListing, Intake),
    *(Listing, Stock, Hold, StockMovement),
    *(StockPlace, StockAt, Waitlist),
    *(MediaWorker, Asset, Show, ShowTarget, ShowProduct, PlaybackKey, ShowCue),
    *(Message, Delivery, ChatReading, ChatPace, ChatShed, ChatRelay, ChatMute, ChatTombstone, ChatTurn),
    *(ModerationAction, Customer, Identity),
    *(IdentityEdge, PersonChange, Suggestion),
    *(LinkClick, LinkPost, ShopHost),
    *(AttributionRun,),
    *(TrackedLink, Touch, Order, OrderLine, Payment, WebhookEvent, PlaybackSession, PlaybackPoint),
    *(OutsideRefund, ShopWatch, Drift),
    *(Offer, OfferItem, OfferTier, OfferUse, OfferKey, OfferLog),
    *(SavedMethod, Refund, Dispute, GatewayRank, GatewayTiming),
    *(CartLine, ShippingMethod, ShopTerms, TaxRate, OrderEvent, Mail),
    *(ShopperSession, SignInCode, Passkey, PasskeyChallenge),
    *(
        AftersaleTerms,
        OrderDelivery,
        ReturnRequest,
        ReturnLine,
        RefundPart,
        InvoiceSeries,
        Invoice,
        TermsSaid,
    ),
    *(Segment, SegmentMember, MigratedPerson),
    *(RiskTerms, RiskScore, RiskReview, RiskTrace, RiskPace),
    *(Claim, ClaimRules, ClaimWord, ClaimBlock),
    *(EventCursor, EventFile),
    *(Visit, VisitorPass, ConsentText, ConsentChoice),
    *(RightsRequest, Erasure, RetentionRule, RetentionRun, LookLog, MemberInvite),
    *(Conversion, ConversionDesk, AdIds),
    *(Cohort,),
    *(RegionPoint, RegionAlarm, ProbePlace, ProbeKey, ProbeRun),
)
