"""The composition root: everything is put together here, and read from top to bottom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

import connectors
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
from hub.chat.replies import Replies
from hub.chat.service import Chat
from hub.clock import Clock, wall_clock
from hub.connections import routes as connections_routes
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
from hub.shows import archive_routes, feed_routes, target_routes
from hub.shows import routes as shows
from hub.shows.archive import Archive
from hub.shows.feeds import Feeds
from hub.shows.media import Media
from hub.shows.service import Shows
from hub.shows.targets import Targets
from hub.stock import routes as stock
from hub.stock.news import tell_stock
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom
from hub.webhooks import routes as webhooks
from hub.webhooks.service import Inbox

STOCK_NEWS_EVERY = 0.05
SALES_NEWS_EVERY = 1.0


@asynccontextmanager
async def services(
    settings: Settings, environ: Mapping[str, str], clock: Clock = wall_clock
) -> AsyncIterator[Services]:
    """Every service, with the database and the bus open."""
    if not settings.database_url or not settings.nats_url:
        raise RuntimeError("DATABASE_URL and NATS_URL must be set; `simulcast up` sets them by itself.")
    kept = secrets_of(settings)
    vault = Vault(kept.secret_key)
    async with Bus(settings.nats_url) as bus, Database(settings.database_url, bus) as db:
        stock_news: Coalescer[UUID] = Coalescer(STOCK_NEWS_EVERY, lambda found: tell_stock(db, found))
        sales_news: Coalescer[UUID] = Coalescer(SALES_NEWS_EVERY, lambda found: tell_sales(db, found))
        links = Connections(db, vault, connectors.load(), environ, clock)
        attributed, known = Attribution(clock), Customers(vault)
        room = StockRoom(clock, stock_news)
        reserved = Reservations(db, clock, stock_news, timedelta(seconds=settings.hold_seconds))
        orders = Orders(clock, vault, room, known, attributed, sales_news=sales_news)
        channels = Channels(db, clock, links, orders)
        payments = Payments(db, clock, vault, links, room)
        planned, chat = Shows(clock, vault, links, attributed), Chat(clock)
        beacons = Beacons(db, clock)
        media = Media(db, clock, vault, planned, settings=settings, token=kept.media_token)
        try:
            yield Services(
                settings=settings,
                clock=clock,
                db=db,
                bus=bus,
                auth=Auth(clock),
                tokens=Tokens(vault, clock),
                connections=links,
                catalog=Catalog(db, links),
                stock=room,
                reservations=reserved,
                customers=known,
                attribution=attributed,
                orders=orders,
                channels=channels,
                checkout=Checkout(clock, vault, orders, room, customers=known, attribution=attributed),
                payments=payments,
                inbox=Inbox(db, clock, links, channels, payments),
                shows=planned,
                targets=Targets(db, clock, vault, links, planned),
                feeds=Feeds(vault, planned),
                playback=Playback(db, clock, vault, planned, settings=settings),
                edges=Edges(links),
                media=media,
                archive=Archive(db, planned, media, kept.media_token),
                chat=chat,
                replies=Replies(db, clock, links, planned, chat),
                pace=Pace(clock),
                beacons=beacons,
                quality=Quality(clock),
            )
        finally:
            await beacons.close()
            await reserved.close()
            await links.close()
            await stock_news.close()
            await sales_news.close()


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
        catalog,
        shows,
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
