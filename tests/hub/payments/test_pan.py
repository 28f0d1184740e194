"""Card numbers are nowhere: not in the database, sealed or not, in news, files, logs or answers; and one that
was planted is found.

Webhooks are looked at as they were stored, byte for byte. There are no traces to look at: nothing here sends
any, and no dependency does by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import nats
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg

from connectors.types import Money
from hub.engines.postgres import binaries
from hub.payments.pan import RANGES, Found, find_pans, luhn
from hub.privacy.search import FOLDERS, every_table, parts_of
from hub.secrets import Vault
from hub.settings import secrets_of
from tests.hub.market import Market, Trade
from tests.hub.platforms import until
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


@asynccontextmanager
async def overheard(market: Market) -> AsyncIterator[list[str]]:
    """Every message that goes through NATS from now on: news for screens, viewers' events and facts."""
    heard: list[str] = []

    async def hear(message: Msg) -> None:
        heard.append(message.data.decode(errors="replace"))

    client = await nats.connect(market.hub.settings.nats_url or "")
    await client.subscribe(">", cb=hear)
    await client.flush()
    yield heard
    await client.close()


async def opened(market: Market) -> str:
    """Everything that is sealed in the database, opened."""
    vault, found = Vault(secrets_of(market.hub.settings).secret_key), []
    for table in every_table():
        for column in table.columns:
            if column.name.endswith("_sealed"):
                asked = f'SELECT "{column.name}" FROM "{table.name}" WHERE length("{column.name}") > 0'  # noqa: S608
                found += [vault.open(bytes(row[column.name])) for row in await market.sql(asked)]
    return "\n".join(found)


async def events(market: Market) -> str:
    """The files of events, after everything that happened was written into them."""
    import pyarrow.parquet as pq

    # Facts are copied some seconds behind what happens.
    market.clock.tick(10)
    await market.hub.events.copier.copy()
    await market.hub.events.sealer.seal()
    files = (market.hub.settings.data / "events" / str(market.shop.brand_id)).glob("*/*.parquet")
    return "\n".join(json.dumps(pq.read_table(path).to_pylist(), default=str) for path in files)


def letters(market: Market) -> str:
    """What was written to people, and what waits to be downloaded, in whatever way it is packed."""
    files = [path for folder in FOLDERS for path in (market.hub.settings.data / folder).glob("*")]
    return "\n".join(part for path in files for part in parts_of(path))


async def kept(market: Market) -> dict[str, str]:
    """All that stays, by where."""
    return {
        "database": await dumped(market),
        "sealed": await opened(market),
        "events": await events(market),
        "letters": letters(market),
    }


async def told_of(news: list[str]) -> list[Found]:
    """Card numbers in the news so far."""
    return [*find_pans("\n".join(news))]


async def bought_with_a_card(market: Market, client: Client) -> str:
    """The longest way a purchase can go, until it is paid; the order's id."""
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
    return str(order["order_id"])


async def test_a_whole_purchase_leaves_no_card_number_anywhere_and_a_planted_one_is_found(
    trade: Trade, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    market = await trade("stripe", units=3)
    client, _ = await watch(market.origin, market.shop.slug)
    answers = listened(client)
    async with overheard(market) as news:
        order_id = await bought_with_a_card(market, client)
        owner = await market.owner()
        answers += listened(owner)
        for page in ("/api/v1/payments/gateways", "/api/v1/payments/troubles", "/metrics"):
            answers.append((await owner.http.get(page)).text)
        written = capsys.readouterr()
        places = {
            "answers": json.dumps(answers),
            "logs": written.out + written.err + caplog.text,
            **await kept(market),
            "news": "\n".join(news),
        }
        for where, text in places.items():
            assert ([*find_pans(text)], CARD in text) == ([], False), where
        # Every place was looked at with the purchase in it.
        for where in ("answers", "database", "events", "news"):
            assert order_id in places[where], where
        assert "ana@example.com" in places["sealed"]
        assert "ana@example.com" in places["letters"]

        # Somebody types a card number into the chat; a webhook has one, and a seal, and a letter.
        say = {"show": market.shop.slug, "text": "my card is 4242 4242 4242 4242", "name": "Ana"}
        await client.call("POST", "/api/v1/public/messages", say, ok=201)
        await market.sql("UPDATE webhook_event SET body = :body", body=f'{{"number": "{CARD}"}}'.encode())
        seal = Vault(secrets_of(market.hub.settings).secret_key).seal(f"card {CARD}")
        await market.sql("UPDATE orders SET address_sealed = :sealed", sealed=seal)
        (market.hub.settings.data / "mail" / "planted.eml").write_text(f"Subject: yours\n\n{CARD}\n")
        planted = await kept(market)
        await until(lambda: told_of(news))
    found = {where for where, text in planted.items() if [*find_pans(text)]}
    assert found == {"database", "sealed", "letters"}
    assert {one.masked for one in find_pans(planted["database"])} == {"424242…4242", "400000…3184"}


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
