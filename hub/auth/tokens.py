"""Short signed tokens (JWT, HS256): who a viewer is, and a staff member's ticket to the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import jwt

from hub.clock import Clock
from hub.errors import Unauthorised
from hub.secrets import Vault

VIEWER_LASTS = timedelta(hours=24)
TICKET_LASTS = timedelta(seconds=60)


@dataclass(frozen=True)
class Viewer:
    """Somebody on the watch page of one show. `id` is also the visitor id of touches."""

    id: str
    show_id: UUID
    brand_id: UUID
    slug: str


@dataclass(frozen=True)
class Ticket:
    """Opens the gateway for one show's staff news."""

    member_id: UUID
    show_id: UUID
    brand_id: UUID


class Tokens:
    """Issues and reads them. A token of one kind is worthless as the other: the keys differ."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._viewer_key = vault.signing_key("viewer")
        self._ticket_key = vault.signing_key("gateway-ticket")
        self._clock = clock

    def viewer(self, viewer: Viewer) -> str:
        """A token for a day."""
        claims = {"sub": viewer.id, "show": str(viewer.show_id), "brand": str(viewer.brand_id)}
        expires = self._clock() + VIEWER_LASTS
        return jwt.encode({**claims, "slug": viewer.slug, "exp": expires}, self._viewer_key, "HS256")

    def read_viewer(self, token: str) -> Viewer:
        """Raises Unauthorised for anything but a valid viewer token."""
        claims = self._read(token, self._viewer_key)
        return Viewer(str(claims["sub"]), UUID(claims["show"]), UUID(claims["brand"]), str(claims["slug"]))

    def ticket(self, ticket: Ticket) -> str:
        """A token for a minute: long enough to open a WebSocket, too short to be worth stealing."""
        claims = {"sub": str(ticket.member_id), "show": str(ticket.show_id), "brand": str(ticket.brand_id)}
        return jwt.encode({**claims, "exp": self._clock() + TICKET_LASTS}, self._ticket_key, "HS256")

    def read_ticket(self, token: str) -> Ticket:
        """Raises Unauthorised for anything but a valid ticket."""
        claims = self._read(token, self._ticket_key)
        return Ticket(UUID(claims["sub"]), UUID(claims["show"]), UUID(claims["brand"]))

    def _read(self, token: str, key: bytes) -> dict[str, str]:
        try:
            # The expiry is checked against our own clock, which tests set.
            claims: dict[str, str] = jwt.decode(
                token, key, ["HS256"], options={"verify_exp": False, "require": ["exp", "sub"]}
            )
            if float(claims["exp"]) <= self._clock().timestamp():
                raise Unauthorised("token_expired", "This page has been open too long. Load it again.")
            return claims
        except (jwt.InvalidTokenError, ValueError, KeyError):
            raise Unauthorised("token_invalid", "This token is not valid. Load the page again.") from None
