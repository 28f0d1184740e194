"""Who may no longer hear a brand's news is hung up on within seconds, whatever their ticket says."""

from __future__ import annotations

import asyncio

import aiohttp

from hub.gateway.staff import LOOK_EVERY
from tests.hub.auth.test_roles import member
from tests.hub.gateway.screens import Gateways, Screen, screen
from tests.hub.market import Trade
from tests.hub.site import Client


async def ticket_of(client: Client, show_id: object) -> str:
    """As the studio's page gets it."""
    said = await client.call("GET", f"/api/v1/auth/gateway-ticket?show_id={show_id}")
    return str(said["ticket"])


async def hung_up(page: Screen) -> None:
    """Until the socket is closed."""
    async with asyncio.timeout(30):
        while not page.socket.closed:
            if (await page.socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                return


async def test_staff_who_are_removed_demoted_or_signed_out_are_hung_up_on_within_seconds(
    trade: Trade,
) -> None:
    market = await trade()
    show = market.shop.show_id
    owner = await market.owner()
    removed, demoted, gone = [await member(market, "producer") for _ in range(3)]
    people = [await ticket_of(one, show) for one in (owner, removed, demoted, gone)]
    ids = [(await one.call("GET", "/api/v1/auth/session"))["member"]["id"] for one in (removed, demoted)]
    gateway = Gateways(market.hub)
    await gateway.start()
    async with (
        screen(gateway.address, people[0]) as staying,
        screen(gateway.address, people[1]) as first,
        screen(gateway.address, people[2]) as second,
        screen(gateway.address, people[3]) as third,
    ):
        for page in (staying, first, second, third):
            await page.hears("hello")
        await owner.call("DELETE", f"/api/v1/members/{ids[0]}", ok=204)
        await owner.call("PATCH", f"/api/v1/members/{ids[1]}", {"role": "viewer"})
        await gone.call("DELETE", "/api/v1/auth/session", ok=204)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(hung_up(page) for page in (first, second, third)))
        # Two looks at most, and what a busy machine takes.
        assert loop.time() - began < 2 * LOOK_EVERY + 10
        await staying.socket.send_str('{"kind":"ping"}')
        await staying.hears("pong")
        # The ticket would be good for a minute: it opens the door, and the next look closes it.
        async with screen(gateway.address, people[1]) as back:
            await hung_up(back)
        await removed.call("GET", f"/api/v1/auth/gateway-ticket?show_id={show}", ok=401)
        fresh = await ticket_of(demoted, show)
        async with screen(gateway.address, fresh) as again:
            await again.hears("hello")
    await gateway.stop_all()
