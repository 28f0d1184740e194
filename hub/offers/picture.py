"""An offer as viewers see it at a moment. Pure: everything that counts is handed in."""

from __future__ import annotations

from datetime import datetime
from typing import get_args
from uuid import UUID

from hub.offers.goods import Goods
from hub.offers.models import Offer, OfferItem, OfferTier
from hub.offers.out import Kind, PartOut, PublicItem, PublicOffer, PublicSet, PublicTier, Standing
from hub.offers.rules import Draft, claimed


def standing(draft: Draft, now: datetime) -> Standing:
    """Where it is in its life, by our clock."""
    offer = draft.offer
    if offer.state == "ended" or (offer.ends_at and offer.ends_at <= now):
        return "ended"
    if offer.starts_at and offer.starts_at > now:
        return "soon"
    return "gone" if draft.exhausted else "open"


def picture(draft: Draft, now: datetime, version: int) -> PublicOffer:
    """A draft comes with the lowest prices; of a launched offer the record says what may be said."""
    offer = draft.offer
    was = _was(draft)
    in_stock = draft.available
    return PublicOffer(
        id=offer.id,
        kind=_kind(offer),
        title=offer.title,
        state=standing(draft, now),
        starts_at=offer.starts_at or now,
        ends_at=offer.ends_at,
        ended_at=offer.ended_at,
        units=offer.units,
        taken=offer.taken,
        left=_left(offer, in_stock),
        per_buyer=offer.per_buyer,
        members_until=offer.members_until,
        segment_id=offer.segment_id,
        own_site_only=offer.own_site_only,
        stackable=offer.stackable,
        items=[_item(draft, item, goods, was.get(goods.variant_id)) for item, goods in draft.lines()],
        tiers=[_tier(draft, n, tier, was, in_stock) for n, tier in enumerate(draft.tiers)],
        bundle=_set(draft, was) if offer.kind == "bundle" and draft.lines() else None,
        record_url=f"/api/v1/public/offers/{offer.id}/record",
        version=version,
    )


def current_tier(tiers: list[OfferTier] | tuple[OfferTier, ...]) -> int:
    """The first step with units left; the last one, when all are taken."""
    for n, tier in enumerate(tiers):
        if tier.units is None or tier.taken < tier.units:
            return n
    return len(tiers) - 1


def _kind(offer: Offer) -> Kind:
    kind: Kind = next(word for word in get_args(Kind) if word == offer.kind)
    return kind


def _was(draft: Draft) -> dict[UUID, int | None]:
    """What the record says, once there is one: what was told at go-live stays true for the offer."""
    if draft.offer.record:
        said = draft.offer.record.get("items", [])
        return {UUID(item["variant_id"]): item["was_minor"] for item in said}
    return {goods.variant_id: goods.was_minor for _, goods in draft.lines()}


def _left(offer: Offer, in_stock: int) -> int | None:
    if offer.units is None:
        return None
    left = offer.units - offer.taken
    return left if offer.kind == "coupon" else min(left, in_stock)


def _item(draft: Draft, item: OfferItem, goods: Goods, was: int | None) -> PublicItem:
    steps = draft.steps(item, goods)
    unit = steps[current_tier(tuple(draft.tiers))] if draft.tiers else steps[0]
    percent = claimed(was, unit)
    return PublicItem(
        variant_id=goods.variant_id,
        title=goods.title,
        quantity=item.quantity,
        unit_minor=unit,
        currency=goods.currency,
        was_minor=was if percent else None,
        percent=percent,
        parts=[PartOut(**vars(part)) for part in goods.parts],
    )


def _set(draft: Draft, was: dict[UUID, int | None]) -> PublicSet:
    lines = draft.lines()
    before = [(was.get(goods.variant_id), item.quantity) for item, goods in lines]
    known = [minor * quantity for minor, quantity in before if minor is not None]
    apart = sum(known) if len(known) == len(lines) else None
    percent = claimed(apart, draft.set_minor)
    return PublicSet(
        unit_minor=draft.set_minor,
        was_minor=apart if percent else None,
        percent=percent,
        currency=lines[0][1].currency,
    )


def _tier(draft: Draft, n: int, tier: OfferTier, was: dict[UUID, int | None], in_stock: int) -> PublicTier:
    prices = {goods.variant_id: draft.steps(item, goods)[n] for item, goods in draft.lines()}
    said = [claimed(was.get(variant), price) for variant, price in prices.items()]
    percents = [percent for percent in said if percent]
    return PublicTier(
        position=tier.position,
        # One number for all variants: the smallest that is true for each of them.
        percent=min(percents) if percents and len(percents) == len(said) else None,
        units=tier.units,
        left=None if tier.units is None else min(tier.units - tier.taken, in_stock),
        prices={str(variant): price for variant, price in prices.items()},
    )
