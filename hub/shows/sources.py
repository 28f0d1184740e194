"""A show's own source, for channels without an encoder: checked, sealed, and shown without its addresses."""

from __future__ import annotations

import json
import re
from typing import Final, Literal

from pydantic import BaseModel

from hub.errors import BadInput
from hub.secrets import Vault
from restream.api import SourceSpec

PULLABLE: Final = re.compile(r"(rtmps?|srt|https?|rtsps?|rtp|udp)://[!-~]+", re.IGNORECASE)
MOST_ADDRESSES: Final = 200
LONGEST_ADDRESS: Final = 2000


class SourceOut(BaseModel):
    """What is answered of a source: addresses may hold passwords, so `count` is all that is said of them."""

    kind: Literal["pull", "file", "playlist", "pattern"]
    count: int
    loop: bool

    @classmethod
    def of(cls, spec: SourceSpec) -> SourceOut:
        """From what the worker is told."""
        return cls(kind=spec.kind, count=len(spec.addresses), loop=spec.loop)


def opened(vault: Vault, sealed: bytes) -> SourceSpec:
    """As the worker is told."""
    return SourceSpec.model_validate_json(vault.open(sealed))


def sealed_source(vault: Vault, wish: SourceSpec, before: bytes | None) -> bytes:
    """As it is kept. One of the same kind that comes without addresses keeps those there are."""
    known = opened(vault, before) if before else None
    addresses = [one.get_secret_value().strip() for one in wish.addresses]
    if not addresses and known and known.kind == wish.kind:
        addresses = [one.get_secret_value() for one in known.addresses]
    if wish.kind == "pattern":
        addresses = []
    else:
        check(wish.kind, addresses)
    return vault.seal(json.dumps({"kind": wish.kind, "addresses": addresses, "loop": wish.loop}))


def check(kind: str, addresses: list[str]) -> None:
    """Raises BadInput with a sentence that repeats no address."""
    if not addresses or not all(addresses):
        what = "the address to pull from" if kind == "pull" else "the name of a file"
        raise BadInput("source_empty", f"Enter {what}.")
    if len(addresses) > (MOST_ADDRESSES if kind == "playlist" else 1):
        raise BadInput(
            "source_too_many",
            f"A playlist may name up to {MOST_ADDRESSES} files."
            if kind == "playlist"
            else "This kind of source has one address. Use a playlist for several files.",
        )
    if any(len(one) > LONGEST_ADDRESS or not one.isprintable() for one in addresses):
        raise BadInput("source_unreadable", "An address is too long, or has unprintable characters in it.")
    if kind == "pull" and not PULLABLE.fullmatch(addresses[0]):
        raise BadInput(
            "source_address",
            "This address can't be pulled. It must begin with rtmp://, rtmps://, srt://, http://, https://, "
            "rtsp://, rtsps://, rtp:// or udp://.",
        )
