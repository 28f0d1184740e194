"""Who takes a fresh visitor for each hold still comes from one place, and a place may hold so much unpaid."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import structlog.testing
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hub.app import services
from hub.errors import Conflict
from hub.secrets import Vault
from hub.stock.networks import Networks, place_of
from tests.hub.market import Buyer, Market, Trade, fronted
from tests.hub.site import watch
from tests.hub.stock.floor import Floor, another, outcomes

PATH = "/api/v1/public/holds"
HERE, THERE = "8.8.8.8", "9.9.9.9"
MOST = 6


@pytest.fixture
async def market(trade: Trade) -> Market:
    """A shop whose show lets six units be held from one address."""
    market = await trade(units=60)
    await market.sql("UPDATE show SET units_per_network = :most, units_per_buyer = 2", most=MOST)
    return market


async def fresh(
    market: Market, address: str, quantity: int = 1, *, origin: str = "", **headers: str
) -> httpx.Response:
    """Somebody nobody has seen before asks for a hold, by way of the proxy."""
    client, _ = await watch(origin or market.origin, market.shop.slug)
    body: dict[str, Any] = {"show": market.shop.slug, "variant_id": str(market.shop.variant_id)}
    body |= {"key": uuid4().hex, "quantity": quantity}
    answer = await client.http.post(PATH, json=body, headers={"X-Forwarded-For": address} | headers)
    # Whoever comes back with the answer keeps who they were.
    answer.extensions["client"] = client
    return answer


async def filled(market: Market, address: str = HERE) -> list[httpx.Response]:
    """As much as one address gets."""
    answers = [await fresh(market, address) for _ in range(MOST)]
    assert [one.status_code for one in answers] == [201] * MOST
    return answers


def refused(answer: httpx.Response) -> bool:
    """With the words there are for hoarders; or it was taken."""
    if answer.status_code == 201:
        return False
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "hoarding")
    assert 1 <= problem["retry_after"] <= 60
    return True


async def hashes(market: Market) -> int:
    """Rows that still say where somebody came from."""
    [row] = await market.sql(
        "SELECT (SELECT count(network_hash) FROM hold) + (SELECT count(network_hash) FROM waitlist) AS n"
    )
    return int(row["n"])


async def test_fresh_visitors_of_one_address_are_refused_from_the_limit_on(market: Market) -> None:
    await filled(market)
    assert refused(await fresh(market, HERE))
    assert not refused(await fresh(market, THERE))
    # Two are too many where one would be enough; what stands before the proxy's own word is nobody's word.
    assert [refused(await fresh(market, THERE, 2)) for _ in range(3)] == [False, False, True]
    assert refused(await fresh(market, f"{THERE}, {HERE}"))
    assert (await market.shop.stock())[1] == MOST + 5


async def test_every_way_a_request_may_take_meets_the_limit(market: Market) -> None:
    await filled(market)
    # Not read at the socket: the connection is to be closed, the header stands there twice.
    assert refused(await fresh(market, HERE, Connection="close"))
    client, _ = await watch(market.origin, market.shop.slug)
    line = {"quantity": 1, "key": uuid4().hex}
    where = {"X-Forwarded-For": HERE}
    cart = f"/api/v1/public/cart/lines/{market.shop.variant_id}"
    answer = await client.http.put(cart, json=line, headers=where)
    assert (answer.status_code, answer.json()["code"]) == (409, "hoarding")
    assert (await client.http.put(cart, json=line, headers={"X-Forwarded-For": THERE})).status_code == 200


async def test_a_hold_that_ends_gives_room_back_and_is_forgotten(market: Market) -> None:
    first, second, *_ = await filled(market)
    assert await hashes(market) == MOST
    hold = first.json()["hold_id"]
    assert (await first.extensions["client"].http.delete(f"{PATH}/{hold}")).status_code == 204
    assert await hashes(market) == MOST - 1
    assert not refused(await fresh(market, HERE))
    assert refused(await fresh(market, HERE))
    async with market.hub.db.session() as session:
        assert await market.hub.stock.commit_hold(session, UUID(second.json()["hold_id"]))
    assert not refused(await fresh(market, HERE))
    market.clock.tick(91)
    await market.sweep()
    assert await hashes(market) == 0
    await filled(market)


async def test_a_restart_of_the_api_forgets_nobody(market: Market) -> None:
    await filled(market)
    async with (
        services(market.hub.settings, {}, market.clock) as again,
        fronted(again) as origin,
    ):
        assert refused(await fresh(market, HERE, origin=origin))
        assert not refused(await fresh(market, THERE, origin=origin))


async def test_who_waits_behind_a_full_network_is_served_and_who_is_in_it_keeps_their_place(
    market: Market,
) -> None:
    await market.sql("UPDATE show SET units_per_network = 2")
    shop = market.shop
    others = [await shop.hold(quantity=2) for _ in range(29)]
    mine = [await fresh(market, HERE) for _ in range(2)]
    assert [one.status_code for one in mine] == [201, 201]
    where = {"show": shop.slug, "variant_id": str(shop.variant_id)}
    lines = []
    for address in (HERE, HERE, HERE, THERE):
        client, _ = await watch(market.origin, shop.slug)
        headers = {"X-Forwarded-For": address}
        assert (await client.http.post("/api/v1/public/waitlist", json=where, headers=headers)).is_success
        lines.append(client)

    async def states() -> list[str]:
        found = [(await client.http.get("/api/v1/public/waitlist")).json() for client in lines]
        return [one[0]["state"] if one else "gone" for one in found]

    async with market.hub.db.session() as session:
        await market.hub.stock.release_hold(session, others[0].hold_id)
    assert await market.hub.waitlist.offer_freed() == 1
    assert await states() == ["waiting", "waiting", "waiting", "offered"]
    # One of two units is free still, for whom there is no room yet; then a neighbour lets go of theirs.
    assert await market.hub.waitlist.offer_freed() == 0
    assert (await mine[0].extensions["client"].http.delete(f"{PATH}/{mine[0].json()['hold_id']}")).is_success
    assert await market.hub.waitlist.offer_freed() == 1
    assert await states() == ["offered", "waiting", "waiting", "offered"]


async def test_what_reserves_nothing_or_is_being_paid_does_not_count(floor: Floor) -> None:
    await floor.sql("UPDATE show SET units_per_network = 2, units_per_buyer = 2, hold_policy = 'first_paid'")
    soft = [await floor.hold(network=7) for _ in range(4)]
    await floor.sql("UPDATE show SET hold_policy = 'hold'")
    # Made firm at the payment step, which is a step towards paying: still not counted.
    async with floor.db.session() as session:
        assert await floor.stock.firm(session, [soft[0].hold_id], 90)
    for _ in range(2):
        await floor.hold(network=7)
    with pytest.raises(Conflict, match="from your network"):
        await floor.hold(network=7)
    # A price alone takes nothing away from anybody, so a full network gets it, too.
    await floor.sql("UPDATE show SET hold_policy = 'first_paid'")
    await floor.hold(network=7)


async def test_an_order_is_no_hoarding(trade: Trade) -> None:
    market = await trade("stripe", units=20)
    await market.sql("UPDATE show SET units_per_network = 2, units_per_buyer = 2")
    taken = await fresh(market, HERE, 2)
    assert refused(await fresh(market, HERE))
    buyer = Buyer(market, taken.extensions["client"], None)
    await buyer.order(taken.json())
    assert await market.states("orders") == {"authorising": 1}
    assert await hashes(market) == 0
    assert not refused(await fresh(market, HERE, 2))
    await market.arrived("stripe")


async def test_what_replaces_ones_own_is_reckoned_against_it(floor: Floor) -> None:
    await floor.sql("UPDATE show SET units_per_network = 4, units_per_buyer = 4")
    for _ in range(4):
        await floor.hold(network=7)
    with pytest.raises(Conflict, match="from your network"):
        await floor.hold(quantity=3, network=7, replaces=2)
    await floor.hold(quantity=2, network=7, replaces=2)
    with pytest.raises(Conflict, match="from your network"):
        await floor.hold(network=7)


async def test_a_full_network_is_said_once_for_each_show_and_hour(floor: Floor) -> None:
    await floor.sql("UPDATE show SET units_per_network = 2, units_per_buyer = 2")
    with structlog.testing.capture_logs() as logs:
        await outcomes([floor.reservations], [floor.wish(network=7) for _ in range(9)])
        floor.clock.tick(3599)
        await floor.expire()
        await outcomes([floor.reservations], [floor.wish(network=7) for _ in range(9)])
        said = [one for one in logs if one["event"] == "reserve.network_full"]
        assert [(one["show"], one["log_level"]) for one in said] == [(str(floor.show_id), "warning")]
        assert "SIMULCAST_TRUSTED_PROXIES" in said[0]["advice"]
        floor.clock.tick(1)
        await outcomes([floor.reservations], [floor.wish(network=7)])
    assert len([one for one in logs if one["event"] == "reserve.network_full"]) == 2


async def test_no_limit_and_nothing_kept_where_a_show_wants_none_or_the_address_is_a_proxys(
    market: Market,
) -> None:
    assert not any([refused(await fresh(market, "10.0.0.7")) for _ in range(MOST + 1)])
    await market.sql("UPDATE show SET units_per_network = 0")
    assert not any([refused(await fresh(market, HERE)) for _ in range(MOST + 1)])
    assert await hashes(market) == 0


async def test_a_single_buyer_gets_what_a_buyer_may_have(market: Market) -> None:
    await market.sql("UPDATE show SET units_per_network = 1, units_per_buyer = 5")
    assert not refused(await fresh(market, HERE, 5))
    assert refused(await fresh(market, HERE))


async def test_a_crowd_that_asks_at_once_gets_exactly_the_limit(floor: Floor) -> None:
    async with another(floor.db, floor.clock) as other:
        wishes = [floor.wish(network=n % 2) for n in range(100)]
        await floor.sql("UPDATE show SET units_per_network = 20")
        held, codes = await outcomes([floor.reservations, other], wishes)
    assert (len(held), codes) == (40, ["hoarding"] * 60)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("2a01:4f8:1:2:3:4:5:6", "2a01:4f8:1:2::/64"),
        ("2a01:4f8:1:2::1", "2a01:4f8:1:2::/64"),
        ("2a01:4f8:1:3::1", "2a01:4f8:1:3::/64"),
        ("192.168.1.4", None),
        ("127.0.0.1", None),
        ("fe80::1%eth0", None),
        ("fd00::1", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_a_place_is_an_address_or_a_64_and_never_a_private_one(address: str, place: str | None) -> None:
    assert place_of(address) == place


@given(address=st.ip_addresses(v=4))
def test_private_is_what_the_library_calls_private(address: IPv4Address) -> None:
    assert place_of(str(address)) == (str(address) if address.is_global else None)


@given(address=st.ip_addresses().map(str) | st.text(max_size=50))
def test_a_hash_is_a_databases_number_and_another_one_in_every_show(address: str) -> None:
    networks, one, two = Networks(Vault(SecretStr("key"))), uuid4(), uuid4()
    found = networks.of(one, address)
    assert found == networks.of(one, address)
    assert found is None or -(2**63) <= found < 2**63
    assert found is None or found != networks.of(two, address)
    assert found is None or found != Networks(Vault(SecretStr("other"))).of(one, address)
