"""A catalogue as a CSV file: one line per variant. Pure; what is written is read back as it was.

Spreadsheets run a cell that begins like a formula. Such a cell is written with an apostrophe in front
(OWASP, "CSV Injection"), which is taken off again when it is read.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hub.errors import BadInput

COLUMNS = (
    *("sku", "product", "title", "variant", "options", "price", "currency", "prices", "cost", "on_hand"),
    *("state", "archived", "description", "media", "tax_class", "live_only", "own_site_only"),
    *("return_policy", "components"),
)
MOST_LINES = 20_000
MOST_BYTES = 10_000_000
LONGEST_CELL = 6_000_000

RISKY = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet may run, or that was made harmless already."""
ALIASES = {"id": "sku", "item_group_id": "product", "name": "title", "quantity": "on_hand"}


@dataclass(frozen=True)
class Line:
    """One line of a file: where it stands there, and its cells by column; an empty cell is not in it."""

    number: int
    cells: Mapping[str, str]
    problem: str = ""


def harmless(text: str) -> str:
    """The text with an apostrophe in front when a spreadsheet might take it for a formula."""
    return f"'{text}" if RISKY.match(text) else text


def meant(cell: str) -> str:
    """The text that `harmless` was given."""
    return cell[1:] if cell.startswith("'") and RISKY.match(cell) else cell


def written(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """The file, line by line, with a byte order mark: without one Excel takes UTF-8 for something else."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([harmless(row.get(name, "").strip(" ")) for name in COLUMNS])
        yield drained(buffer)
    yield drained(buffer)


def drained(buffer: io.StringIO) -> str:
    """What was written since the last time."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def read(body: bytes) -> list[Line]:
    """Every line that is not empty. BadInput, in words, for what is no such file."""
    if len(body) > MOST_BYTES:
        raise BadInput("file_too_long", f"A file may have {MOST_BYTES // 10**6} MB. Split it in two.")
    text = decoded(body)
    # The module's own limit is smaller than a picture in a data: address. It knows no limit per reader.
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        names = [named(cell) for cell in next(reader, [])]
        check_names(names)
        lines: list[Line] = []
        number = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append(line_of(number, names, cells))
            number = reader.line_num + 1
            if len(lines) > MOST_LINES:
                raise BadInput("file_too_long", f"A file may have {MOST_LINES:,} lines. Split it in two.")
    except csv.Error as error:
        where = f"Line {reader.line_num} can't be read as CSV ({error}). Look for a quote that is not closed."
        raise BadInput("not_csv", where) from None
    if not lines:
        raise BadInput("file_empty", "There is no line below the column names.")
    return lines


def decoded(body: bytes) -> str:
    """Text from whatever a spreadsheet saved: UTF-8, UTF-16 with its mark, or Windows' own."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def delimiter_of(text: str) -> str:
    """Comma, semicolon or tab: whichever stands in the line of names most often."""
    head = text[:2000].splitlines()[:1]
    return max(",;\t", key=head[0].count) if head else ","


def named(cell: str) -> str:
    """A column's name as we spell it."""
    name = re.sub(r"[\s-]+", "_", cell.strip().lower())
    return ALIASES.get(name, name)


def check_names(names: list[str]) -> None:
    """The columns must be ones we know, each once, and the SKU among them."""
    unknown = [name for name in names if name and name not in COLUMNS]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if "sku" not in names:
        detail = f"The first line must name the columns, and one of them must be sku. Known: {listed()}."
        raise BadInput("columns_missing", detail)
    if unknown:
        raise BadInput("columns_unknown", f"There is no column {unknown[0]!r}. Known: {listed()}.")
    if twice:
        raise BadInput("columns_twice", f"The column {twice[0]} is there twice.")


def listed() -> str:
    """All columns, for a sentence."""
    return ", ".join(COLUMNS)


def line_of(number: int, names: list[str], cells: list[str]) -> Line:
    """One line; too many cells is a problem of its own, mostly a comma in a text without quotes."""
    if any(cell.strip() for cell in cells[len(names) :]):
        problem = "It has more cells than there are columns. Put texts that contain a comma into quotes."
        return Line(number, {}, problem)
    found = {name: meant(cell.strip(" ")) for name, cell in zip(names, cells, strict=False) if name}
    return Line(number, {name: cell for name, cell in found.items() if cell.strip()})


def paired(values: Mapping[str, str]) -> str:
    r"""Names with their values in one cell, like `Colour=Red; Size=M`; a \ stands before ; = or \ in them.

    Blanks around a name or a value are not kept.
    """
    return "; ".join(f"{escaped(name)}={escaped(value)}" for name, value in values.items())


def escaped(text: str) -> str:
    """With what separates made harmless."""
    return re.sub(r"([\\;=])", r"\\\1", text)


def unpaired(cell: str) -> dict[str, str]:
    """What `paired` was given. ValueError for a part without =, or a name that is there twice."""
    found: dict[str, str] = {}
    for part in split(cell, ";"):
        if not part.strip():
            continue
        name, *rest = (re.sub(r"\\(.)", r"\1", text.strip(), flags=re.DOTALL) for text in split(part, "="))
        if len(rest) != 1 or name in found:
            raise ValueError(part.strip())
        found[name] = rest[0]
    return found


def split(text: str, at: str) -> list[str]:
    """At each of these characters that no backslash stands before."""
    parts, escape = [""], False
    for letter in text:
        if letter == at and not escape:
            parts.append("")
        else:
            parts[-1] += letter
        escape = letter == "\\" and not escape
    return parts
