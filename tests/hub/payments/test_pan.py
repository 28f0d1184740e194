"""Card numbers are nowhere: not in the database, the logs or an answer; and a planted one is found."""

from __future__ import annotations

import asyncio
import json
import os
import string
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.types import Money
from hub.engines.postgres import binaries
from hub.payments.pan import RANGES, find_pans, luhn
from tests.hub.market import Market, Trade
from tests.hub.site import Client, no_authorities, watch

CARD = "4000002760003184"
"""A test card whose bank asks the buyer: the longest way a purchase can go."""


async def dumped(market: Market) -> str:
    """The whole database as text; what is stored as bytes too."""
    options = {**os.environ, "PGOPTIONS": "-c bytea_output=escape"}
    url = market.hub.db.url
    program = [str(binaries() / "pg_dump"), "--data-only", "--no-owner", url]
    child = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE, env=options)
    out, _ = await child.communicate()
    assert child.returncode == 0
    return out.decode(errors="replace")


def listened(client: Client) -> list[str]:
    """Every request and answer of a browser from now on, headers and all."""
    heard: list[str] = []

    async def hear(response: httpx.Response) -> None:
        await response.aread()
        heard.extend([str(response.request.url), str(response.headers), response.text])

    client.http.event_hooks["response"].append(hear)
    return heard


async def test_a_whole_purchase_leaves_no_card_number_anywhere_and_a_planted_one_is_found(
    trade: Trade, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    market = await trade("stripe", units=3)
    client, _ = await watch(market.origin, market.shop.slug)
    heard = listened(client)
    key = {"show": market.shop.slug, "variant_id": str(market.shop.variant_id), "key": uuid4().hex}
    hold = await client.call("POST", "/api/v1/public/holds", key, ok=201)
    async with market.hub.db.session() as session:
        price = Money(amount=4900, currency="EUR")
        form = await market.hub.payments.form(session, market.shop.brand_id, price, None)
    # What the gateway's own fields do in the buyer's browser, in a frame of the gateway's origin.
    async with httpx.AsyncClient(verify=no_authorities()) as frame:
        typed = {"type": "card", "card[number]": CARD}
        bearer = {"Authorization": f"Bearer {form.public['publishable_key']}"}
        address = f"{market.fakes['stripe'].base_url}v1/payment_methods"
        token = (await frame.post(address, data=typed, headers=bearer)).json()["id"]
    body = {"hold_id": hold["hold_id"], "email": "ana@example.com", "name": "Ana"}
    paying = {"source": token, "gateway": str(form.connection_id), "save": True}
    order = await client.call("POST", "/api/v1/public/orders", {**body, "payment": paying}, ok=202)
    await market.work()
    [intent] = await market.intents()
    answer = await market.fakes["stripe"].control("act", {"ref": intent["ref"], "ok": True})
    path = f"/api/v1/public/orders/{order['order_id']}"
    await client.call("POST", f"{path}/confirmation", answer, ok=202)
    await market.arrived("stripe")
    assert (await client.call("GET", path))["state"] == "paid"
    owner = await market.owner()
    heard += listened(owner)
    for page in ("/api/v1/payments/gateways", "/api/v1/payments/troubles", "/metrics"):
        heard.append((await owner.http.get(page)).text)
    written = capsys.readouterr()
    logs = written.out + written.err + caplog.text
    dump = await dumped(market)
    assert order["order_id"] in dump
    for text in (dump, logs, json.dumps(heard)):
        assert list(find_pans(text)) == []
    assert CARD not in dump + logs + json.dumps(heard)

    # Somebody types a card number into the chat; another gateway's webhook has one in its body.
    say = {"show": market.shop.slug, "text": "my card is 4242 4242 4242 4242", "name": "Ana"}
    await client.call("POST", "/api/v1/public/messages", say, ok=201)
    await market.sql("UPDATE webhook_event SET body = :body", body=f'{{"number": "{CARD}"}}'.encode())
    found = {one.masked for one in find_pans(await dumped(market))}
    assert found == {"424242…4242", "400000…3184"}


def checked(digits: str) -> str:
    """With the check digit that makes it a card number."""
    return next(digits + last for last in string.digits if luhn(digits + last))


@given(st.sampled_from(RANGES), st.data())
def test_every_networks_numbers_are_found_however_they_are_written(
    network: tuple[str, int, int, tuple[int, ...]], data: st.DataObject
) -> None:
    name, first, last, lengths = network
    length = data.draw(st.sampled_from(lengths))
    begin = str(data.draw(st.integers(first, last)))
    rest = data.draw(
        st.text(string.digits, min_size=length - 1 - len(begin), max_size=length - 1 - len(begin))
    )
    number = checked(begin + rest)
    spaced = " ".join(number[at : at + 4] for at in range(0, 16, 4)) if length == 16 else number
    for text in (number, f'"{number}"', f"\t{number}\n", f"card: {number},", spaced):
        [found] = find_pans(text)
        assert (found.network, found.masked) == (name, f"{number[:6]}…{number[-4:]}")
    # One digit off is another number, and no card's.
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert list(find_pans(wrong)) == []


@given(st.uuids(), st.integers(0, 2**63), st.binary(max_size=40))
def test_ids_times_and_tokens_are_no_card_numbers(one: object, number: int, blob: bytes) -> None:
    texts = (str(one), blob.hex(), f"pi_{number}", f"{number}.5", f"0x{number:x}", f"1{number % 10**12:012}")
    assert [found for text in texts for found in find_pans(text)] == []
