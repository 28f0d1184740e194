"""Offers over HTTP: the editor, going live and ending, the merchandiser's view, and the public records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.auth.guard import Hub, SignedIn
from hub.auth.service import Staff
from hub.errors import BadInput, Conflict, NotFound
from hub.offers.merch import MerchOut, merch_of
from hub.offers.models import Offer, OfferKey
from hub.offers.out import (
    ItemOut,
    LogOut,
    OfferDetail,
    OfferIn,
    OfferOut,
    Preview,
    RecordOut,
    SignedRecord,
    TierOut,
)
from hub.offers.records import jwk
from hub.offers.results import KindOut, by_kind, results_of
from hub.services import Services

router = APIRouter(tags=["offers"])

API = "/api/v1"
KEYS = "/.well-known/simulcast-offer-keys.json"


class OfferChange(BaseModel):
    """Any fields of a draft; what is not named stays. Read as a whole, so that what is refused is known."""

    model_config = ConfigDict(extra="allow")


@asynccontextmanager
async def audited(hub: Services, staff: Staff, offer_id: UUID, what: str) -> AsyncIterator[None]:
    """A refusal is written into the offer's audit trail before it is answered."""
    try:
        yield
    except (Conflict, BadInput) as error:
        why = f"{what} was refused ({error.code}): {error.detail}"
        await hub.offers.note_refused(staff.brand_id, offer_id, why, str(staff.member_id))
        raise


@router.get(f"{API}/offers")
async def offers(staff: SignedIn, hub: Hub) -> list[OfferOut]:
    """Every offer of the brand with its results, the newest first."""
    async with hub.db.session() as session:
        return await out_of(hub, session, await hub.offers.of_brand(session, staff.brand_id))


@router.get(f"{API}/offers/by-kind")
async def kinds(staff: SignedIn, hub: Hub) -> list[KindOut]:
    """Which kinds of offer convert, and bring buyers back."""
    async with hub.db.session() as session:
        return await by_kind(session, staff.brand_id, hub.clock())


