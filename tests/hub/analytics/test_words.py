"""Every figure has its definition, in the code, the answer and the documentation; and its arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from hub.analytics import channels, cohorts, comparing, lifetime, offers
from hub.analytics.audience import Audience, Holds
from hub.analytics.audit.money import sale_of
from hub.analytics.definitions import SECTIONS, Figure
from hub.analytics.money import Money, per, place_of
from hub.analytics.tables import as_csv, as_json, as_parquet
from hub.attribution.words import CreditRow, Credits, Total

DOCS = Path(__file__).parents[3] / "docs" / "value.md"
FIGURES = {figure.key: figure for _, _, figures in SECTIONS for figure in figures}
BESIDE = {
    *("currency", "source", "small", "own_orders", "old_30", "old_90", "present", "kind", "offers", "key"),
    *("title", "channel", "influenced_orders", "people_30", "people_90", "people_180"),
}
"""Not figures: what they are of, how they were counted, and the bases beside shares."""


def row_of(figure: Figure) -> str:
    """A figure as the documentation prints it."""
    cells = (figure.title, f"`{figure.key}`", figure.unit, figure.words, figure.base, figure.source)
    return f"| {' | '.join(cells)} |"


def test_every_figure_that_is_given_has_one_definition() -> None:
    assert len(FIGURES) == sum(len(figures) for _, _, figures in SECTIONS)
    shown: list[type[BaseModel]] = [Money, Audience, Holds, offers.OfferKind, lifetime.Worth]
    shown += [lifetime.Migration, channels.ChannelRow]
    for model in shown:
        assert set(model.model_fields) - BESIDE <= set(FIGURES), model
    for figure in FIGURES.values():
        assert figure.words.endswith("."), figure.key
        assert bool(figure.base) or figure.unit in ("money", "count") or figure.key == "credited_orders"


def test_the_documentation_says_what_the_code_says() -> None:
    text = DOCS.read_text()
    missing = [row_of(figure) for figure in FIGURES.values() if row_of(figure) not in text]
    assert not missing, "docs/value.md lacks these lines:\n" + "\n".join(missing)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_averages_are_rounded_to_the_nearest_cent(whole: int, parts: int) -> None:
    rounded = per(whole, parts)
    assert rounded is not None
    assert -Fraction(1, 2) < rounded - Fraction(whole, parts) <= Fraction(1, 2)


amounts = st.integers(0, 10**7)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """An order's sums as a shop may tell them."""
    subtotal, shipping = draw(amounts), draw(st.integers(0, 5000))
    discount, included = draw(st.integers(0, subtotal)), draw(st.booleans())
    goods = subtotal - discount + shipping
    tax = draw(st.integers(0, goods))
    total = goods + (0 if included else tax)
    return {
        "state": draw(st.sampled_from(["paid", "refunded", "cancelled"])),
        "currency": "EUR",
        "subtotal_minor": subtotal,
        "discount_minor": discount,
        "shipping_minor": shipping,
        "tax_minor": tax,
        "total_minor": total,
        "refunded_minor": draw(st.integers(0, total + 100)),
        "prices_include_tax": included,
    }


@given(orders(), st.lists(st.tuples(amounts, st.booleans()), max_size=3))
def test_what_was_kept_is_goods_tax_and_delivery_and_nothing_once_all_is_back(
    order: dict[str, Any], given_back: list[tuple[int, bool]]
) -> None:
    parts = [
        {"amount_minor": n, "tax_minor": n // 6, "order_line_id": uuid4() if line else None}
        for n, line in given_back
    ]
    sale = sale_of(order, [], parts, {})
    assert 0 <= sale.kept <= order["total_minor"]
    assert 0 <= sale.tax <= order["tax_minor"]
    assert 0 <= sale.shipping <= order["shipping_minor"]
    if order["state"] == "cancelled" or order["refunded_minor"] >= order["total_minor"]:
        assert (sale.kept, sale.tax, sale.shipping) == (0, 0, 0)


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_a_ratio_lies_within_its_range_and_turned_round_it_is_the_inverse(
    people: int, others: int, data: st.DataObject
) -> None:
    hits, other = data.draw(st.integers(0, people)), data.draw(st.integers(0, others))
    ratio, inverse = (
        comparing.shares(hits, people, other, others),
        comparing.shares(other, others, hits, people),
    )
    if not (hits and other):
        assert ratio.times is None
        return
    assert ratio.times is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low <= ratio.times <= ratio.high
    assert ratio.sure == inverse.sure


def test_few_people_are_called_few_and_no_range_is_made_up() -> None:
    assert comparing.shares(3, 3, 0, 100).times is None
    assert comparing.means(100, 10_000, 1, (100, 5_000, 2)).times is None
    assert "Only 1 person is" in comparing.note_of(1, 500, 1)
    assert "bought" in comparing.note_of(300, 500, 2)
    assert comparing.note_of(300, 500, 40) == ""
    known = comparing.means(2 * 100, 2 * 100 * 100, 100, (100, 100 * 100, 100))
    assert known.times == 2.0
    side = cohorts.side_of([], fits=True)
    assert (side.people, side.conversion) == (0, None)


def test_costs_and_visitors_stand_beside_their_credits_and_nothing_is_lost() -> None:
    def credit(key: str, currency: str | None, minor: int) -> CreditRow:
        return CreditRow(
            key=key,
            title=key,
            currency=currency,
            orders=Decimal(1),
            credit_minor=minor,
            sold_minor=minor,
            influenced_minor=minor,
            influenced_orders=1,
            touches=1,
            persons=1,
        )

    told = Credits(
        model="linear",
        used="linear",
        model_version=1,
        window="7d",
        by="source",
        version="live",
        as_of=datetime(2026, 11, 1, tzinfo=UTC),
        rows=[credit("youtube", "EUR", 9000), credit("youtube", "USD", 100)],
        totals=[Total(currency="EUR", orders=Decimal(1), credit_minor=9000, sold_minor=9000)],
        notes=[],
    )
    came = {
        "youtube": {"visitors": 7, "social_first": 4, "migrated": 1},
        "tiktok": {"visitors": 3, "social_first": 0, "migrated": 0},
    }
    spent = {("youtube", "EUR"): 3000, ("flyer", "EUR"): 500}
    found = channels.joined(told, came, spent, {})
    rows = {(row.key, row.currency): row for row in found.rows}
    assert rows["youtube", "EUR"].return_on_cost == 3.0
    assert rows["youtube", "USD"].return_on_cost is None
    assert rows["youtube", "EUR"].migration_rate == 0.25
    assert (rows["flyer", "EUR"].credited_minor, rows["flyer", "EUR"].return_on_cost) == (0, 0.0)
    assert rows["tiktok", None].visitors == 3
    assert found.totals[0].link_cost_minor == 3500
    assert [place_of(one) for one in ("own", "shopify", "tiktok_shop")] == ["own", "shop", "platform"]


def test_a_table_is_the_same_in_every_file() -> None:
    import io
    import json

    import pyarrow.parquet as pq

    rows = [{"key": "=cmd|'/c calc'", "minor": 5, "share": None}, {"key": "ä", "minor": -7, "share": 0.5}]
    assert json.loads(as_json(rows)) == rows
    assert pq.read_table(io.BytesIO(as_parquet(rows))).to_pylist() == rows
    lines = as_csv(rows).decode("utf-8-sig").splitlines()
    assert lines == ["key,minor,share", "'=cmd|'/c calc',5,", "ä,-7,0.5"]
    assert (as_csv([]), as_json([])) == (b"\xef\xbb\xbf\r\n", b"[]\n")
