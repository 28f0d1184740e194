"""What is special about a feed: its many forms, its prices, and what a web server sends instead of it."""

from __future__ import annotations

import base64
import gzip
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import connectors.product_feed
from connectors.errors import Refused, RetryLater
from connectors.product_feed import CONNECTOR
from connectors.product_feed.catalog import FeedCatalog, unpacked
from connectors.product_feed.items import price_of, product_of
from connectors.product_feed.parse import items_of
from connectors.types import Money, Product
from tests.connectors.conftest import Rig, make_fake, reaching

SAMPLES = Path(connectors.product_feed.__file__).parent / "samples"
BOMB = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title></item></channel></rss>"""
OUTSIDE = b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/x.dtd"><rss><channel/></rss>'


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A feed as we reach it."""
    async with reaching(CONNECTOR, make_fake("product_feed")) as made:
        yield made


async def read(rig: Rig, **config: Any) -> list[Product]:
    changed = rig.session.config.model_copy(update=config)
    session = CONNECTOR.session(rig.session.http, changed, rig.addresses)
    return [product async for product in FeedCatalog(session).products()]


async def test_every_form_of_a_feed_says_the_same(rig: Rig) -> None:
    url = rig.session.config.url
    bag, blue, cap = await read(rig)
    assert (bag.listing.sku, bag.listing.product_id, bag.variant_title) == ("BAG-RED", "BAG", "Red")
    assert (bag.price, bag.quantity, blue.quantity) == (Money(amount=4900, currency="EUR"), 12, 0)
    assert (cap.title, cap.listing.product_id, cap.quantity) == ("Cap & scarf", "CAP", None)
    for form in ("atom", "csv", "tsv", "xml.gz"):
        assert await read(rig, url=url.replace("feed.xml", f"feed.{form}")) == [bag, blue, cap], form


async def test_the_address_keeps_its_key_to_itself(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await read(rig)
    key = rig.session.config.url.rpartition("=")[2]
    assert "feed.xml" in caplog.text
    assert key not in caplog.text


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"kind": "moved"}, Refused, "moved"),
        ({"kind": "page"}, Refused, "web page"),
        ({"kind": "cut"}, RetryLater, "reached"),
        ({"kind": "status", "status": 404}, Refused, "no feed for us"),
    ],
)
async def test_what_a_server_sends_instead_is_said(
    rig: Rig, fault: dict[str, Any], error: type[Exception], words: str
) -> None:
    await rig.ctl("fault", **fault)
    with pytest.raises(error, match=words):
        await read(rig)
    assert len(await read(rig)) == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (b"<rss><channel><item>", "no proper XML"),
        (b"<catalog><item/></catalog>", "no product feed"),
        (b"name;cost\nBag;1", "no product feed"),
        (b"id,title,price\n1,Bag,free\n", "No item of this feed"),
        (gzip.compress(b"<rss/>", mtime=0)[:-6] + b"broken", "damaged"),
    ],
)
async def test_what_is_no_feed_is_refused_in_words(rig: Rig, body: bytes, words: str) -> None:
    await rig.ctl("raw", base64=base64.b64encode(body).decode())
    with pytest.raises(Refused, match=words):
        await read(rig)


async def test_an_empty_feed_is_an_empty_catalogue(rig: Rig) -> None:
    await rig.ctl("catalog", items=[])
    assert await read(rig) == []


async def test_the_sku_may_be_in_another_field(rig: Rig) -> None:
    body = b"id,mpn,title,price\n77,BAG-RED,Bag,49.00 EUR\n78,,Cap,1.00 EUR\n"
    await rig.ctl("raw", base64=base64.b64encode(body).decode())
    [bag] = await read(rig, sku_field="mpn")
    assert (bag.listing.sku, bag.listing.variant_id) == ("BAG-RED", "77")


def test_documented_feeds_are_read() -> None:
    [tv] = items_of(json.loads((SAMPLES / "rss.json").read_text())["xml"].encode())
    found = product_of(tv, "id")
    assert found
    assert (found.price.decimal(), found.quantity, found.image_url) == (
        "499.99",
        None,
        "https://img.example.com/tv-1.png",
    )
    small, medium = items_of(json.loads((SAMPLES / "text.json").read_text())["text"].encode())
    assert [
        p and (p.variant_title, p.quantity) for p in (product_of(small, "id"), product_of(medium, "id"))
    ] == [
        ("Blue, S", 4),
        ("Blue, M", 0),
    ]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("15.00 USD", (1500, "USD")),
        ("USD 15", (1500, "USD")),
        ("15,00 EUR", (1500, "EUR")),
        ("1,299.00 USD", (129900, "USD")),
        ("1.299,00 EUR", (129900, "EUR")),
        ("1 299,00 EUR", (129900, "EUR")),
        ("1,299 USD", (129900, "USD")),
        ("1500 JPY", (1500, "JPY")),
        ("1.250 KWD", (1250, "KWD")),
        ("15.00", None),
        ("USD 15 EUR", None),
        ("-1.00 EUR", None),
        ("15.005.00 EUR", None),
        ("free", None),
    ],
)
def test_prices_are_read_exactly_or_not_at_all(text: str, amount: tuple[int, str] | None) -> None:
    found = price_of(text)
    assert (found and (found.amount, found.currency)) == amount


@given(st.integers(0, 10**9), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_what_google_s_format_says_is_read_back(amount: int, currency: str) -> None:
    money = Money(amount=amount, currency=currency)
    assert price_of(f"{money.decimal()} {currency}") == money


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"<rss>", b"id\ttitle\tprice\n", b"\x1f\x8b\x08", b"\xff\xfe"]),
)
def test_any_bytes_are_items_or_refused(body: bytes, head: bytes) -> None:
    try:
        items = items_of(unpacked(head + body))
    except (Refused, RetryLater):
        return
    for item in items:
        product_of(item, "id")
