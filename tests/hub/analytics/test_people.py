"""Cohorts choose whom they say they choose, and lifetimes begin with the channel that brought somebody."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr, ValidationError

from hub.analytics.cohorts import CohortResult, Cohorts
from hub.analytics.conditions import Definition, read_definition
from hub.analytics.lifetime import Lifetime, lifetime
from hub.analytics.models import Cohort
from hub.analytics.money import Scope
from hub.chat.models import Message
from hub.customers.models import Customer, Identity
from hub.db import Database
from hub.errors import BadInput, Conflict
from hub.events.log import EventLog
from hub.events.schema import ViewerEvent
from hub.ids import new_id
from hub.orders.models import Order
from hub.secrets import Vault
from hub.stock.models import Hold
from hub.visits.models import Touch
from tests.hub.analytics.books import House, house, put
from tests.hub.shop import SetClock

VAULT = Vault(SecretStr("a test's own secret key"))
ASKED = {"kind": "chatted", "questions": True, "first_minutes": 10}


class Crowd:
    """Adds people to a show, one line each."""

    def __init__(self, shop: House) -> None:
        self.shop = shop
        self.rows: list[Any] = []
        self.own: dict[str, Any] = {"brand_id": shop.brand_id, "show_id": shop.show_id}

    def viewer(self, *, source: str = "youtube", group: str = "Organic Video", known: bool = False) -> str:
        name = uuid4().hex
        customer = self.customer(self.shop.live_at) if known else None
        self.rows.append(
            Touch(
                **self.own,
                visitor_id=name,
                customer_id=customer,
                utm_source=source,
                channel_group=group,
                at=self.shop.live_at,
            )
        )
        return name

    def customer(self, at: datetime, *, member: bool = False) -> UUID:
        made = Customer(id=new_id(), brand_id=self.shop.brand_id, member_since=at if member else None)
        self.rows.append(made)
        return made.id

    def handle(self, customer: UUID, kind: str, source: str, at: datetime, value: str = "") -> None:
        """Known by the hash of `value`."""
        self.rows.append(
            Identity(
                brand_id=self.shop.brand_id,
                customer_id=customer,
                home_id=customer,
                kind=kind,
                value_hash=VAULT.fingerprint(value or uuid4().hex),
                source=source,
                created_at=at,
            )
        )

    def says(self, author: str, words: str, minute: float, platform: str = "own") -> None:
        self.rows.append(
            Message(
                **self.own,
                platform=platform,
                external_id=uuid4().hex,
                author_id=author,
                text=words,
                received_at=self.shop.live_at + timedelta(minutes=minute),
            )
        )

    def buys(
        self,
        viewer: str | None = None,
        minor: int = 1000,
        *,
        customer: UUID | None = None,
        at: datetime | None = None,
        channel: str = "own",
    ) -> None:
        self.rows.append(
            Order(
                **self.own,
                channel=channel,
                number="SH-1",
                state="paid",
                currency="EUR",
                subtotal_minor=minor,
                total_minor=minor,
                viewer_id=viewer,
                customer_id=customer,
                placed_at=at or self.shop.live_at + timedelta(minutes=30),
            )
        )

    def holds(self, viewer: str) -> None:
        at = self.shop.live_at
        self.rows.append(
            Hold(
                **self.own,
                variant_id=self.shop.variants[0],
                viewer_id=viewer,
                state="expired",
                key=uuid4().hex,
                group_id=new_id(),
                created_at=at,
                expires_at=at,
            )
        )


async def asked(db: Database, data: Path, shop: House, where: dict[str, Any]) -> CohortResult:
    cohorts = Cohorts(lambda: shop.live_at, VAULT, EventLog(data))
    scope = Scope(brand_id=shop.brand_id, show_id=shop.show_id)
    async with db.session() as session:
        return await cohorts.result(session, scope, Definition.model_validate({"where": where}))


async def test_early_askers_are_found_and_compared_with_everybody_else(
    db: Database, clock: SetClock, tmp_path: Path
) -> None:
    shop = await house(db, clock())
    crowd = Crowd(shop)
    early = [crowd.viewer() for _ in range(40)]
    others = [crowd.viewer(source="tiktok") for _ in range(60)]
    for n, viewer in enumerate(early):
        crowd.says(viewer, ["Is it waterproof?", "wie gross ist sie", "¿Cuánto cuesta"][n % 3], 3)
    for viewer in early[:20]:
        crowd.buys(viewer, 2000)
    for viewer in others[:6]:
        crowd.buys(viewer, 1000)
    crowd.says(others[0], "What a lovely bag", 3)
    crowd.says(others[1], "Is it waterproof?", 11)
    crowd.says(others[2], "Nice! I want one.", 4)
    crowd.says(others[3], "Howdy", 4)
    crowd.holds(others[0])
    crowd.holds(others[59])
    await put(db, crowd.rows)

    found = await asked(db, tmp_path, shop, ASKED)
    # "What a lovely bag" begins like a question: the definition says that it goes by form.
    assert (found.cohort.people, found.cohort.buyers, found.others.people) == (41, 21, 59)
    assert found.cohort.net_minor == {"EUR": 20 * 2000 + 1000}
    assert found.cohort.revenue_per_person_minor == {"EUR": 1000}
    assert found.conversion.times == pytest.approx(21 / 41 * 59 / 5, abs=0.001)
    assert found.conversion.sure
    assert found.revenue["EUR"].sure
    assert (found.small, found.note) == (False, "")

    tiktok: dict[str, Any] = {"kind": "came_from", "value": "TikTok"}
    both = await asked(db, tmp_path, shop, {"kind": "all", "of": [ASKED, tiktok]})
    assert (both.cohort.people, both.small) == (1, True)
    assert "Only 1 person" in both.note
    either = await asked(db, tmp_path, shop, {"kind": "any", "of": [ASKED, tiktok]})
    assert either.cohort.people == 100
    without = await asked(db, tmp_path, shop, {"kind": "not", "of": tiktok})
    assert without.cohort.people == 40
    assert (await asked(db, tmp_path, shop, {"kind": "held_not_bought"})).cohort.people == 1
    evil = {"kind": "came_from", "value": "'; DROP TABLE touch; --"}
    assert (await asked(db, tmp_path, shop, evil)).cohort.people == 0
    watched = await asked(db, tmp_path, shop, {"kind": "watched", "minutes": 5})
    assert (watched.cohort.people, len(watched.notes)) == (0, 1)


async def test_one_person_is_one_however_many_handles_and_watching_comes_from_the_log(
    db: Database, clock: SetClock, tmp_path: Path
) -> None:
    shop = await house(db, clock())
    crowd = Crowd(shop)
    ana = crowd.customer(shop.live_at, member=True)
    crowd.handle(ana, "platform_user", "youtube", shop.live_at, "youtube:UCana")
    crowd.says("UCana", "Is it warm?", 2, platform="youtube")
    crowd.says("UCbo", "Is it warm?", 2, platform="youtube")
    crowd.buys("browser-1", customer=ana)
    crowd.buys("browser-2", customer=ana, at=shop.live_at + timedelta(days=5))
    crowd.buys("browser-3")
    await put(db, crowd.rows)

    def event(viewer: str, kind: Any, minute: float, **more: Any) -> ViewerEvent:
        at = shop.live_at + timedelta(minutes=minute)
        return ViewerEvent(
            id=new_id(), **crowd.own, kind=kind, at=at, viewer_id=viewer, source="page", **more
        )

    events = [event("browser-1", "heartbeat", minute) for minute in range(7)]
    # Away for an hour in between: that was no watching.
    events += [event("browser-3", "heartbeat", minute) for minute in (0, 1, 61, 62)]
    events.append(event("stranger", "product_view", 1, product_id=shop.product_id))
    EventLog(tmp_path).write(shop.brand_id, shop.show_id, [*enumerate(events, 1)])

    everybody: dict[str, Any] = {"kind": "chatted"}
    found = await asked(db, tmp_path, shop, everybody)
    # Ana by her handle and her browsers, Bo, browser-3, and the stranger.
    assert (found.cohort.people, found.others.people, found.cohort.buyers) == (2, 2, 1)
    assert found.cohort.net_minor == {"EUR": 2000}
    for where, people in (
        ({"kind": "watched", "minutes": 6}, 1),
        ({"kind": "watched", "minutes": 2}, 2),
        ({"kind": "viewed", "product_id": str(shop.product_id)}, 1),
        ({"kind": "member"}, 1),
        ({"kind": "bought"}, 2),
        ({"kind": "bought", "channel": "shopify"}, 0),
        ({"kind": "bought_again", "days": 5}, 1),
        ({"kind": "bought_again", "days": 4}, 0),
    ):
        assert (await asked(db, tmp_path, shop, where)).cohort.people == people, where

    cohorts = Cohorts(clock, VAULT, EventLog(tmp_path))
    async with db.session() as session:
        kept = Cohort(brand_id=shop.brand_id, name="Members", show_id=shop.show_id)
        kept.definition = Definition.model_validate({"where": {"kind": "member"}}).model_dump(mode="json")
        kept_id = (await cohorts.save(session, kept)).id
    async with db.session() as session:
        assert await cohorts.customers(session, shop.brand_id, kept_id) == {ana}
    with pytest.raises(Conflict, match="already"):
        async with db.session() as session:
            await cohorts.save(session, Cohort(brand_id=shop.brand_id, name="Members"))


def nested(times: int) -> dict[str, Any]:
    """Not not not …"""
    return {"kind": "not", "of": nested(times - 1)} if times else ASKED


@pytest.mark.parametrize(
    "where",
    [
        {"kind": "chatted", "first_minute": 10},
        {"kind": "watched", "minutes": 0},
        {"kind": "all", "of": []},
        {"kind": "chatted", "platform": "you'tube"},
        nested(5),
    ],
)
def test_a_definition_that_could_mean_something_else_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Definition.model_validate({"where": where})
    with pytest.raises(BadInput):
        read_definition({"v": 1, "where": where})


async def test_lifetimes_begin_with_the_first_channel_and_only_the_old_enough_count(
    db: Database, clock: SetClock
) -> None:
    shop = await house(db, clock())
    crowd, now = Crowd(shop), clock()

    def person(days: int, group: str | None, *, own: bool = False) -> UUID:
        """First seen so many days ago by a channel."""
        customer, at = crowd.customer(now), now - timedelta(days=days)
        if group:
            touch = Touch(
                **crowd.own, visitor_id=uuid4().hex, customer_id=customer, channel_group=group, at=at
            )
            crowd.rows.append(touch)
        if own:
            crowd.handle(customer, "email", "own", at + timedelta(hours=1))
        return customer

    loyal = person(200, "Organic Video", own=True)
    for after in (1, 40, 100, 190):
        crowd.buys(minor=1000, customer=loyal, at=now - timedelta(days=200 - after))
    person(100, "Organic Video")
    fresh = person(10, "Organic Video")
    crowd.buys(minor=5000, customer=fresh, at=now - timedelta(days=9))
    person(100, "Email")
    tok = person(50, None)
    crowd.buys(minor=700, customer=tok, at=now - timedelta(days=50), channel="tiktok_shop")
    await put(db, crowd.rows)
    async with db.session() as session:
        found: Lifetime = await lifetime(session, shop.brand_id, now, "EUR")

    worth = {row.first_channel: row for row in found.worth}
    video = worth["Organic Video"]
    assert (video.people, video.people_30, video.people_90, video.people_180) == (3, 2, 2, 1)
    assert (video.ltv_30_minor, video.ltv_90_minor, video.ltv_180_minor) == (500, 1000, 3000)
    assert (worth["Email"].ltv_90_minor, worth["Email"].ltv_180_minor) == (0, None)
    assert worth["tiktok_shop"].ltv_30_minor == 700
    assert video.small
    met = {row.channel: row for row in found.migration}
    assert (met[None].social_first, met[None].migrated) == (4, 2)
    organic = met["Organic Video"]
    assert (organic.social_first, organic.identified_later, organic.bought_own_later) == (3, 1, 2)
    assert met["tiktok_shop"].migrated == 0
