"""Draws an invoice or a credit note. Pure: the same data gives the same bytes.

The font is embedded and comes with us, so that a document looks the same wherever it is drawn. It has Latin,
Greek, Cyrillic, Armenian and Georgian letters; of other scripts each letter becomes a question mark.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from connectors.types import Money
from hub.aftersale.documents import Document, Party

FONTS: Final = Path(__file__).parent / "fonts"
FONT: Final = "DejaVu"
WIDTHS: Final = (92, 18, 22, 38)
"""Of the columns, in mm: what, pieces, tax, amount. A4 within margins of 20 mm."""
TITLES: Final = {"invoice": "Invoice", "credit_note": "Credit note"}


class Sheet:
    """A4 pages with our font."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._pdf = FPDF(format="A4")
        # Otherwise the file would hold the time of drawing, and differ each time.
        self._pdf.set_creation_date(document.issued_at)
        self._pdf.set_title(f"{TITLES[document.kind]} {document.number}")
        self._pdf.set_margins(20, 20, 20)
        self._pdf.set_auto_page_break(True, margin=20)
        self._pdf.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
        self._pdf.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self._known = set(getattr(self._pdf.fonts[FONT.lower()], "cmap", {}))
        self._pdf.add_page()

    def text(self, words: str, *, size: float = 9, bold: bool = False, align: str = "L") -> None:
        """A paragraph over the whole width."""
        self._pdf.set_font(FONT, "B" if bold else "", size)
        self._pdf.multi_cell(
            0, size * 0.5, self._printable(words), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def gap(self, height: float = 4) -> None:
        """Some air."""
        self._pdf.ln(height)

    def row(self, cells: tuple[str, str, str, str], *, bold: bool = False) -> None:
        """A row of the table; a long title takes several lines."""
        self._pdf.set_font(FONT, "B" if bold else "", 9)
        height = self._pdf.multi_cell(
            WIDTHS[0], 4.5, self._printable(cells[0]), dry_run=True, output="HEIGHT", align="L"
        )
        if isinstance(height, float) and self._pdf.will_page_break(height + 2):
            self._pdf.add_page()
        top = self._pdf.get_y()
        self._pdf.multi_cell(
            WIDTHS[0], 4.5, self._printable(cells[0]), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
        bottom = self._pdf.get_y()
        self._pdf.set_xy(20 + WIDTHS[0], top)
        for width, words in zip(WIDTHS[1:], cells[1:], strict=True):
            self._pdf.cell(width, 4.5, self._printable(words), align="R")
        self._pdf.set_xy(20, bottom + 1)

    def rule(self) -> None:
        """A line across."""
        y = self._pdf.get_y()
        self._pdf.set_draw_color(170)
        self._pdf.line(20, y, 190, y)
        self._pdf.ln(2)

    def money(self, minor: int) -> str:
        """An amount with its currency."""
        amount = Money(amount=minor, currency=self._document.currency)
        return f"{amount.decimal()} {amount.currency}"

    def done(self) -> bytes:
        """The file."""
        return bytes(self._pdf.output())

    def _printable(self, words: str) -> str:
        """In letters the font has."""
        found = []
        for letter in unicodedata.normalize("NFC", words):
            if letter == "\n" or ord(letter) in self._known:
                found.append(letter)
            else:
                plain = unicodedata.normalize("NFKD", letter)
                found.append("".join(one for one in plain if ord(one) in self._known) or "?")
        return "".join(found)


def drawn(document: Document) -> bytes:
    """The PDF."""
    sheet = Sheet(document)
    party(sheet, document.seller)
    sheet.gap(8)
    sheet.text(f"{TITLES[document.kind]} {document.number}", size=16, bold=True)
    sheet.gap(2)
    sheet.text(f"Date: {document.issued_at.date().isoformat()}")
    sheet.text(f"Order: {document.order_number} of {document.ordered_on.isoformat()}")
    if document.refers_to:
        sheet.text(f"Corrects invoice: {document.refers_to}")
    sheet.gap(6)
    party(sheet, document.buyer)
    sheet.gap(8)
    rows(sheet, document)
    taxes(sheet, document)
    if document.note:
        sheet.gap(8)
        sheet.text(document.note)
    return sheet.done()


def party(sheet: Sheet, who: Party) -> None:
    """Name and address."""
    sheet.text(who.name or "–", bold=True)
    for line in who.address:
        sheet.text(line)
    if who.vat_id:
        sheet.text(f"VAT number: {who.vat_id}")
    if who.contact:
        sheet.text(who.contact)


def rows(sheet: Sheet, document: Document) -> None:
    """What was sold, and what it comes to."""
    sheet.row(("Item", "Pieces", "Tax", "Amount"), bold=True)
    sheet.rule()
    for item in document.items:
        title = f"{item.title} ({item.sku})" if item.sku else item.title
        tax = f"{item.tax_percent} %" if item.tax_percent is not None else ""
        pieces = str(item.quantity) if item.quantity else ""
        sheet.row((title, pieces, tax, sheet.money(item.total_minor)))
    sheet.rule()
    words = "Total" if document.kind == "invoice" else "Total given back"
    sheet.row((words, "", "", sheet.money(document.total_minor)), bold=True)


def taxes(sheet: Sheet, document: Document) -> None:
    """The taxes within the total, by rate."""
    sheet.gap(6)
    sheet.row(("Taxes included", "", "Net", "Tax"), bold=True)
    sheet.rule()
    for row in document.taxes:
        title = f"{row.title} {row.percent} %" if row.percent is not None else row.title
        sheet.row((title, "", plain(document, row.net_minor), sheet.money(row.tax_minor)))
    sheet.row(
        ("Together", "", plain(document, document.net_minor), sheet.money(document.tax_minor)), bold=True
    )


def plain(document: Document, minor: int) -> str:
    """An amount whose currency stands beside it."""
    return Money(amount=minor, currency=document.currency).decimal()
