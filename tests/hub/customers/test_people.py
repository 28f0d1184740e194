"""The studio's people: found, looked at, joined, parted, handed out as files; masked for some roles."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from hub.chat.models import Message
from hub.secrets import Vault
from hub.settings import secrets_of
from hub.visits.chats import MOST, ChatTouches, chunks
from tests.hub.auth.test_roles import member
from tests.hub.customers.test_customers import ANA, buys_from_us, visit
from tests.hub.market import SKU, Buyer, Market, Trade
from tests.hub.shoppers.conftest import sign_in
from tests.hub.site import Client

PEOPLE = "/api/v1/people"


@pytest.fixture
async def market(trade: Trade) -> Market:
    made = await trade("stripe", "shopify", "tiktok_shop", units=50)
    for name in ("shopify", "tiktok_shop"):
        await made.fill(name, 50)
    return made


async def buys(market: Market, shop: str, email: str, name: str = "Ana Lind") -> None:
    await market.fakes[shop].control("order", {"sku": SKU, "email": email, "name": name})
    await market.arrived(shop)


async def listed(owner: Client, **query: Any) -> list[Any]:
    found: list[Any] = (await owner.http.get(PEOPLE, params=query)).json()["people"]
    return found


async def test_a_person_is_found_by_what_they_are_and_shown_with_all_they_did(market: Market) -> None:
    buyer = await market.viewer()
    await buys(market, "tiktok_shop", ANA)
    await visit(buyer, utm_source="tiktok")
    await buys_from_us(buyer, ANA)
    await buys(market, "shopify", "bo.berg@example.com", name="Bo Berg")
    owner = await market.owner()
    [bo, ana] = await listed(owner)
    assert (ana["name"], ana["orders"], ana["channels"]) == ("Ana Lind", 2, ["own", "tiktok_shop"])
    assert ana["revenue"] == [{"currency": "EUR", "minor": 9800}]
    assert (ana["hints"], ana["migrated"], bo["migrated"]) == (["a…@example.com"], True, False)
    for query, expected in (
        ({"words": "bo ber"}, [bo]),
        ({"words": f" {ANA.upper()}"}, [ana]),
        ({"words": "ana.lind@"}, []),
        ({"channel": "shopify"}, [bo]),
        ({"migrated": True}, [ana]),
        ({"bought": False}, []),
        ({"member": True}, []),
        ({"suggested": True}, []),
        ({"limit": 1, "after": bo["id"]}, [ana]),
    ):
        assert await listed(owner, **query) == expected, query
    person = await owner.call("GET", f"{PEOPLE}/{ana['id']}")
    assert person["email"] == ANA.lower()
    assert {node["kind"] for node in person["nodes"]} == {"email", "platform_user", "visitor"}
    assert any("An order on TikTok Shop came with" in one["words"] for one in person["evidence"])
    seen = await pages(owner, f"{PEOPLE}/{ana['id']}/timeline")
    assert [one["kind"] for one in seen if one["kind"] in ("order", "hold", "visit")] == [
        *("order", "hold", "visit"),
        "order",
    ]
    times = [datetime.fromisoformat(one["at"]) for one in seen]
    assert sorted(times, reverse=True) == times
    assert len({one["id"] for one in seen}) == len(seen)
    await no_amounts_for_moderators(market, ana["id"], seen)
    await a_chat_is_a_touch(market, owner, ana["id"])


async def no_amounts_for_moderators(market: Market, ana: str, seen: list[Any]) -> None:
    """What they see is the same otherwise."""
    assert [one["facts"]["minor"] for one in seen if one["kind"] == "order"] == [4900, 4900]
    moderator = await member(market, "moderator")
    assert [one["revenue"] for one in await listed(moderator)] == [[], []]
    assert {one["revenue_minor"] for one in await moderator.call("GET", "/api/v1/customers")} == {None}
    masked = await pages(moderator, f"{PEOPLE}/{ana}/timeline")
    assert [one["id"] for one in masked] == [one["id"] for one in seen]
    assert not [one for one in masked if "minor" in one["facts"]]


async def a_chat_is_a_touch(market: Market, owner: Client, ana: str) -> None:
    """Known by an account, they wrote there: in this show before they were known, and once more since."""
    hub, shop, vault = market.hub, market.shop, Vault(secrets_of(market.hub.settings).secret_key)
    node = "SELECT value_sealed FROM identity WHERE kind = 'platform_user' AND customer_id = :ana"
    [row] = await market.sql(node, ana=UUID(ana))
    platform, _, account = vault.open(bytes(row["value_sealed"])).partition(":")

    async def writes(n: int, author: str) -> None:
        async with hub.db.session() as session:
            said = Message(
                brand_id=shop.brand_id,
                show_id=shop.show_id,
                seq=700 + n,
                platform=platform,
                external_id=f"m{n}",
                author_id=author,
                text="Mine!",
                received_at=market.clock(),
            )
            session.add(said)

    def first() -> ChatTouches:
        return ChatTouches(hub.db, hub.visits, vault, market.clock)

    await writes(1, account)
    await writes(2, "a stranger")
    assert [await first().sweep() for _ in range(2)] == [1, 0]
    await writes(3, account)
    assert await first().sweep() == 0  # one for each show
    # Nobody had told us who they are when they wrote: their account came later.
    await market.sql("DELETE FROM touch WHERE kind = 'chat'")
    await market.sql("UPDATE message SET received_at = received_at - interval '9 days'")
    sweeps = first()
    assert await sweeps.sweep() == 1
    await only_what_is_new_is_looked_at(market, sweeps)
    timeline = await pages(owner, f"{PEOPLE}/{ana}/timeline")
    [chat] = [one for one in timeline if one["kind"] == "chat"]
    assert (chat["facts"]["source"], chat["facts"]["medium"]) == (platform, "social")


async def only_what_is_new_is_looked_at(market: Market, sweeps: ChatTouches) -> None:
    """Neither accounts nor messages of before: which shows there are, what is new there, and who is."""
    market.clock.tick(1200)
    assert await sweeps.sweep() == 0
    market.clock.tick(1200)
    asked: list[str] = []
    assert market.hub.db._engine is not None
    engine = market.hub.db._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    assert await sweeps.sweep() == 0
    assert len(asked) == 3, asked
    assert [len(one) for one in chunks(range(2 * MOST + 1))] == [MOST, MOST, 1]


async def pages(owner: Client, path: str) -> list[Any]:
    """All of a timeline, two moments at a time."""
    found: list[Any] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await owner.http.get(path, params=params)).json()
        found += page["moments"]
        cursor = page["next"]
        if cursor is None:
            return found


async def test_staff_join_part_and_undo_with_reasons(market: Market) -> None:
    for name, email in (("Ana Lind", ANA), ("Bo Berg", "bo@example.com")):
        await buys(market, "tiktok_shop", email, name=name)
    owner = await market.owner()
    [bo, ana] = [one["id"] for one in await listed(owner)]
    await owner.call("POST", f"{PEOPLE}/merge", {"a": ana, "b": bo, "reason": " "}, ok=422)
    kept = await owner.call("POST", f"{PEOPLE}/merge", {"a": bo, "b": ana, "reason": "Same parcel."})
    assert kept == {"id": ana}
    person = await owner.call("GET", f"{PEOPLE}/{bo}")
    assert (person["id"], person["ids"]) == (ana, [ana, bo])
    [merged] = [one for one in person["changes"] if one["kind"] == "merged"]
    assert (merged["why"], merged["undoable"]) == ("Same parcel.", True)
    theirs = [node["id"] for node in person["nodes"] if node["name"] == "Bo Berg" or "b…" in node["hint"]]
    moves = await owner.call("POST", f"{PEOPLE}/{ana}/split/preview", {"nodes": theirs})
    assert (moves["orders"], moves["visits"]) == (1, 1)
    apart = await owner.call("POST", f"{PEOPLE}/{ana}/split", {"nodes": theirs, "reason": "Two people."})
    assert apart == {"id": bo}
    assert len(await listed(owner)) == 2
    everything = {"nodes": [node["id"] for node in person["nodes"]], "reason": "x"}
    await owner.call("POST", f"{PEOPLE}/{ana}/split", everything, ok=404)
    [split] = [
        one for one in (await owner.call("GET", f"{PEOPLE}/{ana}"))["changes"] if one["kind"] == "split"
    ]
    await owner.call("POST", f"{PEOPLE}/changes/{split['id']}/undo", {"reason": "They were right."})
    assert [one["id"] for one in await listed(owner)] == [ana]
    tie = next(
        one for one in (await owner.call("GET", f"{PEOPLE}/{ana}"))["evidence"] if one["kind"] == "order"
    )
    await owner.call("POST", f"{PEOPLE}/evidence/{tie['id']}/revoke", {"reason": "A gift."}, ok=204)
    person = await owner.call("GET", f"{PEOPLE}/{ana}")
    assert tie["id"] in [one["id"] for one in person["evidence"] if one["revoked_at"]]
    # One of the four handles stands alone now; it may be the one that the person is looked up by.
    assert len(person["nodes"]) in (1, 3)


async def test_suggestions_are_decided_once(market: Market) -> None:
    await buys(market, "shopify", ANA)
    await buys(market, "shopify", ANA)  # the shop calls them by another number now
    owner = await market.owner()
    [one] = await owner.call("GET", f"{PEOPLE}/suggestions")
    [reason] = one["reasons"]
    assert "both people already have an account on Shopify" in reason
    assert len(await listed(owner, suggested=True)) == 2
    kept = await owner.call("POST", f"{PEOPLE}/suggestions/{one['id']}/confirm", {})
    await owner.call("POST", f"{PEOPLE}/suggestions/{one['id']}/dismiss", {}, ok=409)
    [ana] = await listed(owner)
    assert (ana["id"], ana["orders"], ana["suggestions"]) == (kept["id"], 2, 0)


async def test_files_say_what_the_list_says_and_names_are_masked_for_moderators(market: Market) -> None:
    await buys(market, "shopify", ANA, name="=cmd|x Lind")
    owner = await market.owner()
    [row] = await listed(owner)
    said = (await owner.http.get(f"{PEOPLE}/export.json")).json()
    assert said == [row]
    [cells] = csv.DictReader(
        io.StringIO((await owner.http.get(f"{PEOPLE}/export.csv")).text.lstrip("\ufeff"))
    )
    assert (cells["name"], cells["revenue"], cells["handles"]) == (
        "'=cmd|x Lind",
        "49.00 EUR",
        "a…@example.com",
    )
    await market.sql("UPDATE member SET role = 'moderator'")
    [masked] = await listed(owner)
    person = await owner.call("GET", f"{PEOPLE}/{row['id']}")
    for shown in (masked, person, (await owner.http.get(f"{PEOPLE}/export.json")).json()):
        assert "lind" not in str(shown).lower()
    await owner.call("POST", f"{PEOPLE}/merge", {"a": row["id"], "b": row["id"], "reason": "x"}, ok=403)


async def test_who_signs_in_is_verified_and_keeps_their_membership_through_a_join(market: Market) -> None:
    buyer: Buyer = await market.viewer()
    await buys(market, "shopify", ANA)
    await sign_in(buyer, ANA)
    await buyer.http.call("PUT", "/api/v1/public/me/membership")
    owner = await market.owner()
    [row] = await listed(owner, member=True)
    assert (row["verified"], row["migrated"], row["orders"]) == (True, True, 1)
    await buys(market, "tiktok_shop", "bo@example.com")
    [bo] = [one for one in await listed(owner) if one["id"] != row["id"]]
    await owner.call("POST", f"{PEOPLE}/merge", {"a": bo["id"], "b": row["id"], "reason": "x"})
    [both] = await listed(owner, member=True)
    assert both["member_since"] == row["member_since"]
    me = await buyer.http.call("GET", "/api/v1/public/me")
    assert me["shopper"]["member_since"] == row["member_since"]
