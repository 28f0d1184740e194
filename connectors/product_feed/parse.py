"""A feed as a list of items, each a flat map of attributes: RSS, Atom, CSV or TSV. Pure.

https://support.google.com/merchants/answer/14987622 (RSS 2.0), …/14987621 (Atom), …/12631822 (text files)
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.errors import Refused

GOOGLE = "{http://base.google.com/ns/1.0}"
MOST_ITEMS = 200_000
LONGEST_CELL = 1_000_000
NOT_A_FEED = "This address leads to something that is no product feed (RSS, Atom, CSV or TSV)."

Item = dict[str, str]


def items_of(body: bytes) -> list[Item]:
    """Every item, by the names the specification gives attributes. Refused for what is no feed."""
    text = body.lstrip(codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + codecs.BOM_UTF16_BE + b" \t\r\n\0")
    if re.match(rb"<(!doctype\s+)?html", text, re.IGNORECASE):
        raise Refused("This address leads to a web page. Enter the address of the feed itself.")
    items = xml_items(body) if text.startswith(b"<") else text_items(body)
    if len(items) > MOST_ITEMS:
        raise Refused(f"The feed has more than {MOST_ITEMS:,} items. Split it, and link each part.")
    return items


def xml_items(body: bytes) -> list[Item]:
    """Of RSS 2.0, RSS 1.0 and Atom: whatever is called item or entry, with its direct children."""
    try:
        # No document type: nothing a feed needs, and the way to make a short file endless.
        root = fromstring(body.lstrip(), forbid_dtd=True)
    except DefusedXmlException:
        raise Refused("The feed has a document type or entities in it, which are not read.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise Refused(f"The feed is no proper XML ({error}). Validate it in your shop.") from None
    if local(root) not in ("rss", "feed", "RDF"):
        raise Refused(NOT_A_FEED)
    return [item_of(one) for one in root.iter() if local(one) in ("item", "entry")]


def item_of(element: Element) -> Item:
    """Its attributes; Google's own name of one goes before RSS's."""
    found: Item = {}
    for child in element:
        if value := "".join(child.itertext()).strip():
            name = named(local(child))
            if name not in found or child.tag.startswith(GOOGLE):
                found[name] = value
    return found


def local(element: Element) -> str:
    """A name without its namespace; comments have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def text_items(body: bytes) -> list[Item]:
    """Of a file whose first line names the attributes, separated by tabs, commas or semicolons."""
    text = decoded(body)
    head = text.lstrip().splitlines()[:1]
    delimiter = max("\t,;", key=head[0].count) if head else "\t"
    # The module's own limit is shorter than some descriptions. It knows no limit per reader.
    csv.field_size_limit(max(LONGEST_CELL, csv.field_size_limit()))
    reader = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter)
    try:
        names = [named(cell) for cell in next(reader, [])]
        if not {"title", "price"} <= set(names):
            raise Refused(NOT_A_FEED)
        rows = [{n: c.strip() for n, c in zip(names, row, strict=False) if n and c.strip()} for row in reader]
    except csv.Error as error:
        raise Refused(f"Line {reader.line_num} of the feed can't be read ({error}).") from None
    return [row for row in rows if row]


def decoded(body: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or what old shops write."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def named(name: str) -> str:
    """Names are written with blanks or underscores, and in text files with a `g:` now and then."""
    return re.sub(r"[\s-]+", "_", name.strip().lower()).removeprefix("g:")
