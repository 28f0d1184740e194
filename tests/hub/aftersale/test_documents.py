"""Invoices and credit notes: they add up, and the same data gives the same bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from hub.aftersale.documents import Document, Heading, Item, Party, TaxRow, document, pots_of
from hub.aftersale.money import Part, RefundWish, planned
from hub.aftersale.pdf import drawn
from hub.orders.models import Order, OrderLine

AT = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
SELLER = Party(name="Linnéa Škoda GmbH", address=["Straße 1", "10115 Berlin"], vat_id="DE123")
BUYER = Party(name="Иван Ωmega 日本", address=["Łódź"])


def line(order: Order, paid: tuple[int, int, int], percent: str, tax: int) -> OrderLine:
    quantity, unit, discount = paid
    return OrderLine(
        brand_id=order.brand_id,
        order_id=order.id,
        external_line_id=uuid4().hex,
        title=f"Goods at {percent}",
        sku="X",
        quantity=quantity,
        unit_minor=unit,
        discount_minor=discount,
        tax_minor=tax,
        tax_percent=Decimal(percent),
        tax_title="VAT",
    )


def sold(*, included: bool) -> tuple[Order, list[OrderLine]]:
    """Two rates of tax, a discount, and a delivery that is taxed as the first."""
    taxes = (1_565, 65, 80) if included else (1_862, 70, 95)
    order = Order(
        brand_id=uuid4(),
        channel="own",
        number="SH-1",
        state="paid",
        currency="EUR",
        shipping_minor=500,
        tax_minor=sum(taxes),
        total_minor=9_800 + 1_000 + 500 + (0 if included else sum(taxes)),
        prices_include_tax=included,
        shipping_method="Parcel",
        placed_at=AT,
    )
    lines = [
        line(order, (2, 4_950, 100), "19.000", taxes[0]),
        line(order, (1, 1_000, 0), "7.000", taxes[1]),
    ]
    return order, lines


def heading(kind: str = "invoice") -> Heading:
    return Heading(kind=kind, number="INV-000001", issued_at=AT, seller=SELLER, buyer=BUYER)


def test_an_invoice_sums_to_the_order_with_its_taxes_by_rate() -> None:
    for included in (True, False):
        order, lines = sold(included=included)
        given = planned(pots_of(order, lines), RefundWish(everything=True), order.total_minor)
        found = document(heading(), order, lines, given)
        assert found.total_minor == sum(item.total_minor for item in found.items) == order.total_minor
        assert found.tax_minor == sum(row.tax_minor for row in found.taxes) == order.tax_minor
        assert (
            found.net_minor
            == sum(row.net_minor for row in found.taxes)
            == found.total_minor - found.tax_minor
        )
        # The delivery bears the rate its tax fits.
        assert [(row.percent, row.title) for row in found.taxes] == [("19", "VAT"), ("7", "VAT")]
        assert found.items[-1].title == "Shipping: Parcel"


def test_credit_notes_of_all_parts_take_the_invoice_back() -> None:
    order, lines = sold(included=True)
    pots = pots_of(order, lines)
    first = planned(pots, RefundWish({lines[0].id: 1}, shipping_minor=200), order.total_minor)
    left = [
        replace(pot, pieces_back=part.quantity, back_minor=part.amount_minor)
        for pot in pots
        for part in [next((one for one in first if one.line_id == pot.line_id), Part(pot.line_id, 0, 0, 0))]
    ]
    rest = planned(left, RefundWish(everything=True), order.total_minor)
    notes = [document(heading("credit_note"), order, lines, parts) for parts in (first, rest)]
    assert sum(note.total_minor for note in notes) == order.total_minor
    assert sum(note.tax_minor for note in notes) == order.tax_minor


def test_the_same_data_gives_the_same_bytes_and_other_data_others() -> None:
    order, lines = sold(included=True)
    given = planned(pots_of(order, lines), RefundWish(everything=True), order.total_minor)
    kept = document(heading(), order, lines, given).model_dump(mode="json")
    first, again = (drawn(Document.model_validate(kept)) for _ in range(2))
    assert first == again
    assert first.startswith(b"%PDF-")
    assert drawn(Document.model_validate(kept | {"number": "INV-000002"})) != first


def test_letters_of_many_scripts_are_embedded_and_long_invoices_take_more_pages() -> None:
    items = [Item(title=f"Κούπα №{n} ÅŁß", quantity=1, tax_percent="19", total_minor=100) for n in range(90)]
    found = drawn(
        Document(
            kind="invoice",
            number="INV-1",
            issued_at=AT,
            order_number="SH-1",
            ordered_on=AT.date(),
            currency="JPY",
            seller=SELLER,
            buyer=BUYER,
            items=items,
            taxes=[TaxRow(title="VAT", percent="19", net_minor=1, tax_minor=1)],
            net_minor=1,
            tax_minor=1,
            total_minor=2,
        )
    )
    assert found.count(b"/Type /Page\n") >= 2
    # Each letter's place in Unicode stands in the file, so that it can be searched and read aloud.
    for letter in "ΚούπαŁßИванΩ№":
        assert f"<{ord(letter):04X}>".encode() in found, letter
    assert b"FontFile2" in found
