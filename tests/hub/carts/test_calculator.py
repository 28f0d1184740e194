"""A tax calculator of the brand's own instead of the table of rates."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

import hub
from hub.app import services
from hub.carts.calculator import Guarded
from hub.carts.sums import Rate
from hub.carts.taxes import Place, Tax, Taxable
from hub.cli import sentence_for
from hub.demo.fakes import environment_for
from hub.errors import BadInput, Conflict, Unavailable
from hub.settings import Settings
from tests.hub.conftest import settings_for
from tests.hub.market import Market, MovableClock, trading
from tests.hub.platforms import standing_fakes
from tests.hub.shop import open_shop

MANUAL = Path(hub.__file__).parent.parent / "docs" / "checkout.md"


@pytest.fixture
def example(tmp_path: Path) -> Iterator[str]:
    """The manual's calculator, as a brand puts it beside the product."""
    [code] = re.findall(r"```python\n(.+?)```", MANUAL.read_text(), re.DOTALL)
    folder = tmp_path / "brand"
    folder.mkdir()
    (folder / "our_taxes.py").write_text(code)
    sys.path.append(str(folder))
    yield "our_taxes:OurTaxes"
    sys.path.remove(str(folder))
    del sys.modules["our_taxes"]


@pytest.fixture
async def market(database_url: str, nats_url: str, tmp_path: Path, example: str) -> AsyncIterator[Market]:
    settings, clock = settings_for(tmp_path, database_url, nats_url), MovableClock()
    settings = Settings(**settings.model_dump() | {"taxes": example}, _env_file=None)
    async with (
        standing_fakes("stripe") as fakes,
        services(settings, environment_for(fakes), clock) as running,
        trading(running, await open_shop(running), fakes, clock) as opened,
    ):
        yield opened


async def test_a_calculator_of_the_brands_own_taxes_the_lines_of_an_order(market: Market) -> None:
    owner, buyer = await market.owner(), await market.viewer()
    told = {"terms": {"country": "CH"}, "shipping_methods": [], "tax_rates": []}
    await owner.call("PUT", "/api/v1/checkout/settings", told)
    await buyer.order(await buyer.hold(quantity=2))
    [line] = await market.sql("SELECT tax_minor, tax_percent, tax_title FROM order_line")
    # 8.1 % are in 98.00; the table, which is empty, would have said nothing.
    assert tuple(line.values()) == (734, Decimal("8.1"), "MWST")
    [order] = await market.sql("SELECT tax_minor, total_minor FROM orders")
    assert tuple(order.values()) == (734, 9800)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("nowhere:Taxes", "No module named 'nowhere'"),
        ("hub.carts.taxes:Taxes", "has no attribute 'Taxes'"),
        ("hub.carts.taxes", "Name it as package.module:factory"),
        ("hub.carts.taxes:Place", "has no `async def quote`"),
        ("hub.carts.taxes:Tax", "cannot be loaded (TypeError"),
    ],
)
def test_an_address_that_leads_to_no_calculator_is_refused_before_anything_starts(
    address: str, why: str
) -> None:
    with pytest.raises(BadInput) as refused:
        Settings(taxes=address, _env_file=None)
    said = sentence_for(refused.value)
    assert said
    assert f"The tax calculator {address} (SIMULCAST_TAXES)" in said
    assert why in said


class Theirs:
    """A calculator that does as it is told."""

    def __init__(self, answer: list[Tax] | Exception | None) -> None:
        self._answer = answer

    async def quote(self, *_: Any, **__: Any) -> list[Tax]:
        """The answer, an error, or nothing for ever."""
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is None:
            await asyncio.Event().wait()
        return self._answer or []


async def asked(answer: list[Tax] | Exception | None) -> list[Tax]:
    """What becomes of an answer about 10.00 that contain their tax."""
    guarded = Guarded(Theirs(answer), within=5 if answer else 0.01)
    nobody = cast("AsyncSession", None)
    return await guarded.quote(nobody, uuid4(), [Taxable(1000)], Place("CH"), included=True)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(KeyError("rate"), id="fails"),
        pytest.param(None, id="never answers"),
        pytest.param([Tax(1, Rate()), Tax(1, Rate())], id="one too many"),
        pytest.param([Tax(-1, Rate())], id="negative"),
        pytest.param([Tax(1001, Rate())], id="more than the amount it is in"),
    ],
)
async def test_a_calculator_that_goes_wrong_asks_the_buyer_to_come_back(
    answer: list[Tax] | Exception | None,
) -> None:
    with pytest.raises(Unavailable, match="Nothing was charged"):
        await asked(answer)


async def test_a_calculator_that_goes_right_or_refuses_in_words_is_believed() -> None:
    assert await asked([Tax(75, Rate(Decimal("8.1"), "MWST"))]) == [Tax(75, Rate(Decimal("8.1"), "MWST"))]
    with pytest.raises(Conflict, match="not to this region"):
        await asked(Conflict("no_delivery", "We sell not to this region."))
