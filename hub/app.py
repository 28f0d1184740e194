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
from hub.analytics.insight import insight
from hub.auth.gate import gate
from hub.auth.guard import Hub
from hub.bus import Bus
from hub.catalog.assortment import assortment
from hub.chat.skips import Skips
from hub.claims.desk import desk
from hub.clock import Clock, wall_clock
from hub.connections.reach import reach
from hub.connections.service import Connections
from hub.conversions.service import Conversions
from hub.customers.people import people
from hub.db import Database, run
from hub.errors import Unavailable
from hub.events.stream import EventStream
from hub.links.board import board
from hub.news import Coalescer
from hub.offers.launch import Launches
from hub.offers.news import tell_counts
from hub.offers.service import Offers
from hub.orders.counter import counter
from hub.orders.news import tell_sales
from hub.orders.outlets import outlets
from hub.orders.service import Orders
from hub.payments.origins import origins_of
from hub.payments.service import Payments
from hub.privacy.service import Rights
from hub.probe.rounds import Probes
from hub.public.pace import Pace
from hub.quality.sight import sight
from hub.secrets import Vault
from hub.services import Services
from hub.settings import Settings, secrets_of
from hub.shows.stage import stage
from hub.stock.lane import LanedApp
from hub.stock.news import StockNews
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom
from hub.switchboard import Switchboard
from hub.troubles.service import Troubles
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
    stream: EventStream


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
    async with (
        Bus(settings.nats_url) as bus,
        EventStream(settings.nats_url) as stream,
        Database(settings.database_url, bus) as db,
    ):
        shelves = StockNews(db)
        ground = Ground(
            settings=settings,
            clock=clock,
            vault=vault,
            media_token=kept.media_token,
            db=db,
            bus=bus,
            links=Connections(db, vault, platforms or connectors.load(), environ, clock),
            stock_news=Coalescer(STOCK_NEWS_EVERY, lambda found: tell_shelves(db, clock, shelves, found)),
            sales_news=Coalescer(SALES_NEWS_EVERY, lambda found: tell_sales(db, found)),
            skips=Skips(bus),
            stream=stream,
        )
        hub = assembled(ground)
        try:
            yield hub
        finally:
            await hub.beacons.close()
            await hub.reservations.close()
            await hub.payments.timings.close()
            await ground.links.close()
            await ground.stock_news.close()
            await ground.sales_news.close()
            await ground.skips.close()


async def tell_shelves(db: Database, clock: Clock, shelves: StockNews, variants: set[UUID]) -> None:
    """Stock that changed, and how many the offers of it have left."""
    await shelves.tell(variants)
    await tell_counts(db, Offers(db, clock), variants)


def assembled(ground: Ground) -> Services:
    """Every service, each given what it needs and nothing else."""
    settings, clock, vault, db, links = ground.settings, ground.clock, ground.vault, ground.db, ground.links
    site = settings.site_url()
    known = people(clock, vault, site, db, settings.data)
    room = StockRoom(clock, ground.stock_news)
    orders = Orders(
        *(clock, vault, room, known["customers"], known["attribution"], known["visits"]),
        sales_news=ground.sales_news,
    )
    shops = outlets(clock, db, links, orders, site)
    shown = stage(
        *(settings, clock, vault, db, links),
        tracked=known["links"],
        skips=ground.skips,
        media_token=ground.media_token,
    )
    offers = Offers(db, clock)
    reservations = Reservations(db, clock, ground.stock_news, timedelta(seconds=settings.hold_seconds))
    sold = counter(
        *(settings, clock, vault, db),
        orders=orders,
        stock=room,
        reservations=reservations,
        payments_of=lambda outcomes: Payments(
            *(db, clock, vault, links, room), outcomes=outcomes, site=site, faster=settings.payment_pace
        ),
        offers=offers,
        customers=known["customers"],
        attribution=known["attribution"],
    )
    return Services(
        settings=settings,
        clock=clock,
        db=db,
        bus=ground.bus,
        **gate(clock, vault),
        **reach(db, clock, links, site),
        **assortment(clock, db, links, room),
        stock=room,
        reservations=reservations,
        **desk(*(db, clock, vault, site), reservations, room, links, shown["replies"], known["visits"]),
        **known,
        **board(*(db, clock, vault, site), known["links"], links, shown),
        **insight(db, clock, vault, settings.data, ground.stream, known["attribution"]),
        conversions=Conversions(*(db, clock, vault, links, known["consent_book"]), site_url=site),
        offers=offers,
        launches=Launches(db, clock, vault, offers, shown["shows"]),
        **shops,
        **sold,
        inbox=Inbox(db, clock, links, shops["channels"], sold["payments"], shown["chat"], shops["drifts"]),
        **shown,
        pace=Pace(clock),
        **sight(clock, db, settings),
        probes=Probes(db, clock, shown["playback"], own=settings.playback_origins()),
        rights=Rights(settings.data, db, clock, vault),
        troubles=Troubles(),
    )


def create_app(settings: Settings, environ: Mapping[str, str]) -> LanedApp:
    """The HTTP process: API, studio and watch page, webhooks, checkout."""
    # Only this process answers over HTTP: to the others all routes would be seconds of their start.
    from hub.routers import ROOMS

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services(settings, environ) as hub:
            await hub.media.register()
            await hub.clicks.warm()
            app.state.services = hub
            yield

    app = LanedApp(title="Simulcast Hub", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    web.install_errors(app)
    # What is added last stands first in a request's way.
    pay = origins_of(connectors.load().values(), environ)
    shop = web.content_policy(settings, pay)
    app.add_middleware(web.SecureHeaders, policy=web.content_policy(settings), shop=shop)
    # The routes themselves: within an included router each costs four times as much, even where passed over.
    app.router.routes.extend(route for room in ROOMS for route in room.router.routes)
    install_health(app)
    web.install_pages(app, lambda more: web.content_policy(settings, pay, more))
    app.router.middleware_stack = Switchboard(app.router)
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
    async def metrics(hub: Hub) -> Response:
        told = generate_latest() + await hub.payments.timings.exposition()
        return Response(told, media_type=CONTENT_TYPE_LATEST)
