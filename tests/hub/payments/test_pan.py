"""Card numbers are nowhere, though buyers type them everywhere: not in the database, sealed or not, in news,
files, logs or answers; and one that was planted is found.

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
from typing import Any
from uuid import uuid4

import httpx
import nats
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nats.aio.msg import Msg

from connectors.types import Money
from hub.bus import Event
from hub.engines.postgres import binaries
from hub.errors import BadInput
from hub.payments.out import PaymentChoice
from hub.payments.pan import RANGES, Found, find_pans, is_article, luhn, refuse_card, without_cards
from hub.privacy.search import FOLDERS, every_table, parts_of
from hub.secrets import Vault
from hub.settings import secrets_of
from tests.hub.market import Market, Trade
from tests.hub.platforms import until
from tests.hub.site import Client, no_authorities, watch

CARD = "4000002760003184"
"""A test card whose bank asks the buyer: the longest way a purchase can go."""
SPACED = "4242 4242 4242 4242"


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


async def typed_everywhere(market: Market, client: Client, order_id: str) -> None:
    """A card number wherever a buyer can type: it is refused with a sentence, or nobody gets to see it."""
    home = {"line1": f"Way {SPACED}", "city": "Berlin", "postcode": "10115", "country": "DE"}
    order = {"hold_id": str(uuid4()), "email": "ana@example.com", "name": "Ana"}
    say = {"show": market.shop.slug, "text": f"my card is {SPACED}", "name": "Ana"}
    refused: list[tuple[str, Any]] = [
        ("orders", order | {"payment": {"source": CARD}}),
        ("orders", order | {"name": f"Ana {CARD}"}),
        ("orders", order | {"address": home}),
        (f"orders/{order_id}/withdrawal", {"key": uuid4().hex, "name": SPACED}),
        ("messages", say | {"name": SPACED}),
    ]
    for path, body in refused:
        answer = await client.call("POST", f"/api/v1/public/{path}", body, ok=422)
        assert answer["code"] == "card_number", path
    market.clock.tick(3)  # one message every two seconds
    message = await client.call("POST", "/api/v1/public/messages", say, ok=201)
    assert message["text"] == "my card is •••• 4242"
    mine = f"/api/v1/public/orders/{order_id}"
    [line] = (await client.call("GET", f"{mine}/after"))["lines"]
    back: dict[str, Any] = {"key": uuid4().hex, "lines": [{"line_id": line["id"], "quantity": 1}]}
    back |= {"reason": f"Pay it to {CARD}.", "note": SPACED}
    await client.call("POST", f"{mine}/returns", back, ok=201)
    [row] = await market.sql("SELECT reason, note FROM return_request")
    assert (row["reason"], row["note"]) == ("Pay it to •••• 3184.", "•••• 4242")


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
        await typed_everywhere(market, client, order_id)
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

        # The chat has one after all; a webhook too, and a seal, a letter, and the news.
        await market.sql("UPDATE message SET text = :text", text=f"my card is {SPACED}")
        await market.hub.bus.publish(
            Event(show_id=market.shop.show_id, kind="message.added", data={"text": SPACED})
        )
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
    assume(not is_article(number))
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


PEOPLE_WRITE = (
    (SPACED, "•••• 4242"),
    ("4242-4242-4242-4242 12/29 123", "•••• 4242 12/29 123"),
    ("card:4242.4242.4242.4242/12", "card:•••• 4242/12"),
    ("visa4242  4242  4242\u00a04242!", "visa•••• 4242!"),
    ("3782 822463 10005, not 6011 1111 1111 1117", "•••• 0005, not •••• 1117"),
    ("4242\u200b4242\u200b4242\u200b4242", "•••• 4242"),
    ("12 5555555555554444 5555555555554444", "12 •••• 4444 •••• 4444"),
)
STAYS = (
    *("36 38 40 42 44 46 48 50?", "49.90 59.90 39.90 29.90", "+49 1512 3456789 12", "4006381333931"),
    *("DE89 3704 0044 0532 0130 00", "1764100000000", "https://shop.example/4242424242424242"),
    *("4242 4242 4242 4243", "sold 12 x2"),
)
"""Sizes, prices, a telephone, an article, an account, a time, a link, a wrong number and a claim."""


def test_what_people_type_keeps_all_but_its_card_numbers() -> None:
    for typed, seen in PEOPLE_WRITE:
        assert without_cards(typed) == seen
        with pytest.raises(BadInput, match="payment form"):
            refuse_card(typed)
    for typed in STAYS:
        assert without_cards(typed) == refuse_card(typed) == typed


PIECES = st.one_of(
    st.sampled_from([SPACED, CARD, "378282246310005", "3782 822463 10005", "4242", "5555 5555", "6"]),
    st.sampled_from(["+", "x", " ", "-", ".", "/", "https://", ", ", "\n"]),
    st.text(max_size=4),
    st.text(string.digits, max_size=20),
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_is_left_that_the_search_would_find_and_once_is_enough(text: str) -> None:
    left = without_cards(text)
    assert not [*find_pans(left)]
    assert without_cards(left) == left


def test_a_card_number_is_no_payment_source_and_a_token_is() -> None:
    for source in (CARD, SPACED, json.dumps({"number": CARD, "cvc": "123"})):
        with pytest.raises(BadInput, match="Never send card numbers here"):
            PaymentChoice(source=source)
    for source in ("pm_card_visa", "cnon:card-nonce-ok", '{"encryptedCardNumber": "test_4111111111111111"}'):
        assert PaymentChoice(source=source).source == source
