"""The link of a claim, and taking its reservation to the browser that opens it.

A code is the claim's number and a signature over it and its round: it cannot be guessed, and one that was
offered again has a new one. What a stranger can do with a link everybody can read is in docs/claims.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.tokens import Viewer
from hub.claims.models import Claim
from hub.claims.reading import unmarked
from hub.clock import Clock
from hub.db import run
from hub.errors import BadInput, Conflict, NotFound
from hub.secrets import Vault
from hub.shows.models import Show
from hub.stock.models import Hold

DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
SIGNED: Final = 10
"""Letters of the signature: 50 bits."""
MOST_TRIES: Final = 5
"""Wrong names before a public link is closed; staff may offer again."""
OVER: Final = "The time to pay for this ran out. Ask the host, or claim it again."

TURN: Final = text("SELECT pg_advisory_xact_lock(:turn)")
UNITS: Final = text(
    """
    SELECT coalesce(sum(units), 0) FROM hold
    WHERE viewer_id = :viewer AND show_id = :show AND state IN ('held', 'committed')
    """
)
OTHERS: Final = text(
    """
    SELECT 1 FROM claim WHERE show_id = :show AND opened_by = :viewer AND public
        AND (platform, author_id) IS DISTINCT FROM (CAST(:platform AS text), CAST(:author AS text)) LIMIT 1
    """
)


@dataclass(frozen=True)
class Opened:
    """What a link leads to. `asks_name`: everybody can read the link, so the page asks whose it is."""

    slug: str
    state: str
    expires_at: datetime | None
    asks_name: bool
    opened: bool


class Links:
    """Makes codes and opens them."""

    def __init__(self, vault: Vault, clock: Clock, site: str) -> None:
        self._key = vault.signing_key("claim-link")
        self._clock = clock
        self._site = site

    def url(self, claim: Claim) -> str:
        """The address a buyer is given."""
        return f"{self._site}/c/{self.code(claim)}"

    def code(self, claim: Claim) -> str:
        """A claim's code in its round."""
        number, left = "", claim.n or 0
        while left:
            left, digit = divmod(left, 32)
            number = DIGITS[digit] + number
        mac = hmac.digest(self._key, f"{claim.n}:{claim.round}".encode(), hashlib.sha256)
        return number + base64.b32encode(mac).decode().lower()[:SIGNED]

    async def find(self, session: AsyncSession, code: str, *, lock: bool = False) -> tuple[Claim, Show]:
        """The claim behind a code; NotFound for any that we did not make, or made anew."""
        wanted = code.strip().lower()
        number = wanted[:-SIGNED]
        unknown = NotFound("claim_unknown", "This link is not valid any more. Ask the host for a new one.")
        if not 0 < len(number) <= 12 or any(one not in DIGITS for one in number):
            raise unknown
        n = 0
        for one in number:
            n = n * 32 + DIGITS.index(one)
        query = select(Claim).where(col(Claim.n) == n)
        claim = (await session.exec(query.with_for_update() if lock else query)).first()
        if claim is None or not hmac.compare_digest(self.code(claim).encode(), wanted.encode()):
            raise unknown
        show = (await session.exec(select(Show).where(col(Show.id) == claim.show_id))).one()
        return claim, show

    async def look(self, session: AsyncSession, viewer: Viewer, code: str) -> Opened:
        """What the page has to ask before it opens it."""
        claim, show = await self.find(session, code)
        mine = claim.opened_by == viewer.id
        return Opened(
            show.slug, claim.state, claim.expires_at, claim.public and not mine, claim.opened_by is not None
        )

    async def open(self, session: AsyncSession, viewer: Viewer, code: str, name: str) -> Claim | str:
        """Hand the reservations of this person over to the browser; once, and to no other.

        A sentence instead when the name was wrong: counted, so not an error that would undo the counting.
        Conflict `claim_over` | `claim_taken` | `claim_closed` | `claim_others` | `limit`.
        """
        claim, show = await self.find(session, code, lock=True)
        if show.id != viewer.show_id:
            raise BadInput("other_show", "This link belongs to another show.")
        if claim.opened_by == viewer.id and claim.state == "held":
            return claim
        self._can_open(claim)
        if claim.public and (wrong := await self._doubt(session, viewer, claim, name)):
            return wrong
        await run(session, TURN, {"turn": show.id.int & ((1 << 63) - 1)})
        had: int = (await run(session, UNITS, {"viewer": viewer.id, "show": show.id})).scalar_one()
        for one in await self._of_person(session, claim):
            had += one.quantity
            if one.id != claim.id and had > show.units_per_buyer:
                continue
            if had > show.units_per_buyer and claim.viewer_id != viewer.id:
                raise Conflict("limit", "Pay for what you have reserved first, then open this link again.")
            await self._hand_over(session, one, viewer.id)
        return claim

    def _can_open(self, claim: Claim) -> None:
        if claim.state != "held" or claim.expires_at is None or claim.expires_at <= self._clock():
            raise Conflict("claim_over", OVER)
        if claim.opened_by:
            raise Conflict(
                "claim_taken",
                "This link was opened in another browser already. Go on there; if that was not you, tell the"
                " host in the chat.",
            )
        if claim.tries >= MOST_TRIES:
            raise Conflict("claim_closed", "Too many wrong names were tried. Ask the host for a new link.")

    async def _doubt(self, session: AsyncSession, viewer: Viewer, claim: Claim, name: str) -> str | None:
        if plain(name) != plain(claim.author_name or ""):
            claim.tries += 1
            return "That is not the name this was claimed with. Type it as it stands in the chat."
        values = {"show": claim.show_id, "viewer": viewer.id}
        values |= {"platform": claim.platform, "author": claim.author_id}
        if (await run(session, OTHERS, values)).first():
            raise Conflict("claim_others", "Only one person's claims can be opened in a browser.")
        return None

    async def _of_person(self, session: AsyncSession, claim: Claim) -> list[Claim]:
        """This claim, and the others the same person waits with; the one asked for comes first."""
        query = (
            select(Claim)
            .where(
                col(Claim.show_id) == claim.show_id,
                col(Claim.viewer_id) == claim.viewer_id,
                col(Claim.state) == "held",
                col(Claim.opened_by).is_(None),
                col(Claim.expires_at) > self._clock(),
                col(Claim.id) != claim.id,
            )
            .order_by(col(Claim.n))
            .with_for_update()
        )
        return [claim, *await session.exec(query)]

    async def _hand_over(self, session: AsyncSession, claim: Claim, viewer_id: str) -> None:
        query = select(Hold).where(col(Hold.group_id) == claim.hold_id).order_by(col(Hold.id))
        holds = [*await session.exec(query.with_for_update().execution_options(populate_existing=True))]
        if not holds or any(one.state != "held" or one.viewer_id != claim.viewer_id for one in holds):
            raise Conflict("claim_over", OVER)
        for one in holds:
            one.viewer_id = viewer_id
        claim.opened_by, claim.updated_at = viewer_id, self._clock()


def plain(name: str) -> str:
    """A handle as people type it."""
    return "".join(one for one in unmarked(name[:100]) if one.isalnum())


def viewer_for(claim: Claim, slug: str) -> Viewer:
    """The person on their platform, as somebody who can wait in line."""
    return Viewer(claim.viewer_id, claim.show_id, claim.brand_id, slug)


def hold_key(claim_id: UUID, round_: int) -> str:
    """The reservation's key: the same until it is offered again."""
    return f"claim-{claim_id}-{round_}"
