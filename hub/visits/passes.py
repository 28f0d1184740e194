"""Passes that carry a visitor from the watch page to the brand's own shop and back, and the visitor's cookie.

A pass (`sh_v` in an address) is `visitor.until.nonce.mac`: good for two minutes, for one host, once. The shop
trades it for the visitor's id and a ticket; with the ticket it asks for a fresh pass whenever a buyer follows
a link back. None is given without consent to analytics, nor for any host but the brand's own.

A visitor's id alone opens nothing: the cookie that brings back a cart is signed, too.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from sqlalchemy import delete, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.consent.book import ConsentBook
from hub.db import run
from hub.links.models import ShopHost
from hub.secrets import Vault
from hub.visits.coming import CARRIED
from hub.visits.models import VisitorPass
from hub.visits.referrers import host_of

PASS_LASTS: Final = timedelta(minutes=2)
TICKET_LASTS: Final = timedelta(hours=24)
LONGEST: Final = 300
USE: Final = text(
    "INSERT INTO visitor_pass (id, brand_id, until) VALUES (:id, :brand, :until) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class Carried:
    """Who came with a pass, to which brand."""

    visitor_id: str
    brand_id: UUID


class Passes:
    """Signs and reads them."""

    def __init__(self, clock: Clock, vault: Vault, consent_book: ConsentBook, site: str) -> None:
        self._clock = clock
        self._book = consent_book
        self._pass_key = vault.signing_key("visitor-pass")
        self._ticket_key = vault.signing_key("visitor-ticket")
        self._cookie_key = vault.signing_key("visitor-cookie")
        self.site_host = host_of(site) or "localhost"

    def cookie(self, visitor_id: str) -> str:
        """What the browser keeps."""
        return f"{visitor_id}.{mac(self._cookie_key, visitor_id)}"

    def kept(self, cookie: str) -> str | None:
        """Whose cookie it is; None for anything we have not written."""
        visitor_id, _, signature = cookie.partition(".")
        same = hmac.compare_digest(mac(self._cookie_key, visitor_id).encode(), signature.encode())
        return visitor_id if same else None

    async def sign(self, session: AsyncSession, brand_id: UUID, visitor_id: str, url: str) -> str:
        """The address with a pass; unchanged where none is due: another host, no TLS, no consent."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return url
        host = host_of(url)
        if parts.scheme != "https" or host is None or parts.username is not None:
            return url
        if host not in await self.hosts(session, brand_id) or not await self._may(
            session, brand_id, visitor_id
        ):
            return url
        query = [(name, value) for name, value in parse_qsl(parts.query, True) if name != CARRIED]
        query.append((CARRIED, self._fresh(brand_id, visitor_id, host)))
        return urlunsplit(parts._replace(query=urlencode(query)))

    async def read(self, session: AsyncSession, brand_id: UUID, value: str, host: str) -> str | None:
        """Whose pass it is, and it is used up; None for one altered, too old, used or for elsewhere."""
        parts = value[:LONGEST].split(".")
        if len(parts) != 4 or not same(self._pass_key, parts, str(brand_id), host):
            return None
        visitor_id, until, nonce, _ = parts
        now, ends = self._clock(), datetime.fromtimestamp(int(until), UTC)
        if ends <= now:
            return None
        await session.exec(delete(VisitorPass).where(col(VisitorPass.until) < now))
        used = await run(session, USE, {"id": nonce, "brand": brand_id, "until": ends})
        return visitor_id if used.rowcount else None

    async def trade(self, session: AsyncSession, value: str, host: str) -> tuple[Carried, str] | None:
        """The shop at `host` takes a pass in: who it is, and the ticket for the way back."""
        found = select(ShopHost.brand_id).where(col(ShopHost.host) == host)
        for brand_id in (await session.exec(found)).all():
            if visitor_id := await self.read(session, brand_id, value, host):
                carried = Carried(visitor_id, brand_id)
                return carried, self._ticket(carried, host)
        return None

    async def back(self, session: AsyncSession, ticket: str, host: str) -> str | None:
        """A fresh pass for our own site, for the shop at `host`; None for a ticket that is no good."""
        parts = ticket[:LONGEST].split(".")
        if len(parts) != 4 or not same(self._ticket_key, parts, host):
            return None
        visitor_id, until, brand, _ = parts
        brand_id = UUID(hex=brand)
        over = datetime.fromtimestamp(int(until), UTC) <= self._clock()
        if over or host not in await self.hosts(session, brand_id):
            return None
        if not await self._may(session, brand_id, visitor_id):
            return None
        return self._fresh(brand_id, visitor_id, self.site_host)

    async def hosts(self, session: AsyncSession, brand_id: UUID) -> frozenset[str]:
        """Hosts of the brand's own shop."""
        query = select(ShopHost.host).where(col(ShopHost.brand_id) == brand_id)
        return frozenset((await session.exec(query)).all())

    async def _may(self, session: AsyncSession, brand_id: UUID, visitor_id: str) -> bool:
        return (await self._book.of(session, brand_id, visitor_id=visitor_id)).analytics

    def _fresh(self, brand_id: UUID, visitor_id: str, host: str) -> str:
        until = int((self._clock() + PASS_LASTS).timestamp())
        said = f"{visitor_id}.{until}.{secrets.token_urlsafe(9)}"
        return f"{said}.{mac(self._pass_key, said, str(brand_id), host)}"

    def _ticket(self, carried: Carried, host: str) -> str:
        until = int((self._clock() + TICKET_LASTS).timestamp())
        said = f"{carried.visitor_id}.{until}.{carried.brand_id.hex}"
        return f"{said}.{mac(self._ticket_key, said, host)}"


def mac(key: bytes, *said: str) -> str:
    """HMAC-SHA256 of these words, its first 128 bits."""
    digest = hmac.digest(key, "\n".join(said).encode(), "sha256")[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def same(key: bytes, parts: list[str], *beside: str) -> bool:
    """Whether the last part signs the others."""
    expected = mac(key, ".".join(parts[:-1]), *beside)
    return hmac.compare_digest(expected.encode(), parts[-1].encode())
