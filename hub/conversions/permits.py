"""Whether a person agreed to what an account is for: asked when something is queued, and when it is sent."""

from __future__ import annotations

from typing import Final, Literal, Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from connectors.types import ConversionConsent

GPC: Final = "The buyer's browser asks not to share or sell data (Global Privacy Control)."
NO_ADS: Final = "The buyer did not agree to advertising."
NO_ANALYTICS: Final = "The buyer did not agree to analytics."


class Allowed(Protocol):
    """What may be done with a person's data."""

    @property
    def analytics(self) -> bool: ...
    @property
    def ads(self) -> bool: ...
    @property
    def gpc(self) -> bool: ...


class Book(Protocol):
    """Knows what people agreed to (`hub.consent.book`)."""

    async def of(
        self,
        session: AsyncSession,
        brand_id: UUID,
        visitor_id: str | None = None,
        customer_id: UUID | None = None,
    ) -> Allowed:
        """What this browser and this person allow."""
        ...


def withheld(allowed: Allowed, purpose: Literal["analytics", "ads"]) -> str | None:
    """Why an account of this purpose must not hear of it; None when it may."""
    if purpose == "analytics":
        return None if allowed.analytics else NO_ANALYTICS
    if allowed.gpc:
        return GPC
    return None if allowed.ads else NO_ADS


def consent_of(allowed: Allowed) -> ConversionConsent:
    """As connectors know it."""
    ads = allowed.ads and not allowed.gpc
    return ConversionConsent(analytics=allowed.analytics, ads=ads, opted_out=allowed.gpc)
