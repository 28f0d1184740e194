"""Takes a JSON array apart while it arrives: the streaming endpoint sends one element after the other.

Chunks may end anywhere, inside a string or a character as well.
"""

from __future__ import annotations

import json
import re
from typing import Any

MARKS = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)
LARGEST = 32_000_000
"""Bytes of one element; 2,000 messages are about two million."""


class Pieces:
    """Fed with bytes, gives the objects of the outermost array, each as soon as it is whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._start = -1
        self._depth = 0
        self._quoted = False

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """What is whole now. ValueError when it is no array of objects, or an element is too large."""
        self._buffer += data
        found: list[dict[str, Any]] = []
        last = self._scanned
        for mark in MARKS.finditer(self._buffer, self._scanned):
            last = mark.end()
            piece = self._mark(mark.group()[0], mark.start())
            if piece is not None:
                found.append(piece)
        # A backslash that nothing follows yet waits for what it escapes.
        waits = self._buffer.endswith(b"\\") and last < len(self._buffer)
        self._scanned = len(self._buffer) - waits
        self._forget()
        return found

    def _mark(self, mark: int, at: int) -> dict[str, Any] | None:
        if mark == ord("\\"):
            return None
        if mark == ord('"'):
            self._quoted = not self._quoted
        elif self._quoted:
            return None
        elif mark in b"{[":
            self._depth += 1
            if self._depth == 2:
                self._start = at
        else:
            self._depth -= 1
            if self._depth < 0:
                raise ValueError("more is closed than was opened")
            if self._depth == 1:
                start, self._start = self._start, -1
                piece = json.loads(self._buffer[start : at + 1])
                if not isinstance(piece, dict):
                    raise ValueError("an element that is no object")
                return piece
        return None

    def _forget(self) -> None:
        """Drop what has been given out."""
        gone = self._start if self._start >= 0 else self._scanned
        del self._buffer[:gone]
        self._scanned -= gone
        if self._start >= 0:
            self._start = 0
        if len(self._buffer) > LARGEST:
            raise ValueError("an element that does not end")
