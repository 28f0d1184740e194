"""What the signed records of an offer say. Pure; times are UTC, money is minor units."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from hub.offers.rules import Draft

VERSION = 1


def live_record(draft: Draft, brand: str, show: str | None) -> dict[str, Any]:
    """What is promised: prices, what they were (None: no history), how many, from when to when, for whom.

    A coupon's code is not in it: the record is public.
    """
    offer = draft.offer
    items = []
    for item, goods in draft.lines():
        about: dict[str, Any] = {"variant_id": str(goods.variant_id), "sku": goods.sku}
        about |= {"title": goods.title, "quantity": item.quantity}
        money = {"currency": goods.currency, "list_minor": goods.list_minor, "was_minor": goods.was_minor}
        steps = [] if offer.kind == "coupon" else draft.steps(item, goods)
        items.append({**about, **money, "unit_minor": steps})
    coupon = {
        "percent_off": offer.percent_off,
        "amount_off_minor": offer.amount_off_minor,
        "currency": offer.currency,
        "min_total_minor": offer.min_total_minor,
    }
    return {
        "version": VERSION,
        "what": "offer went live",
        "offer_id": str(offer.id),
        "brand": brand,
        "show": show,
        "kind": offer.kind,
        "title": offer.title,
        "live_at": utc(offer.live_at),
        "starts_at": utc(offer.starts_at),
        "ends_at": utc(offer.ends_at),
        "units": offer.units,
        "per_buyer": offer.per_buyer,
        "members_until": utc(offer.members_until),
        "own_site_only": offer.own_site_only,
        "for_some": offer.segment_id is not None,
        "stackable": offer.stackable,
        "items": items,
        "tiers": [{"percent_off": tier.percent_off, "units": tier.units} for tier in draft.tiers],
        "coupon": coupon if offer.kind == "coupon" else None,
    }


def ended_record(draft: Draft) -> dict[str, Any]:
    """What it came to, tied to what was promised by the hash of that."""
    offer = draft.offer
    return {
        "version": VERSION,
        "what": "offer ended",
        "offer_id": str(offer.id),
        "ended_at": utc(offer.ended_at),
        "why": offer.ended_why,
        "sold": offer.taken,
        "tiers": [{"units": tier.units, "sold": tier.taken} for tier in draft.tiers],
        "live_sha256": hashlib.sha256((offer.signature or "").encode()).hexdigest(),
    }


def utc(moment: datetime | None) -> str | None:
    """RFC 3339, or nothing."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
