"""What is special about a Meta catalogue: batches that are accepted and fail later, and no orders at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.meta_catalog import CONNECTOR
from connectors.meta_catalog.api import classify
from connectors.meta_catalog.catalog import MetaCatalog, shown_price
from connectors.meta_catalog.fake import Fake
from connectors.meta_catalog.stock import LOOKS, MetaStock, said
from connectors.types import Listing, Money, Product, Stock
from tests.connectors.conftest import Clock, Rig, reaching

SAMPLES = Path(__file__).parents[2] / "connectors" / "meta_catalog" / "samples"


def item(sku: str, quantity: int) -> dict[str, Any]:
    title = f"The {sku.lower()}"
    return {"sku": sku, "title": title, "price_minor": 123450, "currency": "EUR", "quantity": quantity}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        await made.ctl("catalog", items=[item("BAG", 5), item("MUG", 2)])
        yield made


async def catalog(rig: Rig) -> dict[str, Product]:
    return {one.listing.sku: one async for one in MetaCatalog(rig.session).products()}


def shelf(rig: Rig, clock: Clock) -> MetaStock:
    return MetaStock(rig.session, sleep=clock.sleep)


async def write(rig: Rig, clock: Clock, quantity: int) -> None:
    listing = (await catalog(rig))["BAG"].listing
    await shelf(rig, clock).set_stock(Stock(listing=listing, quantity=quantity, version=1), key="k")


async def test_the_catalogue_is_read_to_its_end(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item(f"SKU-{n}", 1) for n in range(210)])
    found = await catalog(rig)
    assert len(found) == 212
    assert (found["BAG"].price, found["BAG"].quantity) == (Money(amount=123450, currency="EUR"), 5)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("€1,234.50", "EUR", 123450),
        ("1.234,50 €", "EUR", 123450),
        ("$49", "USD", 4900),
        ("¥1,234", "JPY", 1234),
        ("1 234,50 kr", "SEK", 123450),
    ],
)
def test_prices_for_people_are_read(text: str, currency: str, minor: int) -> None:
    assert shown_price(text, currency) == Money(amount=minor, currency=currency)


@given(st.text(max_size=20))
def test_no_price_is_made_up(text: str) -> None:
    try:
        assert shown_price(text, "EUR").amount >= 0
    except ValueError:
        pass
    else:
        assert any(character in "0123456789" for character in text)


async def test_nought_is_out_of_stock_and_what_was_written_is_read_back(rig: Rig, clock: Clock) -> None:
    for quantity, shown in ((0, "out of stock"), (7, "in stock")):
        await write(rig, clock, quantity)
        assert (await rig.state())["availability"]["BAG"] == shown
        levels = await shelf(rig, clock).levels([one.listing for one in (await catalog(rig)).values()])
        assert {one.listing.sku: one.quantity for one in levels} == {"BAG": quantity, "MUG": 2}


async def test_a_success_that_took_nothing_is_refused(rig: Rig, clock: Clock) -> None:
    gone = Listing(sku="GONE", product_id="1", variant_id="GONE")
    with pytest.raises(Refused, match="Item not found"):
        await shelf(rig, clock).set_stock(Stock(listing=gone, quantity=1, version=1), key="k")
    # Nothing was made up for it.
    assert set((await rig.state())["stock"]) == {"BAG", "MUG"}
    await rig.ctl("fault", kind="invalid")
    with pytest.raises(Refused, match="Invalid inventory"):
        await write(rig, clock, 1)


async def test_a_slow_batch_is_not_waited_for_and_a_stuck_one_is_found_by_reading_back(
    rig: Rig, clock: Clock
) -> None:
    for kind, held in (("slow", 4), ("stuck", 4)):
        await rig.ctl("fault", kind=kind)
        await write(rig, clock, 4 if kind == "slow" else 9)
        [level] = await shelf(rig, clock).levels([(await catalog(rig))["BAG"].listing])
        assert level.quantity == held
    assert clock.naps == [*LOOKS, *LOOKS]


async def test_a_lost_answer_is_unknown_and_may_be_repeated(rig: Rig, clock: Clock) -> None:
    listing = (await catalog(rig))["BAG"].listing
    await rig.ctl("fault", kind="lose")
    with pytest.raises(RetryLater) as raised:
        await shelf(rig, clock).set_stock(Stock(listing=listing, quantity=1, version=1), key="k")
    assert raised.value.unknown
    await write(rig, clock, 1)
    assert (await rig.state())["stock"]["BAG"] == 1


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (190, 401, Reconnect),
        (200, 403, Reconnect),
        (80014, 400, RetryLater),
        (2, 500, RetryLater),
        (100, 400, Refused),
    ],
)
def test_each_number_has_its_error(code: int, status: int, kind: type[Exception]) -> None:
    body = json.dumps({"error": {"message": "no", "code": code}}).encode()
    assert isinstance(classify(status, {}, body), kind)


def test_the_documented_answers_are_understood() -> None:
    accepted = json.loads((SAMPLES / "items_batch.json").read_bytes())
    said(accepted["validation_status"][0]["errors"])
    with pytest.raises(Refused, match="Invalid price"):
        said(json.loads((SAMPLES / "batch_status.json").read_bytes())["data"][0]["errors"])


async def test_there_are_no_orders_any_more_and_it_is_said(rig: Rig) -> None:
    assert CONNECTOR.order_source is None
    assert "own site" in CONNECTOR.gaps["order_source"]
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{rig.base_url}v26.0/1/commerce_orders")
    assert isinstance(classify(answer.status_code, {}, answer.content), Reconnect | Refused)
