"""Whatever anybody sends to the public API, the answer is never a server's fault (schemathesis)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from sqlmodel import col, select

from hub.auth.tokens import Viewer
from hub.claims.models import Claim
from hub.offers.out import ItemIn, OfferIn
from hub.orders.models import Order, OrderLine
from hub.services import Services
from hub.shows.models import Show
from tests.hub.shop import SetClock, Shop
from tests.hub.site import serving

OURS: Final = ("/api/v1/public/", "/webhooks/", "/l/", "/.well-known/", "/healthz", "/readyz")
EXAMPLES: Final = 6
ANSWER_SECONDS: Final = 20.0
FOUND: Final = {
    "GET /api/v1/public/shows/{slug}",
    "GET /api/v1/public/orders/{order}",
    "GET /api/v1/public/orders/{order}/after",
    "GET /api/v1/public/claims/{code}",
    "GET /api/v1/public/offers/{offer_id}/record",
    "DELETE /api/v1/public/holds/{hold_id}",
}
"""What must have been answered with a success at least once: else nothing behind these was looked at."""


@dataclass
class Real:
    """Things there are, by the names that paths and bodies give them. A body's `code` is a coupon's."""

    in_bodies: dict[str, Any]
    in_paths: dict[str, Any]


@dataclass
class Heard:
    """How many were sent, which answers were a 5xx, and which operations succeeded."""

    asked: int = 0
    broken: list[dict[str, Any]] = field(default_factory=list)
    done: set[str] = field(default_factory=set)


@pytest.fixture
async def origin(hub: Services) -> AsyncIterator[str]:
    """The same hub's database behind a real server."""
    async with serving(hub.settings, {}) as address:
        yield address


async def test_nothing_sent_to_the_public_api_breaks_it(
    hub: Services, shop: Shop, clock: SetClock, origin: str
) -> None:
    # The server has the real time: what is made here must not be over there.
    clock.now = datetime.now(UTC)
    viewer = shop.viewer()
    real = await bought(hub, shop, viewer)
    heard = await asyncio.to_thread(ask_everything, origin, hub.tokens.viewer(viewer), real)
    assert heard.asked > 15 * EXAMPLES / 2
    assert not heard.broken, json.dumps(heard.broken, indent=1)
    assert heard.done >= FOUND, FOUND - heard.done


async def bought(hub: Services, shop: Shop, viewer: Viewer) -> Real:
    """An offer, a reservation, a claim that waits to be paid for and a paid order, all of one viewer's."""
    taken = await shop.hold(viewer.id)
    items = [ItemIn(variant_id=shop.variant_id)]
    wish = OfferIn(kind="flash", title="Flash", percent_off=10, minutes=30, show_id=shop.show_id, items=items)
    amounts: dict[str, Any] = {
        "subtotal_minor": 4900,
        "total_minor": 4900,
        "captured_minor": 4900,
        "currency": "EUR",
    }
    about: dict[str, Any] = {"channel": "own", "number": "BAG-1", "state": "paid", "placed_at": hub.clock()}
    async with hub.db.session() as session:
        offer = await hub.offers.draft(session, shop.brand_id, wish, "ana")
        await hub.launches.go_live(session, shop.brand_id, offer.id, "ana")
        show = await session.get_one(Show, shop.show_id)
        await hub.chat.say(session, show, viewer, "Ana", "sold 1")
        claim = (await session.exec(select(Claim).where(col(Claim.show_id) == show.id))).one()
        claim.state, claim.hold_id = "held", taken.group_id
        claim.expires_at = hub.clock() + timedelta(hours=1)
        order = Order(brand_id=shop.brand_id, show_id=show.id, viewer_id=viewer.id, **about, **amounts)
        session.add(order)
        await session.flush()
        line: dict[str, Any] = {"external_line_id": "1", "title": "Bag", "state": "committed"}
        line |= {"unit_minor": 4900, "list_minor": 4900, "variant_id": shop.variant_id}
        session.add(OrderLine(brand_id=shop.brand_id, order_id=order.id, **line))
        code = hub.claims.links.code(claim)
    things = {"slug": shop.slug, "show": shop.slug, "product_id": str(shop.product_id)}
    things |= {"variant_id": str(shop.variant_id), "offer_id": str(offer.id), "order_id": str(order.id)}
    things["hold_id"] = str(taken.group_id)
    own = {"order": hub.tokens.order(order.id), "code": code}
    return Real(things | {"hold_ids": [things["hold_id"]]}, things | own)


def ask_everything(origin: str, token: str, real: Real) -> Heard:
    """Every operation of ours, some times."""
    import schemathesis  # half a second for everybody who only collects the tests

    schema = schemathesis.openapi.from_url(f"{origin}/openapi.json", timeout=ANSWER_SECONDS)
    heard = Heard()
    with requests.Session() as client:
        client.headers["X-Requested-With"] = "simulcast"
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # an unreadable schema may raise
            if operation.path.startswith(OURS):
                for case in cases_of(operation, real):
                    heard.asked += 1
                    ask(client, case, token if heard.asked % 4 else "", heard)
    return heard


def cases_of(operation: Any, real: Real) -> list[Any]:
    """Requests that fit the schema, more or less; every other one about things there are."""
    made: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def make(case: Any) -> None:
        if len(made) % 2 == 0:
            case.path_parameters = {**case.path_parameters, **known(case.path_parameters, real.in_paths)}
            if isinstance(case.body, dict):
                case.body = {**case.body, **known(case.body, real.in_bodies)}
        made.append(case)

    make()
    return made


def known(asked: Any, real: dict[str, Any]) -> dict[str, Any]:
    """The names among these for which there is a real thing."""
    return {name: value for name, value in real.items() if name in (asked or {})}


def ask(client: requests.Session, case: Any, token: str, heard: Heard) -> None:
    """Send one request and note what came of it."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = case.call(session=client, headers=headers, timeout=ANSWER_SECONDS)
    if response.status_code >= 500:
        odd = {"curl": case.as_curl_command(), "status": response.status_code, "answer": response.text[:300]}
        heard.broken.append(odd)
    elif response.status_code < 400:
        heard.done.add(f"{case.method} {case.operation.path}")