@router.get(f"{API}/shows/{{show_id}}/offers")
async def offers_of_show(show_id: UUID, staff: SignedIn, hub: Hub) -> list[OfferOut]:
    """Those of one show."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await out_of(hub, session, await hub.offers.of_brand(session, staff.brand_id, show.id))


@router.get(f"{API}/shows/{{show_id}}/merch")
async def merch(show_id: UUID, staff: SignedIn, hub: Hub) -> MerchOut:
    """What sells, how fast, and what runs out when."""
    async with hub.db.session() as session:
        show = await hub.shows.get(session, staff.brand_id, show_id)
        return await merch_of(session, show.id, hub.clock())


@router.post(f"{API}/offers", status_code=201)
async def draft(body: OfferIn, staff: SignedIn, hub: Hub) -> OfferOut:
    """A new draft."""
    async with hub.db.session() as session:
        offer = await hub.offers.draft(session, staff.brand_id, body, str(staff.member_id))
        return (await out_of(hub, session, [offer]))[0]


@router.post(f"{API}/offers/preview")
async def sketch(body: OfferIn, staff: SignedIn, hub: Hub) -> Preview:
    """What viewers would see of what is being typed; nothing is kept."""
    async with hub.db.session() as session:
        return await hub.offers.sketch(session, staff.brand_id, body)


@router.get(f"{API}/offers/{{offer_id}}")
async def offer(offer_id: UUID, staff: SignedIn, hub: Hub) -> OfferDetail:
    """One offer, with everything that was done and tried."""
    async with hub.db.session() as session:
        found = await hub.offers.get(session, staff.brand_id, offer_id)
        [shown] = await out_of(hub, session, [found])
        log = [
            LogOut.model_validate(row, from_attributes=True)
            for row in await hub.offers.log_of(session, found)
        ]
        return OfferDetail(**vars(shown), log=log)


@router.patch(f"{API}/offers/{{offer_id}}")
async def change(offer_id: UUID, body: OfferChange, staff: SignedIn, hub: Hub) -> OfferOut:
    """Change a draft. 409 `offer_fixed` once it was launched, whatever is asked; the attempt is kept."""
    wish: dict[str, Any] = body.model_extra or {}
    what = f"A change of {', '.join(sorted(wish))[:200]}"
    async with audited(hub, staff, offer_id, what), hub.db.session() as session:
        found = await hub.offers.get(session, staff.brand_id, offer_id, lock=True)
        await hub.offers.change(session, found, wish, str(staff.member_id))
        return (await out_of(hub, session, [found]))[0]


@router.delete(f"{API}/offers/{{offer_id}}", status_code=204)
async def remove(offer_id: UUID, staff: SignedIn, hub: Hub) -> None:
    """Throw a draft away. What was live stays."""
    async with audited(hub, staff, offer_id, "Removing it"), hub.db.session() as session:
        found = await hub.offers.get(session, staff.brand_id, offer_id, lock=True)
        await hub.offers.remove(session, found)


@router.get(f"{API}/offers/{{offer_id}}/preview")
async def preview(offer_id: UUID, staff: SignedIn, hub: Hub) -> Preview:
    """What viewers would see, which price counts as the one before, and what is in the way."""
    async with hub.db.session() as session:
        return await hub.offers.preview(session, await hub.offers.get(session, staff.brand_id, offer_id))


@router.post(f"{API}/offers/{{offer_id}}/live")
async def go_live(offer_id: UUID, staff: SignedIn, hub: Hub) -> OfferOut:
    """Promise it. Repeatable; from here on its terms never change."""
    async with audited(hub, staff, offer_id, "Going live"), hub.db.session() as session:
        found = await hub.launches.go_live(session, staff.brand_id, offer_id, str(staff.member_id))
        return (await out_of(hub, session, [found]))[0]


@router.post(f"{API}/offers/{{offer_id}}/end")
async def end(offer_id: UUID, staff: SignedIn, hub: Hub) -> OfferOut:
    """End it, for good. Repeatable."""
    async with hub.db.session() as session:
        found = await hub.launches.end(session, staff.brand_id, offer_id, str(staff.member_id))
        return (await out_of(hub, session, [found]))[0]


@router.get(f"{API}/public/offers/{{offer_id}}/record")
async def record(offer_id: UUID, hub: Hub) -> RecordOut:
    """The signed record of an offer that was launched, for whoever wants to check it."""
    async with hub.db.session() as session:
        found = await session.get(Offer, offer_id)
        if found is None or found.record is None or found.signature is None:
            raise NotFound("offer_unknown", "There is no such offer.")
        ended = None
        if found.ended_record and found.ended_signature:
            ended = SignedRecord(record=found.ended_record, jws=found.ended_signature)
        live = SignedRecord(record=found.record, jws=found.signature)
        return RecordOut(live=live, ended=ended, keys_url=f"{hub.settings.site_url()}{KEYS}")


@router.get(KEYS)
async def keys(hub: Hub) -> dict[str, list[dict[str, str]]]:
    """The public keys that offers' records are signed with (a JWK set)."""
    async with hub.db.session() as session:
        found = await session.exec(select(OfferKey).order_by(col(OfferKey.id)))
        return {"keys": [jwk(key) for key in found]}


async def out_of(hub: Services, session: AsyncSession, found: list[Offer]) -> list[OfferOut]:
    """With parts and results."""
    if not found:
        return []
    results = await results_of(session, found)
    return [
        OfferOut(
            **draft.offer.model_dump(include=PLAIN),
            items=[ItemOut.model_validate(item, from_attributes=True) for item in draft.items],
            tiers=[TierOut.model_validate(tier, from_attributes=True) for tier in draft.tiers],
            results=results[draft.offer.id],
            record_url=f"{API}/public/offers/{draft.offer.id}/record" if draft.offer.record else None,
        )
        for draft in await hub.offers.loaded(session, found)
    ]


PLAIN = set(OfferOut.model_fields) - {"items", "tiers", "results", "record_url"}
