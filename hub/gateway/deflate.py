"""permessage-deflate (RFC 7692) without a context: what is deflated once serves every socket. Pure.

Text that everybody hears shrinks to a third or less, and with it what the brand pays for. What one viewer
alone hears is never deflated: beside words that others chose, its size would tell something about it (CRIME).
"""

from __future__ import annotations

import zlib
from typing import Final

EXTENSION: Final = "permessage-deflate"
ANSWER: Final = f"{EXTENSION}; server_no_context_takeover; client_no_context_takeover"
WITHOUT_CONTEXT: Final = frozenset({"server_no_context_takeover", "client_no_context_takeover"})
"""Parameters of an offer that ask for what we do anyway. `client_max_window_bits` may be left unanswered."""
LEAST: Final = 512
"""Bytes of a text that is worth it."""
LEVEL: Final = 1
"""Higher ones win a tenth, and take two to four times as long."""
TAIL: Final = b"\x00\x00\xff\xff"
"""Ends every flush, and is left out (RFC 7692, 7.2.1)."""
END: Final = b"\x01\x00\x00\xff\xff"
"""Ends a stream (RFC 1951, 3.2.4): zlib takes it for that only where a block may begin."""


def accepted(offers: str) -> bool:
    """Whether a `Sec-WebSocket-Extensions` header offers what we speak: no smaller window of ours."""
    for offer in offers.split(","):
        name, *parameters = (part.strip().lower() for part in offer.split(";"))
        asked = {parameter.partition("=")[0].strip() for parameter in parameters}
        if name == EXTENSION and asked <= WITHOUT_CONTEXT | {"client_max_window_bits"}:
            return True
    return False


def deflated(frame: bytearray, head: int) -> bytearray:
    """A frame whose text, after `head` bytes for the WebSocket's header, is deflated."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    small = compressor.compress(memoryview(frame)[head:])
    return bytearray(b"".join((bytes(head), small, compressor.flush(zlib.Z_SYNC_FLUSH)[: -len(TAIL)])))


def inflated(payload: bytes, most: int) -> bytes | None:
    """A message's text; None when it is more than `most` bytes, only a part of one, or none at all."""
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        text = decompressor.decompress(payload + TAIL + END, most + 1)
    except zlib.error:
        return None
    # A message may end its stream itself, with a byte of nothing behind (RFC 7692, 7.2.3.5).
    whole = decompressor.eof and decompressor.unused_data in (b"", b"\x00" + TAIL + END)
    # A block that was cut off may have swallowed the tail; no text has such bytes.
    return text if whole and len(text) <= most and not text.endswith(TAIL) else None
