"""Who is let in, for how long, and what a token opens."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from hub.auth.tokens import Ticket, Viewer
from hub.errors import SlowDown, Unauthorised
from hub.services import Services
from tests.hub.market import Market, Trade
from tests.hub.shop import SetClock, Shop
from tests.hub.site import Client


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade()


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(market: Market) -> None:
    email, password = f"{uuid4().hex}@example.com", uuid4().hex
    async with market.hub.db.session() as session:
        await market.hub.auth.add_member(session, market.shop.brand_id, email, password)
    body = {"email": f" {email.upper()} ", "password": password}
    answer = await Client(market.origin).http.post("/api/v1/auth/session", json=body)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    token = answer.cookies["simulcast_session"]
    assert token not in str(await market.sql("SELECT * FROM staff_session"))
    assert password not in answer.text


async def test_a_session_ends_after_two_weeks(market: Market) -> None:
    owner = await market.owner()
    market.clock.tick(14 * 86400 - 10)
    await owner.call("GET", "/api/v1/auth/session")
    market.clock.tick(11)
    await owner.call("GET", "/api/v1/auth/session", ok=401)


async def test_guesses_made_side_by_side_are_counted_too(hub: Services, shop: Shop) -> None:
    async def guess() -> str:
        try:
            async with hub.db.session() as session:
                await hub.auth.sign_in(session, "ana@example.com", "a wrong password")
        except (Unauthorised, SlowDown) as error:
            return error.code
        return "in"

    answers = await asyncio.gather(*(guess() for _ in range(15)))
    assert answers.count("sign_in_failed") == 10
    assert answers.count("too_many_attempts") == 5


async def test_waiting_opens_the_door_again(hub: Services, shop: Shop, clock: SetClock) -> None:
    async with hub.db.session() as session:
        await hub.auth.add_member(session, shop.brand_id, "ana@example.com", "the right password")

    async def enter(password: str) -> None:
        async with hub.db.session() as session:
            await hub.auth.sign_in(session, "ana@example.com", password)

    for _ in range(10):
        with pytest.raises(Unauthorised):
            await enter("a wrong password")
    with pytest.raises(SlowDown) as refused:
        await enter("the right password")
    wait = refused.value.extra["retry_after"]
    assert isinstance(wait, int)
    clock.tick(wait)
    await enter("the right password")


async def test_a_viewers_token_ends_after_a_day_and_a_ticket_after_a_minute(
    hub: Services, shop: Shop, clock: SetClock
) -> None:
    viewer = Viewer("ana", shop.show_id, shop.brand_id, shop.slug)
    token = hub.tokens.viewer(viewer)
    ticket = hub.tokens.ticket(Ticket(shop.brand_id, shop.show_id, shop.brand_id))
    clock.tick(59)
    assert hub.tokens.read_ticket(ticket).show_id == shop.show_id
    clock.tick(1)
    with pytest.raises(Unauthorised):
        hub.tokens.read_ticket(ticket)
    clock.tick(86400 - 61)
    assert hub.tokens.read_viewer(token) == viewer
    clock.tick(1)
    with pytest.raises(Unauthorised, match="open too long"):
        hub.tokens.read_viewer(token)


async def test_a_token_of_one_kind_opens_nothing_of_the_other(hub: Services, shop: Shop) -> None:
    ticket = hub.tokens.ticket(Ticket(shop.brand_id, shop.show_id, shop.brand_id))
    viewer = hub.tokens.viewer(shop.viewer())
    with pytest.raises(Unauthorised):
        hub.tokens.read_viewer(ticket)
    with pytest.raises(Unauthorised):
        hub.tokens.read_ticket(viewer)
