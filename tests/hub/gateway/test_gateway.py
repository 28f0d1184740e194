"""The gateway on real sockets: NATS in, WebSocket out."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from hub.bus import Event
from hub.gateway.door import Door
from hub.gateway.screen import MOST_SAID, TOO_FAR_BEHIND
from hub.services import Services
from tests.hub.gateway.screens import Gateways, Screen, say, screen, ticket
from tests.hub.shop import Shop


@pytest.fixture
async def gateway(hub: Services) -> AsyncIterator[Gateways]:
    """One that runs."""
    gateways = Gateways(hub)
    await gateways.start()
    yield gateways
    await gateways.stop_all()


async def test_a_message_reaches_viewers_and_staff_and_a_hold_changes_the_stock(
    hub: Services, shop: Shop, gateway: Gateways
) -> None:
    viewer = hub.tokens.viewer(shop.viewer())
    async with (
        screen(gateway.address, viewer) as page,
        screen(gateway.address, ticket(hub, shop)) as studio,
    ):
        await page.hears("hello")
        await studio.hears("hello")
        await say(hub, shop, "hello")
        for one in (page, studio):
            assert (await one.hears("message.added"))["data"]["text"] == "hello"
        await shop.hold()
        assert (await page.hears("stock.changed"))["data"]["available"] == 49
        await page.socket.send_str('{"kind":"ping"}')
        await page.hears("pong")


async def test_screens_that_inflate_are_sent_less_and_hear_the_same(
    hub: Services, shop: Shop, gateway: Gateways
) -> None:
    token, words = hub.tokens.viewer(shop.viewer()), "is the blue one still there? " * 60
    async with screen(gateway.address, token, compress=15) as small, screen(gateway.address, token) as plain:
        for one in (small, plain):
            await one.hears("hello")
        await say(hub, shop, words[:100])
        for one in (small, plain):
            await one.hears("message.added")
        before = (await gateway.figures())["bytes_total"]
        event = Event(show_id=shop.show_id, kind="message.added", data={"text": words})
        await hub.bus.publish(event)
        for one in (small, plain):
            assert (await one.hears("message.added"))["data"]["text"] == words
        sent = (await gateway.figures())["bytes_total"] - before
        assert len(words) < sent < 1.5 * len(words)


async def test_a_reconnecting_screen_misses_nothing(hub: Services, shop: Shop, gateway: Gateways) -> None:
    token = hub.tokens.viewer(shop.viewer())
    async with screen(gateway.address, token) as staying:
        seen = (await staying.hears("hello"))["data"]["seq"]
        for words in ("one", "two"):
            await say(hub, shop, words)
        await staying.hears("message.added")
        async with screen(gateway.address, token, str(seen)) as back:
            assert (await back.hears("message.added"))["data"]["text"] == "one"
            assert (await back.hears("message.added"))["data"]["text"] == "two"


@pytest.mark.parametrize("token", ["", "forged.token.here"])
async def test_nobody_gets_in_without_a_token(gateway: Gateways, token: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with screen(gateway.address, token):
            pass
    assert refused.value.status == 401
    assert (await gateway.figures())["refused_token_total"] == 1


async def test_several_on_one_port_count_together_and_answer_for_each_other(
    hub: Services, shop: Shop
) -> None:
    gateways = Gateways(hub, processes=2)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(gateways.stop_all)
        await gateways.start()
        await gateways.start()
        screens: list[Screen] = []
        for _ in range(24):  # the kernel deals them out; hardly ever all to the same
            token = hub.tokens.viewer(shop.viewer())
            screens.append(await stack.enter_async_context(screen(gateways.address, token)))
        studio = await stack.enter_async_context(screen(gateways.address, ticket(hub, shop)))
        for one in (*screens, studio):
            while (await one.hears("viewers.changed"))["data"]["count"] != 24:
                pass
        await gateways.figures_become(viewers=24, staff=1, rooms=2)
        await gateways.stop()
        await say(hub, shop, "who is still here?")
        gone = sum([await said_goodbye(one) for one in screens])
        assert 0 < gone < 24
        await gateways.figures_become(viewers=24 - gone)


async def said_goodbye(one: Screen) -> bool:
    """Whether its gateway sent it away, and said when to come back; the others hear what is said."""
    goodbye = None
    async with asyncio.timeout(20):
        while True:
            message = await one.socket.receive()
            if message.type != aiohttp.WSMsgType.TEXT:
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)  # service restart
                assert goodbye is not None
                assert 500 <= goodbye["data"]["within_ms"] <= 600
                return True
            for event in json.loads(message.data):
                if event["kind"] == "message.added":
                    return False
                goodbye = event if event["kind"] == "closing" else goodbye


async def test_too_many_are_refused_from_one_address_and_altogether(hub: Services, shop: Shop) -> None:
    gateways = Gateways(hub, door=Door(most=3, proxies="127.0.0.1", each=1))
    await gateways.start()
    token = hub.tokens.viewer(shop.viewer())
    by_proxy = {"X-Forwarded-For": "198.51.100.7"}
    async with (
        screen(gateways.address, token, headers=by_proxy) as first,
        screen(gateways.address, token, headers=by_proxy) as second,
        screen(gateways.address, token) as third,
        screen(gateways.address, token) as fourth,
    ):
        await first.hears("hello")
        assert (await second.socket.receive()).data == aiohttp.WSCloseCode.TRY_AGAIN_LATER
        await third.hears("hello")
        await fourth.hears("hello")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with screen(gateways.address, token):
                pass
        assert refused.value.status == 503
        await gateways.figures_become(refused_address_total=1, refused_full_total=1, viewers=3)
        for _ in range(MOST_SAID + 1):
            await fourth.socket.send_str('{"kind":"ping"}')
        await gateways.figures_become(closed_noisy_total=1, viewers=2)
    await gateways.figures_become(viewers=0)
    await gateways.stop_all()


async def test_a_screen_that_reads_nothing_costs_little_and_is_told_of_a_gap(
    hub: Services, shop: Shop, gateway: Gateways
) -> None:
    quick_token, slow_token = (hub.tokens.viewer(shop.viewer()) for _ in range(2))
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", gateway.port))
        request = (
            f"GET /ws?token={slow_token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await loop.sock_sendall(slow, request.encode())
        async with screen(gateway.address, quick_token) as quick:
            await quick.hears("hello")
            await gateway.figures_become(viewers=2)
            number = 0
            while (await gateway.figures())["dropped_frames_total"] < 3:
                number += 1
                words = {"number": number, "text": "x" * (TOO_FAR_BEHIND // 2)}
                await hub.bus.publish(Event(show_id=shop.show_id, kind="words.said", data=words))
                assert (await quick.hears("words.said"))["data"]["number"] == number
            found = await gateway.figures()
            assert (found["behind"], found["snapshots_asked_total"]) == (1, 0)
            taken = b""
            async with asyncio.timeout(20):
                while b'{"kind":"gap"' not in taken:
                    taken = taken[-100:] + await loop.sock_recv(slow, 1 << 16)
            await gateway.figures_become(behind=0, snapshots_asked_total=1)
