"""Short signed tokens (JWT, HS256): who a viewer is, a staff member's ticket, the link to an order."""

from __future__ import annotations

import binascii
import hmac
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

import jwt
from pydantic_core import from_json

from hub.clock import Clock
from hub.errors import Unauthorised
from hub.secrets import Vault

VIEWER_LASTS = timedelta(hours=24)
TICKET_LASTS = timedelta(seconds=60)
ORDER_LASTS = timedelta(days=730)
"""A buyer may come back to an order for as long as goods are under warranty."""

TO_BASE64URL: Final = bytes.maketrans(b"+/", b"-_")
HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
"""{"alg":"HS256","typ":"JWT"}, as `jwt.encode` writes it."""


id_of = lru_cache(1024)(UUID)
"""Few shows, many viewers of each."""


@dataclass(frozen=True)
class Viewer:
    """Somebody on the watch page of one show. `id` is also the visitor id of touches.

    `customer_id`, `member` and `segments`: as whom they were signed in when the page was loaded, and which
    benefits are theirs. Prices may rest on it; money may not: that asks the session itself.
    `network`: where this very request comes from (`hub/stock/networks.py`); no token says it.
    """

    id: str
    show_id: UUID
    brand_id: UUID
    slug: str
    customer_id: UUID | None = None
    member: bool = False
    segments: frozenset[UUID] = frozenset()
    network: int | None = None


@dataclass(frozen=True)
class Ticket:
    """Opens the gateway for one show's staff news: for as long as the session lasts and the role is this one.

    `session_id` None: a process of ours, which has none.
    """

    member_id: UUID
    show_id: UUID
    brand_id: UUID
    session_id: UUID | None = None
    role: str = ""


class Tokens:
    """Issues and reads them. A token of one kind is worthless as the other: the keys differ."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._viewer_key = vault.signing_key("viewer")
        self._ticket_key = vault.signing_key("gateway-ticket")
        self._order_key = vault.signing_key("order-link")
        self._clock = clock

    def viewer(self, viewer: Viewer) -> str:
        """A token for a day."""
        claims = {"sub": viewer.id, "show": str(viewer.show_id), "brand": str(viewer.brand_id)}
        if viewer.customer_id:
            claims |= {"customer": str(viewer.customer_id), "member": "yes" if viewer.member else ""}
        if viewer.segments:
            claims["segments"] = " ".join(sorted(one.hex for one in viewer.segments))
        expires = self._clock() + VIEWER_LASTS
        return jwt.encode({**claims, "slug": viewer.slug, "exp": expires}, self._viewer_key, "HS256")

    def read_viewer(self, token: str) -> Viewer:
        """Raises Unauthorised for anything but a valid viewer token."""
        return self.viewer_until(token)[0]

    def viewer_until(self, token: str) -> tuple[Viewer, float]:
        """The same, and when the token ends, as a Unix time."""
        claims = self._read(token, self._viewer_key)
        customer = claims.get("customer")
        viewer = Viewer(
            str(claims["sub"]),
            id_of(claims["show"]),
            id_of(claims["brand"]),
            str(claims["slug"]),
            UUID(customer) if customer else None,
            claims.get("member") == "yes",
            frozenset(map(UUID, claims.get("segments", "").split())),
        )
        return viewer, float(claims["exp"])

    def ticket(self, ticket: Ticket) -> str:
        """A token for a minute: long enough to open a WebSocket, too short to be worth stealing."""
        claims = {"sub": str(ticket.member_id), "show": str(ticket.show_id), "brand": str(ticket.brand_id)}
        if ticket.session_id:
            claims |= {"session": str(ticket.session_id), "role": ticket.role}
        return jwt.encode({**claims, "exp": self._clock() + TICKET_LASTS}, self._ticket_key, "HS256")

    def read_ticket(self, token: str) -> Ticket:
        """Raises Unauthorised for anything but a valid ticket."""
        claims = self._read(token, self._ticket_key)
        session = claims.get("session")
        return Ticket(
            UUID(claims["sub"]),
            UUID(claims["show"]),
            UUID(claims["brand"]),
            UUID(session) if session else None,
            claims.get("role", ""),
        )

    def order(self, order_id: UUID) -> str:
        """The key to one order's status page. Whoever was sent it may look, without signing in."""
        expires = self._clock() + ORDER_LASTS
        return jwt.encode({"sub": str(order_id), "exp": expires}, self._order_key, "HS256")

    def read_order(self, token: str) -> UUID:
        """Raises Unauthorised for anything but a valid link."""
        return UUID(self._read(token, self._order_key)["sub"])

    def _read(self, token: str, key: bytes) -> dict[str, str]:
        try:
            claims = checked(token, key)
            # The expiry is checked against our own clock, which tests set.
            if float(claims["exp"]) <= self._clock().timestamp():
                raise Unauthorised("token_expired", "This page has been open too long. Load it again.")
            return claims
        except (jwt.InvalidTokenError, ValueError, KeyError):
            raise Unauthorised("token_invalid", "This token is not valid. Load the page again.") from None


def checked(token: str, key: bytes) -> dict[str, str]:
    """The claims of a token with our signature; jwt.InvalidTokenError, or ValueError, without.

    One with the header we write ourselves, and that is all there are, takes three steps instead of a
    library's many: each viewer of a drop is asked for one at the same moment.
    """
    signed, _, signature = token.rpartition(".")
    header, _, body = signed.partition(".")
    if header != HEADER:
        claims: dict[str, str] = jwt.decode(
            token, key, ["HS256"], options={"verify_exp": False, "require": ["exp", "sub"]}
        )
        return claims
    mac = binascii.b2a_base64(hmac.digest(key, signed.encode(), "sha256"), newline=False)
    if not hmac.compare_digest(mac.translate(TO_BASE64URL).rstrip(b"="), signature.encode()):
        raise jwt.InvalidSignatureError
    return claims_in(body)


def claims_in(body: str) -> dict[str, str]:
    """A token's middle part."""
    whole = body.replace("-", "+").replace("_", "/") + "=="
    claims: dict[str, str] = from_json(binascii.a2b_base64(whole))
    return claims
