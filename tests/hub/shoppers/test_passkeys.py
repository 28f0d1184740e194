"""Passkeys: registered by who is signed in, for signing in and for paying; never twice, never elsewhere."""

from __future__ import annotations

from typing import Any

from hub.shoppers.guard import COOKIE
from hub.shoppers.passkeys import named
from tests.hub.market import Buyer, Market
from tests.hub.shoppers.conftest import sign_in
from tests.hub.shoppers.device import Device

PATH = "/api/v1/public/passkeys"
ME = "/api/v1/public/me"


def device(market: Market) -> Device:
    return Device(named(market.hub.settings.site_url())[0])


async def registered(buyer: Buyer, phone: Device, ok: int = 204) -> Any:
    options = await buyer.http.call("POST", f"{PATH}/registration")
    return await buyer.http.call("POST", PATH, {"credential": phone.create(options)}, ok=ok)


async def question(buyer: Buyer) -> Any:
    return await buyer.http.call("POST", f"{PATH}/question")


async def answer(buyer: Buyer, credential: dict[str, Any], ok: int = 200) -> Any:
    return await buyer.http.call("POST", f"{PATH}/answer", {"credential": credential}, ok=ok)


async def test_a_passkey_signs_in_on_another_page_and_is_good_once(market: Market) -> None:
    buyer, phone = await market.viewer(), device(market)
    await buyer.http.call("POST", f"{PATH}/registration", ok=401)
    await sign_in(buyer)
    await registered(buyer, phone)
    assert (await registered(buyer, phone, ok=409))["code"] == "passkey_known"
    other = await market.viewer()
    signed = phone.get(await question(other))
    me = await answer(other, signed)
    assert (me["shopper"]["email"], me["shopper"]["passkeys"]) == ("ana@example.com", 1)
    assert other.http.http.cookies[COOKIE]
    again = await market.viewer()
    assert (await answer(again, signed, ok=401))["code"] == "passkey_late"
    assert (await again.http.call("GET", ME))["shopper"] is None


async def test_what_a_device_signed_elsewhere_late_or_without_a_finger_is_refused(market: Market) -> None:
    buyer, phone = await market.viewer(), device(market)
    await sign_in(buyer)
    await registered(buyer, phone)
    guest = await market.viewer()
    phone.origin = "https://phisher.example"
    assert (await answer(guest, phone.get(await question(guest)), ok=401))["code"] == "passkey_refused"
    phone.origin = device(market).origin
    phone.verified = False
    await answer(guest, phone.get(await question(guest)), ok=401)
    phone.verified = True
    late = phone.get(await question(guest))
    market.clock.tick(301)
    await answer(guest, late, ok=401)
    stranger = device(market)
    assert (await answer(guest, stranger.get(await question(guest)), ok=401))["code"] == "passkey_unknown"
    phone.count = 0  # a copy of the key counts anew
    await answer(guest, phone.get(await question(guest)), ok=200)
    phone.count = 0
    await answer(await market.viewer(), phone.get(await question(guest)), ok=401)
    for nonsense in ({}, {"id": 7, "response": {"clientDataJSON": "e30"}}, {"response": "x" * 30_000}):
        await answer(await market.viewer(), nonsense, ok=422)
    forged = phone.get(await question(await market.viewer()))
    forged["response"]["signature"] = forged["response"]["clientDataJSON"]
    await answer(await market.viewer(), forged, ok=401)


async def test_a_new_device_and_a_large_order_ask_for_proof(market: Market) -> None:
    hub, buyer, phone = market.hub, await market.viewer(), device(market)

    async def shopper(one: Buyer) -> Any:
        async with hub.db.session() as session:
            return await hub.shoppers.who(session, market.shop.brand_id, one.http.http.cookies[COOKIE])

    await sign_in(buyer)
    above = 20_000
    assert not hub.shoppers.needs_proof(await shopper(buyer), above, above)  # the code was just entered
    market.clock.tick(601)
    assert hub.shoppers.needs_proof(await shopper(buyer), above, above)
    assert not hub.shoppers.needs_proof(await shopper(buyer), above - 1, above)
    await registered(buyer, phone)
    assert not hub.shoppers.needs_proof(await shopper(buyer), above, above)
    # On another browser a code is not enough any more, whatever the amount.
    new = await market.viewer()
    await sign_in(new)
    assert hub.shoppers.needs_proof(await shopper(new), 1, above)
    # Somebody else's passkey proves nothing.
    stranger, theirs = await market.viewer(), device(market)
    await sign_in(stranger, "bo@example.com")
    await registered(stranger, theirs)
    await answer(new, theirs.get(await question(new)), ok=401)
    assert hub.shoppers.needs_proof(await shopper(new), 1, above)
    await answer(new, phone.get(await question(new)))
    assert not hub.shoppers.needs_proof(await shopper(new), above, above)
