"""The HTTP that WHIP and WHEP have in common: bodies that are read, headers, and refusals with a sentence."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from restream.hls.respond import TEXT, Answer, Header, Receive, Scope, refusal
from restream.webrtc.sdp import LARGEST

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
NEVER: Final = "no-store"
READ_SECONDS: Final = 10.0
EXPOSED: Final[tuple[Header, ...]] = (
    (b"access-control-expose-headers", b"Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch"),
)


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: HTTPStatus, sentence: str, more: tuple[Header, ...] = ()) -> None:
        super().__init__(sentence)
        self.answer = refusal(status, NEVER, sentence, (*more, *EXPOSED))


def empty(status: HTTPStatus, more: tuple[Header, ...] = ()) -> Answer:
    """An answer without a body."""
    return Answer(status, TEXT, NEVER, (), (*more, *EXPOSED))


def header(scope: Scope, name: bytes) -> str:
    """A header's value (`name` in lower case); empty when it is not there."""
    return next((value.decode("latin-1") for found, value in scope["headers"] if found == name), "")


def must_be(scope: Scope, kind: str) -> None:
    """Raises Refused for a body of another kind."""
    if header(scope, b"content-type").partition(";")[0].strip().lower() != kind:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {kind}.")


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises Refused when it is too large, or does not come."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(HTTPStatus.BAD_REQUEST, "The request breaks off.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > LARGEST:
                    raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    except TimeoutError as error:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The body did not come.") from error
    return bytes(body)
