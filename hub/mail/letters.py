"""A letter, written once and sent as plain text and as simple HTML, so that the two never differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from html import escape
from typing import Final

WIDTH: Final = 60
STYLE: Final = "font:16px/1.5 system-ui,sans-serif;color:#18181b;max-width:34rem;margin:0 auto;padding:1rem"


@dataclass(frozen=True)
class Link:
    """A place to go, on a line of its own."""

    title: str
    url: str


@dataclass(frozen=True)
class Rows:
    """What it says on the left, and the amount on the right."""

    rows: Sequence[tuple[str, str]]


Block = str | Link | Rows


@dataclass(frozen=True)
class Letter:
    """Ready to be sent."""

    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, subject: str, *blocks: Block) -> Letter:
        """From what it has to say, in order."""
        text = "\n\n".join(plain(block) for block in blocks if block)
        body = "".join(marked_up(block) for block in blocks if block)
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><body style="{STYLE}">{body}</body></html>'
        )
        return cls(one_line(subject), text + "\n", page)

    def dumped(self) -> str:
        """As text, to be kept until it is sent."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, text: str) -> Letter:
        """What `dumped` gave."""
        return cls(**json.loads(text))


def plain(block: Block) -> str:
    """One block of the plain text."""
    if isinstance(block, Link):
        return f"{block.title}:\n{block.url}"
    if isinstance(block, Rows):
        return "\n".join(f"{left.ljust(WIDTH - len(right) - 1)} {right}" for left, right in block.rows)
    return block


def marked_up(block: Block) -> str:
    """One block of the HTML. Every word from outside is escaped."""
    if isinstance(block, Link):
        return f'<p><a href="{escape(block.url)}">{escape(block.title)}</a></p>'
    if isinstance(block, Rows):
        cells = "".join(
            f'<tr><td style="padding:2px 0">{escape(left)}</td>'
            f'<td style="padding:2px 0;text-align:right;white-space:nowrap">{escape(right)}</td></tr>'
            for left, right in block.rows
        )
        return f'<table style="width:100%;border-collapse:collapse">{cells}</table>'
    return "".join(f"<p>{escape(part)}</p>" for part in block.split("\n\n"))


def message_of(
    letter: Letter, *, sender: tuple[str, str], to: str, message_id: str, date: str
) -> EmailMessage:
    """The message for the wire. `sender` is (name, address); ValueError for an address that is none."""
    message = EmailMessage()
    message["From"] = Address(one_line(sender[0]), addr_spec=sender[1])
    message["To"] = Address(addr_spec=to)
    message["Subject"] = letter.subject
    message["Date"] = date
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def one_line(text: str) -> str:
    """Without line breaks, which would end a header."""
    return " ".join(text.split())
