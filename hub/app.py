"""The composition root: everything is put together here, and read from top to bottom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr
from sqlalchemy import text

import connectors
from connectors.base import AnyConnector
from hub import web
from hub.attribution import routes as attribution
from hub.attribution.service import Attribution
from hub.auth import routes as auth
from hub.auth.guard import Hub
from hub.auth.service import Auth
from hub.auth.tokens import Tokens
from hub.bus import Bus
from hub.catalog import routes as catalog
from hub.catalog.service import Catalog
from hub.chat import routes as chat_routes
from hub.chat.moderation import Moderators
from hub.chat.relay import Relay
from hub.chat.replies import Replies
from hub.chat.service import Chat
from hub.chat.skips import Skips
from hub.clock import Clock, wall_clock
from hub.connections import consent_routes
from hub.connections import routes as connections_routes
from hub.connections.alarms import Alarms
from hub.connections.consent import Consents
from hub.connections.revoking import Revocations
from hub.connections.service import Connections
from hub.customers import routes as customers
from hub.customers.service import Customers
from hub.db import Database, run
from hub.delivery.service import Edges
from hub.errors import Unavailable
from hub.news import Coalescer
from hub.orders.channels import Channels
from hub.orders.checkout import Checkout
from hub.orders.news import tell_sales
from hub.orders.service import Orders
from hub.payments.service import Payments
from hub.playback import routes as playback
from hub.playback.service import Playback
from hub.public import routes as public
from hub.public.pace import Pace
from hub.quality import routes as quality_routes
from hub.quality.service import Quality
from hub.quality.store import Beacons
from hub.secrets import Vault
from hub.services import Services
from hub.settings import Settings, secrets_of
from hub.shows import archive_routes, edit_routes, feed_routes, target_routes
from hub.shows import routes as shows
from hub.shows.archive import Archive
from hub.shows.details import Details
from hub.shows.edits import ShowEdits
from hub.shows.feeds import Feeds
from hub.shows.media import Media
from hub.shows.pulse import Pulse
from hub.shows.service import Shows
from hub.shows.target_edits import TargetEdits
from hub.shows.targets import Targets
from hub.stock import routes as stock
from hub.stock.news import tell_stock
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom
from hub.webhooks import routes as webhooks
from hub.webhooks.service import Inbox

STOCK_NEWS_EVERY = 0.05
SALES_NEWS_EVERY = 1.0


@dataclass(frozen=True)
class Ground:
    """What all services stand on; opened and closed around them."""

    settings: Settings
    clock: Clock
    vault: Vault
    media_token: SecretStr
    db: Database
    bus: Bus
    links: Connections
    stock_news: Coalescer[UUID]
    sales_news: Coalescer[UUID]
    skips: Skips


@asynccontextmanager
async def services(
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock = wall_clock,
    platforms: Mapping[str, AnyConnector] | None = None,
) -> AsyncIterator[Services]:
    """Every service, with the database and the bus open. `platforms`: other connectors than all there are."""
    if not settings.database_url or not settings.nats_url:
        raise RuntimeError("DATABASE_URL and NATS_URL must be set; `simulcast up` sets them by itself.")
    kept = secrets_of(settings)
    vault = Vault(kept.secret_key)
    async with Bus(settings.nats_url) as bus, Database(settings.database_url, bus) as db:
        ground = Ground(
            settings=settings,
            clock=clock,
            vault=vault,
            media_token=kept.media_token,
            db=db,
            bus=bus,
            links=Connections(db, vault, platforms or connectors.load(), environ, clock),
            stock_news=Coalescer(STOCK_NEWS_EVERY, lambda found: tell_stock(db, found)),
            sales_news=Coalescer(SALES_NEWS_EVERY, lambda found: tell_sales(db, found)),
            skips=Skips(bus),
        )
        hub = assembled(ground)
        try:
            yield hub
        finally:
            await hub.beacons.close()
            await hub.reservations.close()
            await ground.links.close()
            await ground.stock_news.close()
            await ground.sales_news.close()
            await ground.skips.close()


def assembled(ground: Ground) -> Services:
    """Every service, each given what it needs and nothing else."""
    settings, clock, vault, db, links = ground.settings, ground.clock, ground.vault, ground.db, ground.links
    attributed, known = Attribution(clock), Customers(vault)
    room = StockRoom(clock, ground.stock_news)
    orders = Orders(clock, vault, room, known, attributed, sales_news=ground.sales_news)
    channels = Channels(db, clock, links, orders)
    payments = Payments(db, clock, vault, links, room)
    relay = Relay(links.connectors, clock)
    planned = Shows(clock, vault, links, attributed)
    chat = Chat(clock, relay, ground.skips)
    media = Media(db, clock, vault, planned, settings=settings, token=ground.media_token)
    return Services(
        settings=settings,
        clock=clock,
        db=db,
        bus=ground.bus,
        auth=Auth(clock),
        tokens=Tokens(vault, clock),
        connections=links,
        consents=Consents(db, clock, links, settings.site_url()),
        revocations=Revocations(db, clock, links),
        alarms=Alarms(db, clock, links),
        catalog=Catalog(db, links),
        stock=room,
        reservations=Reservations(db, clock, ground.stock_news, timedelta(seconds=settings.hold_seconds)),
        customers=known,
        attribution=attributed,
        orders=orders,
        channels=channels,
        checkout=Checkout(clock, vault, orders, room, customers=known, attribution=attributed),
        payments=payments,
        inbox=Inbox(db, clock, links, channels, payments, chat),
        shows=planned,
        show_edits=ShowEdits(planned),
        target_edits=TargetEdits(clock, links, planned),
        targets=Targets(db, clock, vault, planned, connections=links),
        details=Details(db, clock, links, planned),
        pulse=Pulse(db, clock, links, planned),
        feeds=Feeds(vault, planned),
        playback=Playback(db, clock, vault, planned, settings=settings),
        edges=Edges(links),
        media=media,
        archive=Archive(db, planned, media, ground.media_token),
        chat=chat,
        replies=Replies(db, clock, links, planned, chat),
        relay=relay,
        moderators=Moderators(db, clock, links),
        pace=Pace(clock),
        beacons=Beacons(db, clock),
        quality=Quality(clock),
    )


def create_app(settings: Settings, environ: Mapping[str, str]) -> FastAPI:
    """The HTTP process: API, studio and watch page, webhooks, checkout."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services(settings, environ) as hub:
            await hub.media.register()
            app.state.services = hub
            yield

    app = FastAPI(title="Simulcast Hub", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    web.install_errors(app)
    # What is added last stands first in a request's way. The route itself is for its other methods.
    app.add_middleware(web.FastLane, path=stock.ROUTE.path, endpoint=stock.hold)
    app.add_middleware(web.SecureHeaders, policy=web.content_policy(settings))
    app.router.routes.insert(0, stock.ROUTE)
    for room in (
        auth,
        connections_routes,
        consent_routes,
        catalog,
        shows,
        chat_routes,
        edit_routes,
        target_routes,
        feed_routes,
        playback,
        archive_routes,
        customers,
    ):
        app.include_router(room.router)
    for room in (public, attribution, webhooks, quality_routes):
        app.include_router(room.router)
    install_health(app)
    web.install_pages(app)
    return app


def install_health(app: FastAPI) -> None:
    """For supervisors, load balancers and Prometheus."""

    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, bool]:
        """The process runs."""
        return {"ok": True}

    @app.get("/readyz", tags=["health"])
    async def readyz(hub: Hub) -> dict[str, bool]:
        """Database and bus answer."""
        async with hub.db.session() as session:
            await run(session, text("SELECT 1"))
        if not hub.bus.connected:
            raise Unavailable("bus_away", "The news bus is not connected.", retry_after=2)
        return {"ok": True}

    @app.get("/metrics", tags=["health"], include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
