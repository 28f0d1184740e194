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
from hub.aftersale import public_routes as buyers_routes
from hub.aftersale import routes as aftersale_routes
from hub.aftersale import terms_routes
from hub.auth import routes as auth
from hub.auth.guard import Hub
from hub.auth.service import Auth
from hub.auth.tokens import Tokens
from hub.bus import Bus
from hub.carts import routes as cart_routes
from hub.carts import staff_routes as checkout_routes
from hub.catalog import intake_routes
from hub.catalog import routes as catalog
from hub.catalog.assortment import assortment
from hub.chat import routes as chat_routes
from hub.chat.skips import Skips
from hub.claims import public_routes as public_claims
from hub.claims import routes as claim_routes
from hub.claims.desk import desk
from hub.clock import Clock, wall_clock
from hub.connections import consent_routes
from hub.connections import routes as connections_routes
from hub.connections.alarms import Alarms
from hub.connections.consent import Consents
from hub.connections.revoking import Revocations
from hub.connections.service import Connections
from hub.customers import routes as customers
from hub.customers.people import people
from hub.db import Database, run
from hub.errors import Unavailable
from hub.links import routes as link_routes
from hub.news import Coalescer
from hub.offers import routes as offer_routes
from hub.offers.launch import Launches
from hub.offers.news import tell_counts
from hub.offers.service import Offers
from hub.orders import routes as order_routes
from hub.orders import shop_routes
from hub.orders.counter import counter
from hub.orders.news import tell_sales
from hub.orders.outlets import outlets
from hub.orders.service import Orders
from hub.payments import routes as payment_routes
from hub.payments.origins import origins_of
from hub.payments.service import Payments
from hub.playback import routes as playback
from hub.public import orders as public_orders
from hub.public import routes as public
from hub.public.pace import Pace
from hub.quality import routes as quality_routes
from hub.quality.service import Quality
from hub.quality.store import Beacons
from hub.risk import routes as risk_routes
from hub.secrets import Vault
from hub.services import Services
from hub.settings import Settings, secrets_of
from hub.shoppers import routes as shopper_routes
from hub.shows import archive_routes, edit_routes, feed_routes, target_routes
from hub.shows import routes as shows
from hub.shows.stage import stage
from hub.stock import public_routes as public_stock
from hub.stock import routes as stock
from hub.stock.lane import LanedApp
from hub.stock.news import StockNews
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom
from hub.troubles import routes as troubles
from hub.troubles.service import Troubles
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
    known = people(clock, vault)
    room = StockRoom(clock, ground.stock_news)
    orders = Orders(
        *(clock, vault, room, known["customers"], known["attribution"], known["visits"]),
        sales_news=ground.sales_news,
    )
    shops = outlets(clock, db, links, orders, settings.site_url())
    shown = stage(
        *(settings, clock, vault, db),
        links=links,
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
            *(db, clock, vault, links, room), outcomes=outcomes, faster=settings.payment_pace
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
        auth=Auth(clock),
        tokens=Tokens(vault, clock),
        connections=links,
        consents=Consents(db, clock, links, settings.site_url()),
        revocations=Revocations(db, clock, links),
        alarms=Alarms(db, clock, links),
        **assortment(clock, db, links, room),
        stock=room,
        reservations=reservations,
        **desk(*(db, clock, vault, settings.site_url()), reservations, room, links, shown["replies"]),
        **known,
        offers=offers,
        launches=Launches(db, clock, vault, offers, shown["shows"]),
        **shops,
        **sold,
        inbox=Inbox(
            *(db, clock, links, shops["channels"], sold["payments"], shown["chat"]), drifts=shops["drifts"]
        ),
        **shown,
        pace=Pace(clock),
        beacons=Beacons(db, clock),
        quality=Quality(clock),
        troubles=Troubles(),
    )


def create_app(settings: Settings, environ: Mapping[str, str]) -> FastAPI:
    """The HTTP process: API, studio and watch page, webhooks, checkout."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services(settings, environ) as hub:
            await hub.media.register()
            app.state.services = hub
            yield

    app = LanedApp(title="Simulcast Hub", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    web.install_errors(app)
    # What is added last stands first in a request's way.
    pay = origins_of(connectors.load().values(), environ)
    shop = web.content_policy(settings, pay)
    app.add_middleware(web.SecureHeaders, policy=web.content_policy(settings), shop=shop)
    for room in (
        auth,
        connections_routes,
        consent_routes,
        catalog,
        intake_routes,
        shows,
        chat_routes,
        edit_routes,
        target_routes,
        feed_routes,
        playback,
        archive_routes,
        customers,
        order_routes,
        aftersale_routes,
        terms_routes,
        buyers_routes,
        checkout_routes,
        payment_routes,
        risk_routes,
        troubles,
        shop_routes,
        stock,
    ):
        app.include_router(room.router)
    for room in (public_orders, cart_routes, shopper_routes, public_stock, claim_routes, public_claims):
        app.include_router(room.router)
    for room in (public, link_routes, webhooks, quality_routes, offer_routes):
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
    async def metrics(hub: Hub) -> Response:
        told = generate_latest() + await hub.payments.timings.exposition()
        return Response(told, media_type=CONTENT_TYPE_LATEST)
