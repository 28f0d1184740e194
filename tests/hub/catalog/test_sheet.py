"""CSV files: read as people save them, written so that no spreadsheet runs them, and both ways alike."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.catalog import rows, sheet
from hub.catalog.rows import LineProblem
from hub.errors import BadInput

RISKY = "=+-@\t\r\n＝＋－＠'"
text = st.text(
    st.one_of(st.sampled_from(RISKY + ',;"\\ ä💚'), st.characters(exclude_categories=["Cs"])), max_size=20
)


@given(st.lists(st.dictionaries(st.sampled_from(sheet.COLUMNS), text, min_size=1), min_size=1, max_size=4))
def test_what_is_written_is_read_back(given: list[dict[str, str]]) -> None:
    body = "".join(sheet.written([{"sku": "x", **row} for row in given])).encode()
    wanted = []
    for row in ({"sku": "x", **row} for row in given):
        kept = {name: cell.strip(" ") for name, cell in row.items()}
        if kept := {name: cell for name, cell in kept.items() if cell.strip()}:
            wanted.append(kept)
    if not wanted:
        return
    assert [dict(line.cells) for line in sheet.read(body)] == wanted


@given(text)
def test_no_cell_begins_like_a_formula(cell: str) -> None:
    [_, line] = csv.reader(io.StringIO("".join(sheet.written([{"title": cell}])), newline=""))
    assert not line[sheet.COLUMNS.index("title")].startswith(tuple("=+-@\t\r\n＝＋－＠"))


words = text.map(lambda found: " ".join(found.split()))


@given(st.dictionaries(words, words, max_size=5))
def test_pairs_in_one_cell_are_read_back(values: dict[str, str]) -> None:
    values = {name: value for name, value in values.items() if name or value}
    assert sheet.unpaired(sheet.paired(values)) == values


@given(st.binary(max_size=300), st.sampled_from(["", "sku,title\n", "sku;price\n1;", "SKU\tOn hand\n"]))
def test_any_bytes_are_a_file_or_refused_in_words(body: bytes, head: str) -> None:
    with suppress(BadInput):
        for line in sheet.read(head.encode() + body):
            with suppress(LineProblem):
                rows.row_of(line, "EUR")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_of_any_spreadsheet_are_read(encoding: str, delimiter: str) -> None:
    head = delimiter.join(("SKU", "Title", "Price", "On hand"))
    line = delimiter.join(("A-1", "Täschchen", '"24,90"', "3"))
    [found] = sheet.read(f"{head}\r\n\r\n{line}\r\n".encode(encoding))
    assert found.number == 3
    row = rows.row_of(found, "EUR")
    assert (row.sku, row.product.title) == ("A-1", "Täschchen")
    assert (row.variant.price_minor, row.variant.on_hand) == (2490, 3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "columns_missing"),
        ("title\nBag", "columns_missing"),
        ("sku,colour\n1,2", "columns_unknown"),
        ("sku,title,sku\n1,2,3", "columns_twice"),
        ("sku\n\n", "file_empty"),
        ('sku,title\n1,"Bag', "not_csv"),
        ("sku\n" + "1\n" * (sheet.MOST_LINES + 1), "file_too_long"),
    ],
)
def test_what_is_no_such_file_is_said(body: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        sheet.read(body.encode())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("title=x", "no SKU"),
        ("sku=1|price=1.234,50", "price must be a number"),
        ("sku=1|price=24.905", "price must be a number"),
        ("sku=1|price=-1", "price must be a number"),
        ("sku=1|currency=euros", "three letters"),
        ("sku=1|state=sold", "draft, active or archived"),
        ("sku=1|live_only=maybe", "live_only, write yes or no"),
        ("sku=1|prices=USD 29", "USD=29.90"),
        ("sku=1|components=A=0", "A bundle's parts"),
        ("sku=1|media=javascript:alert(1)", "https address"),
        ("sku=1|on_hand=many|cost=x", "cost must be.*On hand must be|On hand must be"),
    ],
)
def test_each_wrong_cell_has_its_own_words(cells: str, why: str) -> None:
    line = sheet.Line(2, dict(cell.split("=", 1) for cell in cells.split("|")))
    with pytest.raises(LineProblem, match=why):
        rows.row_of(line, "EUR")
