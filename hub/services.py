"""Every service of the hub, by name. Constructed in `hub.app` alone."""

from __future__ import annotations

from dataclasses import dataclass

from hub.aftersale.service import Aftersale
from hub.analytics.cohorts import Cohorts
from hub.analytics.service import Analytics
from hub.attribution.service import Attribution
from hub.auth.members import Members
from hub.auth.service import Auth
from hub.auth.tokens import Tokens
from hub.benefits.segments import Segments
from hub.bus import Bus
from hub.carts.quote import Quotes
from hub.carts.reserving import Reserving
from hub.carts.service import Carts
from hub.catalog.edits import ProductEdits
from hub.catalog.intake import Intakes
from hub.catalog.listings import Listings
from hub.catalog.service import Catalog
from hub.catalog.sync import Sync
from hub.chat.moderation import Moderators
from hub.chat.relay import Relay
from hub.chat.replies import Replies
from hub.chat.service import Chat
from hub.claims.service import Claims
from hub.clock import Clock
from hub.connections.alarms import Alarms
from hub.connections.consent import Consents
from hub.connections.revoking import Revocations
from hub.connections.service import Connections
from hub.consent.book import ConsentBook
from hub.consent.texts import Texts
from hub.conversions.service import Conversions
from hub.customers.changes import Changes
from hub.customers.service import Customers
from hub.customers.suggesting import Suggestions
from hub.customers.view import PeopleView
from hub.db import Database
from hub.delivery.service import Edges
from hub.events.service import Events
from hub.links.clicks import Clicks
from hub.links.listing import LinkList
from hub.links.posts import LinkPosts
from hub.links.service import Links
from hub.mail.service import Mailroom
from hub.offers.launch import Launches
from hub.offers.service import Offers
from hub.orders.channels import Channels
from hub.orders.checkout import Checkout
from hub.orders.drift import Drifts
from hub.orders.listing import OrderList
from hub.orders.outcomes import Outcomes
from hub.orders.push import Pushes
from hub.orders.service import Orders
from hub.orders.watch import Watches
from hub.payments.service import Payments
from hub.playback.service import Playback
from hub.privacy.service import Rights
from hub.probe.rounds import Probes
from hub.public.pace import Pace
from hub.quality.region import Regions
from hub.quality.region_watch import RegionWatch
from hub.quality.service import Quality
from hub.quality.store import Beacons
from hub.risk.service import Risk
from hub.settings import Settings
from hub.shoppers.passkeys import Passkeys
from hub.shoppers.service import Shoppers
from hub.shows.archive import Archive
from hub.shows.details import Details
from hub.shows.edits import ShowEdits
from hub.shows.feeds import Feeds
from hub.shows.media import Media
from hub.shows.pulse import Pulse
from hub.shows.service import Shows
from hub.shows.target_edits import TargetEdits
from hub.shows.targets import Targets
from hub.stock.networks import Networks
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom
from hub.stock.waitlist import Queue
from hub.troubles.service import Troubles
from hub.visits.service import Visits
from hub.webhooks.service import Inbox


@dataclass(frozen=True)
class Services:
    """What routes and jobs are given."""

    settings: Settings
    clock: Clock
    db: Database
    bus: Bus
    auth: Auth
    members: Members
    tokens: Tokens
    networks: Networks
    connections: Connections
    consents: Consents
    revocations: Revocations
    alarms: Alarms
    catalog: Catalog
    product_edits: ProductEdits
    intakes: Intakes
    listings: Listings
    sync: Sync
    stock: StockRoom
    reservations: Reservations
    waitlist: Queue
    claims: Claims
    consent_book: ConsentBook
    consent_texts: Texts
    conversions: Conversions
    customers: Customers
    people_view: PeopleView
    person_changes: Changes
    suggestions: Suggestions
    links: Links
    clicks: Clicks
    link_posts: LinkPosts
    link_list: LinkList
    visits: Visits
    attribution: Attribution
    analytics: Analytics
    cohorts: Cohorts
    segments: Segments
    offers: Offers
    launches: Launches
    orders: Orders
    channels: Channels
    pushes: Pushes
    watches: Watches
    drifts: Drifts
    checkout: Checkout
    outcomes: Outcomes
    risk: Risk
    order_list: OrderList
    aftersale: Aftersale
    carts: Carts
    quotes: Quotes
    reserving: Reserving
    mail: Mailroom
    shoppers: Shoppers
    passkeys: Passkeys
    payments: Payments
    inbox: Inbox
    shows: Shows
    show_edits: ShowEdits
    target_edits: TargetEdits
    targets: Targets
    details: Details
    pulse: Pulse
    feeds: Feeds
    playback: Playback
    edges: Edges
    media: Media
    archive: Archive
    chat: Chat
    replies: Replies
    relay: Relay
    moderators: Moderators
    pace: Pace
    beacons: Beacons
    quality: Quality
    regions: Regions
    region_watch: RegionWatch
    probes: Probes
    rights: Rights
    troubles: Troubles
    events: Events
