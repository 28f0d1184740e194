"""Money that is divided or taxed: to the last cent, whatever the amounts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.carts.addresses import Address, complete
from hub.carts.sums import Rate, tax_in, taxes
from hub.errors import BadInput

amounts = st.integers(0, 10**9)
percents = st.decimals(0, Decimal("99.999"), places=3)
rates = st.builds(Rate, percents, st.sampled_from(["VAT", "reduced", ""]))


@given(amounts, percents, st.booleans())
def test_a_tax_is_the_exact_one_rounded_half_up(amount: int, percent: Decimal, included: bool) -> None:
    share = Fraction(percent) / 100
    exact = amount * share / (1 + share) if included else amount * share
    assert abs(tax_in(amount, percent, included=included) - exact) <= Fraction(1, 2)
    assert tax_in(amount, percent, included=included) >= exact - Fraction(1, 2) + Fraction(1, 10**12)


@given(st.lists(st.tuples(amounts, rates), max_size=12), st.booleans())
def test_lines_sum_to_the_orders_tax_and_none_is_off_by_a_cent(
    lines: list[tuple[int, Rate]], included: bool
) -> None:
    found = taxes(lines, included=included)
    assert len(found) == len(lines)
    for rate in {rate for _, rate in lines}:
        own = [(amount, tax) for (amount, other), tax in zip(lines, found, strict=True) if other == rate]
        whole = tax_in(sum(amount for amount, _ in own), rate.percent, included=included)
        assert sum(tax for _, tax in own) == whole
        share = Fraction(rate.percent) / 100
        for amount, tax in own:
            exact = amount * share / (1 + share) if included else amount * share
            # Of a line's own exact share, and of the half cent that the whole was rounded by.
            assert abs(tax - exact) < Fraction(3, 2)
            assert tax >= 0


def test_german_prices_contain_their_tax() -> None:
    vat = Rate(Decimal(19), "MwSt.")
    assert taxes([(5490, vat)], included=True) == [877]
    assert taxes([(4900, vat), (590, vat)], included=True) == [783, 94]
    assert taxes([(1000, Rate(Decimal("8.875"), "NY"))], included=False) == [89]


def address(**changed: str) -> Address:
    known = {"line1": "Hauptstr. 1", "city": "Berlin", "postcode": "10115", "country": "de"}
    return Address.model_validate(known | changed)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"line1": " "}, "address.line1"),
        ({"postcode": ""}, "address.postcode"),
        ({"postcode": "1011"}, "address.postcode"),
        ({"country": "US", "postcode": "10001"}, "address.region"),
        ({"country": "GB", "postcode": "nonsense"}, "address.postcode"),
    ],
)
def test_an_address_that_the_post_cannot_find_is_refused_field_by_field(
    changed: dict[str, str], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        complete(address(**changed))
    fields = refused.value.extra["fields"]
    assert isinstance(fields, list)
    assert [one["field"] for one in fields] == [field]


@pytest.mark.parametrize(
    "changed",
    [{}, {"country": "IE", "postcode": ""}, {"country": "US", "region": "ny", "postcode": "10001-0001"}],
)
def test_each_country_is_asked_only_for_what_it_needs(changed: dict[str, str]) -> None:
    assert complete(address(**changed)).country.isupper()
