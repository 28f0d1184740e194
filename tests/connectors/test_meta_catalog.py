"""What is special about a Meta catalogue: batches that are accepted and fail later, and no orders at all."""

from __future__ import annotations

import json
import re
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


async def test_what_is_too_much_for_meta_is_read_in_smaller_pages(rig: Rig) -> None:
    await rig.ctl("catalog", items=[item(f"SKU-{n}", 1) for n in range(60)])
    await rig.ctl("fault", kind="heavy", most=25)
    assert len(await catalog(rig)) == 62
    # Smaller than this nothing helps: it is said, and not tried for ever.
    await rig.ctl("fault", kind="heavy", most=3)
    with pytest.raises(Refused, match="too much"):
        await catalog(rig)


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


async def test_a_batch_that_is_done_after_a_newer_one_is_seen_by_reading_back_and_put_right(
    rig: Rig, clock: Clock
) -> None:
    await rig.ctl("fault", kind="late")
    await write(rig, clock, 9)
    await write(rig, clock, 3)
    [level] = await shelf(rig, clock).levels([(await catalog(rig))["BAG"].listing])
    assert level.quantity == 9
    await write(rig, clock, 3)
    # One item in each batch: of two updates in one, either may come last.
    assert [len(one) for one in (await rig.state())["batches"]] == [1, 1, 1]
    assert (await rig.state())["stock"]["BAG"] == 3


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"visibility": "staging"}, "not published"),
        ({"review_status": "rejected", "review_rejection_reasons": ["ADULT_CONTENT"]}, r"\(adult content\)"),
        (
            {
                "capability_to_review_status": [
                    {"key": "WHATSAPP", "value": "APPROVED"},
                    {"key": "SHOPS", "value": "REJECTED"},
                ]
            },
            "rejected it for shops, so",
        ),
        (
            {
                "capability_to_review_status": [
                    {"key": "WHATSAPP", "value": "REJECTED"},
                    {"key": "SHOPS", "value": "APPROVED"},
                ]
            },
            None,
        ),
        (
            {"errors": [{"title": "Missing price.", "description": "Add one", "error_priority": "HIGH"}]},
            "fault in it: Missing price. Add one. Mend",
        ),
        ({"image_fetch_status": "FETCH_FAILED"}, "could not load its picture"),
        # A review that goes on, advice, and words that are new to us are no trouble.
        ({"review_status": "pending", "image_fetch_status": "OUTDATED"}, None),
        ({"errors": [{"title": "Add a colour", "error_priority": "RECOMMENDATION"}, "?"]}, None),
        ({"capability_to_review_status": [{"key": "ADS", "value": "NEW_WORD"}, "?"]}, None),
    ],
)
async def test_an_item_that_shoppers_do_not_see_is_told_with_what_to_do(
    rig: Rig, clock: Clock, said: dict[str, Any], told: str | None
) -> None:
    # Beyond the first page, too.
    await rig.ctl("catalog", items=[item(f"SKU-{n}", 1) for n in range(120)])
    await rig.ctl("judge", sku="SKU-119", said=said)
    found = await catalog(rig)
    levels = await shelf(rig, clock).levels([one.listing for one in found.values()])
    hidden = [(one.listing.sku, one.hidden) for one in found.values() if one.hidden]
    assert [(one.listing.sku, one.hidden) for one in levels if one.hidden] == hidden
    assert (len(found), len(levels)) == (122, 122)
    if told is None:
        assert hidden == []
    else:
        [(sku, why)] = hidden
        assert sku == "SKU-119"
        assert re.search(told, why)
        assert why.endswith(".")


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
