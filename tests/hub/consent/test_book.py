"""What people agreed to: the most restrictive of the newest choices of all their nodes; and GPC."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from hub.consent.book import Allowed, Purpose, Source
from hub.consent.models import ConsentChoice
from hub.customers.models import Customer
from hub.services import Services
from hub.visits.models import Touch
from tests.hub.shop import SetClock, Shop, open_shop


@dataclass
class People:
    """Persons of one brand and their browsers, by short names."""

    shop: Shop
    clock: SetClock
    customers: dict[str, UUID]

    async def person(self, name: str, *browsers: str) -> UUID:
        customer = Customer(brand_id=self.shop.brand_id, name=name)
        self.customers[name] = customer.id
        async with self.shop.hub.db.session() as session:
            session.add(customer)
            await session.flush()
            for visitor_id in browsers:
                session.add(
                    Touch(brand_id=self.shop.brand_id, visitor_id=visitor_id, customer_id=customer.id)
                )
        return customer.id

    async def says(
        self,
        browser: str | None,
        person: str | None = None,
        *,
        gpc: bool = False,
        source: Source = "banner",
        **said: bool,
    ) -> None:
        self.clock.tick(60)
        choices: dict[Purpose, bool] = {purpose: said[purpose] for purpose in said}  # type: ignore[misc]  # keywords are plain text
        async with self.shop.hub.db.session() as session:
            await self.shop.hub.consent_book.note(
                session,
                self.shop.brand_id,
                choices,
                source=source,
                visitor_id=browser,
                customer_id=self.customers[person] if person else None,
                gpc=gpc,
            )

    async def sends_gpc(self, browser: str, person: str | None = None) -> None:
        self.clock.tick(60)
        customer = self.customers[person] if person else None
        async with self.shop.hub.db.session() as session:
            await self.shop.hub.consent_book.heard_gpc(session, self.shop.brand_id, browser, customer)

    async def allowed(self, browser: str | None = None, person: str | None = None) -> str:
        """Which of analytics, ads, email, gpc: by their letters."""
        async with self.shop.hub.db.session() as session:
            found: Allowed = await self.shop.hub.consent_book.of(
                *(session, self.shop.brand_id), browser, self.customers[person] if person else None
            )
        flags = {"n": found.analytics, "a": found.ads, "e": found.email, "g": found.gpc}
        return "".join(letter for letter, on in flags.items() if on)

    async def rows(self) -> list[ConsentChoice]:
        async with self.shop.hub.db.session() as session:
            return [*await session.exec(select(ConsentChoice).order_by(col(ConsentChoice.at)))]


@pytest.fixture
def people(shop: Shop, clock: SetClock) -> People:
    return People(shop, clock, {})


async def test_nothing_is_allowed_until_somebody_says_yes_and_the_newest_counts(people: People) -> None:
    assert await people.allowed("phone") == ""
    await people.says("phone", analytics=True, ads=True)
    assert await people.allowed("phone") == "na"
    await people.says("phone", ads=False)
    assert await people.allowed("phone") == "n"
    await people.says("phone", analytics=False)
    assert await people.allowed("phone") == ""
    assert await people.allowed("tablet") == ""
    assert len(await people.rows()) == 4  # nothing is written over


async def test_the_most_restrictive_of_all_a_persons_nodes_counts(people: People) -> None:
    await people.person("ana", "phone", "laptop")
    await people.says("phone", analytics=True, ads=True)
    await people.says(None, "ana", email=True, source="checkout")
    assert await people.allowed(person="ana") == "nae"
    await people.says("laptop", analytics=True, ads=False)
    for node in (("phone", None), ("laptop", None), (None, "ana"), ("phone", "ana"), ("new", "ana")):
        assert await people.allowed(*node) == "ne"
    await people.says(None, "ana", email=False, source="staff")
    await people.says("laptop", ads=True)
    assert await people.allowed(person="ana") == "na"


async def test_who_was_merged_is_asked_too_and_after_a_split_no_more(hub: Services, people: People) -> None:
    kept, merged = await people.person("ana", "phone"), await people.person("ana again", "laptop")
    await people.says("phone", "ana", analytics=True)
    await people.says("laptop", "ana again", analytics=False)
    assert await people.allowed(person="ana") == "n"

    async def into(other: UUID | None) -> None:
        async with hub.db.session() as session:
            row = await session.get(Customer, merged)
            assert row
            row.merged_into = other

    await into(kept)
    assert (await people.allowed(person="ana"), await people.allowed("phone")) == ("", "")
    await into(None)
    assert await people.allowed(person="ana") == "n"


async def test_gpc_is_a_no_to_ads_for_the_browser_and_the_known_person(people: People) -> None:
    await people.person("ana", "phone", "laptop")
    await people.says("phone", "ana", analytics=True, ads=True)
    await people.sends_gpc("laptop", "ana")
    assert await people.allowed("laptop", "ana") == "ng"
    assert await people.allowed("phone", "ana") == "n"
    assert await people.allowed(person="ana") == "ng"
    for _ in range(3):
        await people.sends_gpc("laptop", "ana")
    assert len(await people.rows()) == 3
    # A yes in the browser that sends the signal is written down, and the signal wins there.
    await people.says("laptop", "ana", gpc=True, ads=True)
    assert await people.allowed("laptop", "ana") == "ng"
    assert await people.allowed("phone", "ana") == "na"
    # A no that was clicked there is no signal: it holds everywhere.
    await people.says("laptop", "ana", gpc=True, ads=False)
    assert await people.allowed("phone", "ana") == "n"
    # The signal was switched off, and yes said once more.
    await people.says("laptop", "ana", ads=True)
    assert await people.allowed("laptop", "ana") == "na"


async def test_another_browser_needs_its_persons_own_yes_after_the_signal(people: People) -> None:
    await people.person("ana", "phone", "laptop")
    await people.sends_gpc("laptop")
    await people.says("phone", ads=True)  # by whom, nobody knows
    assert await people.allowed("phone", "ana") == ""
    await people.says("phone", "ana", ads=True)
    assert (await people.allowed("phone", "ana"), await people.allowed("laptop", "ana")) == ("a", "g")


async def test_said_twice_within_a_day_is_said_once_and_brands_share_nothing(
    hub: Services, people: People
) -> None:
    for _ in range(3):
        await people.says("phone", analytics=True)
    people.clock.tick(24 * 3600)
    await people.says("phone", analytics=True)
    assert len(await people.rows()) == 2
    other = People(await open_shop(hub), people.clock, {})
    assert await other.allowed("phone") == ""


async def test_a_browser_with_a_new_id_has_said_what_it_said_under_the_old_one(
    hub: Services, people: People
) -> None:
    old, new = uuid4().hex, uuid4().hex
    await people.says(old, analytics=True, ads=False)
    async with hub.db.session() as session:
        await hub.consent_book.carry_over(session, people.shop.brand_id, old, new)
    assert await people.allowed(new) == "n"
    assert (await people.rows())[-1].proof == {"same_browser": True}
