"""What a browser that agreed is called by Google, Meta and TikTok, and the clicks on ads it came by."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, StringConstraints
from sqlalchemy import text
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import Browser
from hub.clock import Clock
from hub.conversions.models import AdIds
from hub.conversions.permits import Allowed
from hub.db import run
from hub.secrets import Vault

KEEP: Final = timedelta(days=90)
"""As long as Meta's own cookie of a click lasts."""
CLICKS: Final = text(
    """
    SELECT click_ids, at FROM touch
    WHERE brand_id = :brand_id AND visitor_id = :visitor_id AND at > :since AND click_ids::text <> '{}'
    ORDER BY at DESC LIMIT 20
    """
)
NOBODYS: Final = tuple(
    ipaddress.ip_network(one)
    for one in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""Addresses of networks behind a router or proxy: the same in every house."""
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,500}$")]


class Seen(BaseModel):
    """What a page reads from its own cookies and address. Spelling and case are kept."""

    ga_client: Annotated[str, StringConstraints(pattern=r"^\d{1,20}\.\d{1,20}$")] | None = None
    ga_sessions: dict[
        Annotated[str, StringConstraints(pattern=r"^G-[A-Z0-9]{4,20}$")],
        Annotated[str, StringConstraints(pattern=r"^\d{1,20}$")],
    ] = Field(default_factory=dict, max_length=10)
    gclid: Token | None = None
    fbp: Annotated[str, StringConstraints(pattern=r"^fb\.\d\.\d{5,20}\.[A-Za-z0-9_.\-]{1,200}$")] | None = (
        None
    )
    fbc: Annotated[str, StringConstraints(pattern=r"^fb\.\d\.\d{5,20}\.[A-Za-z0-9_.\-]{1,500}$")] | None = (
        None
    )
    fbclid: Token | None = None
    ttp: Token | None = None
    ttclid: Token | None = None


class AdIdBook:
    """Keeps them for as long as the person agrees."""

    def __init__(self, clock: Clock, vault: Vault) -> None:
        self._clock = clock
        self._vault = vault

    async def note(
        self,
        session: AsyncSession,
        brand_id: UUID,
        visitor_id: str,
        seen: Seen,
        allowed: Allowed,
        *,
        ip: str | None,
        user_agent: str | None,
    ) -> bool:
        """Keep what may be kept and forget the rest; False when that is nothing at all."""
        row = await self._row(session, brand_id, visitor_id)
        ads = allowed.ads and not allowed.gpc
        if not (ads or allowed.analytics):
            if row:
                await session.delete(row)
            return False
        if row is None:
            row = AdIds(brand_id=brand_id, visitor_id=visitor_id, at=self._clock())
        self._google(row, seen, allowed.analytics)
        self._advertisers(row, seen, ads, ip, user_agent)
        row.at = self._clock()
        session.add(row)
        await session.flush()
        return True

    async def of(self, session: AsyncSession, brand_id: UUID, visitor_id: str | None) -> Browser:
        """What is known of a browser; the clicks, too, that its visits tell of and no cookie does."""
        if visitor_id is None:
            return Browser()
        row = await self._row(session, brand_id, visitor_id)
        since = self._clock() - KEEP
        values = {"brand_id": brand_id, "visitor_id": visitor_id, "since": since}
        found: dict[str, str] = {}
        for touch in (await run(session, CLICKS, values)).all():
            found = clicks_in(touch.click_ids, touch.at) | found
        if row is None or row.at <= since:
            return Browser(**found)
        sealed = {"ip": row.ip_sealed, "user_agent": row.user_agent_sealed}
        opened = {name: SecretStr(self._vault.open(one)) for name, one in sealed.items() if one}
        kept = row.model_dump(
            include={"ga_client", "gclid", "fbp", "fbc", "ttp", "ttclid"}, exclude_none=True
        )
        return Browser.model_validate({"ga_sessions": row.ga_sessions} | found | kept | opened)

    async def forget(self, session: AsyncSession) -> None:
        """What is too old to be of use."""
        await session.exec(delete(AdIds).where(col(AdIds.at) <= self._clock() - KEEP))

    async def _row(self, session: AsyncSession, brand_id: UUID, visitor_id: str) -> AdIds | None:
        query = select(AdIds).where(col(AdIds.brand_id) == brand_id, col(AdIds.visitor_id) == visitor_id)
        return (await session.exec(query)).first()

    def _google(self, row: AdIds, seen: Seen, allowed: bool) -> None:
        if not allowed:
            row.ga_client, row.ga_sessions = None, {}
            return
        row.ga_client = seen.ga_client or row.ga_client
        row.ga_sessions = row.ga_sessions | seen.ga_sessions

    def _advertisers(
        self, row: AdIds, seen: Seen, allowed: bool, ip: str | None, user_agent: str | None
    ) -> None:
        if not allowed:
            row.gclid = row.fbp = row.fbc = row.ttp = row.ttclid = None
            row.ip_sealed = row.user_agent_sealed = None
            return
        row.gclid, row.ttclid = seen.gclid or row.gclid, seen.ttclid or row.ttclid
        row.fbp, row.ttp = seen.fbp or row.fbp, seen.ttp or row.ttp
        row.fbc = fbc_of(seen, row.fbc, self._clock())
        row.ip_sealed = self._vault.seal(ip) if ip and tells_somebody(ip) else row.ip_sealed
        row.user_agent_sealed = self._vault.seal(user_agent[:500]) if user_agent else row.user_agent_sealed


def tells_somebody(ip: str) -> bool:
    """Whether an address may be a buyer's: not a proxy's of ours, nor one that anybody's network has."""
    try:
        found = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return not any(found.version == network.version and found in network for network in NOBODYS)


def fbc_of(seen: Seen, kept: str | None, now: datetime) -> str | None:
    """Meta's cookie of the click, or one made as Meta says from the address alone, once for each click."""
    if seen.fbc:
        return seen.fbc
    if seen.fbclid and not (kept or "").endswith(f".{seen.fbclid}"):
        return f"fb.1.{int(now.timestamp() * 1000)}.{seen.fbclid}"
    return kept


def clicks_in(click_ids: dict[str, object], at: datetime) -> dict[str, str]:
    """The clicks that a visit's address told of."""
    known = {
        name: str(value) for name, value in click_ids.items() if re.fullmatch(r"[\w.\-]{1,500}", str(value))
    }
    found: dict[str, str] = {name: known[name] for name in ("gclid", "ttclid") if name in known}
    if "fbclid" in known:
        found["fbc"] = f"fb.1.{int(at.timestamp() * 1000)}.{known['fbclid']}"
    return found
