"""What an offer must be before it goes live, in plain words. Pure.

**No re-run.** Within one show, a price that a variant had in an offer is over for that variant with that
offer: no later offer of any kind may have it again, and no copy of it, whole or in part. What makes two the
same is in `terms_of`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from uuid import UUID

from hub.offers.goods import Goods
from hub.offers.models import Offer, OfferItem, OfferTier
from hub.offers.pricing import discounted, offered, stepped

LONGEST_MINUTES: Final = 24 * 60
BEST_MINUTES: Final = (5, 10)
CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,31}")
PERCENT_IN_WORDS: Final = re.compile(
    r"(\d{1,3})\s*(?:%|percent|prozent|pour ?cent|por ?ciento)", re.IGNORECASE
)


@dataclass(frozen=True)
class Problem:
    """Why it can't go live; `field` is where in the editor."""

    field: str
    text: str


@dataclass(frozen=True)
class Draft:
    """An offer with its parts. `goods` has those of its variants that exist."""

    offer: Offer
    items: Sequence[OfferItem] = ()
    tiers: Sequence[OfferTier] = ()
    goods: Mapping[UUID, Goods] | None = None

    def lines(self) -> list[tuple[OfferItem, Goods]]:
        """Its variants, as far as they exist."""
        known = self.goods or {}
        return [(item, known[item.variant_id]) for item in self.items if item.variant_id in known]

    def steps(self, item: OfferItem, goods: Goods) -> list[int]:
        """Every unit price this variant can have in the offer, the first tier first."""
        if self.offer.kind == "tiers":
            return [stepped(goods.list_minor, tier.percent_off, item.list_minor) for tier in self.tiers]
        return [offered(goods.list_minor, percent_off=self.offer.percent_off, unit_minor=item.unit_minor)]

    @property
    def exhausted(self) -> bool:
        """Whether all of it is taken: its units, or the last of its steps. Without a limit it never is."""
        counted = self.tiers if self.offer.kind == "tiers" else (self.offer,)
        return all(one.units is not None and one.taken >= one.units for one in counted)

    @property
    def available(self) -> int:
        """Units in stock; of a bundle whole sets."""
        if self.offer.kind != "bundle":
            return sum(goods.available for _, goods in self.lines())
        return min((goods.available // item.quantity for item, goods in self.lines()), default=0)

    @property
    def set_minor(self) -> int:
        """What one set of a bundle costs."""
        return sum(item.quantity * self.steps(item, goods)[0] for item, goods in self.lines())

    @property
    def set_was_minor(self) -> int | None:
        """What the parts of a bundle cost apart, by prices that count; None while one of them has none."""
        parts = [(goods.was_minor, item.quantity) for item, goods in self.lines()]
        known = [minor * quantity for minor, quantity in parts if minor is not None]
        return sum(known) if len(known) == len(parts) else None


def claimed(was_minor: int | None, unit_minor: int) -> int | None:
    """The percentage that may be said aloud, or None: only against a price that counts, never too high.

    A price made by rounding half up is still called by the percentage it was made with.
    """
    if not was_minor or unit_minor >= was_minor:
        return None
    percent = 100 * (was_minor - unit_minor) // was_minor
    if percent < 99 and discounted(was_minor, percent + 1) == unit_minor:
        percent += 1
    return percent or None


def terms_of(draft: Draft) -> list[str]:
    """A word per variant and price, by which a re-run is recognised; the kind, where no price is reduced."""
    if draft.offer.kind == "bundle":
        parts = sorted(f"{item.variant_id}x{item.quantity}" for item, _ in draft.lines())
        return [f"{'+'.join(parts)}:{draft.set_minor}"]
    words = set()
    for item, goods in draft.lines():
        for step in draft.steps(item, goods):
            what = str(step) if step < goods.list_minor else draft.offer.kind
            words.add(f"{item.variant_id}:{what}")
    return sorted(words)


def problems(draft: Draft) -> list[Problem]:
    """Everything that is in the way, or nothing."""
    found = _coupon(draft.offer) if draft.offer.kind == "coupon" else _automatic(draft)
    return [*found, *_goods(draft), *_words(draft)]


def _coupon(offer: Offer) -> Iterable[Problem]:
    if not CODE.fullmatch(offer.code or ""):
        yield Problem("code", "Give the coupon a code of 3 to 32 letters, digits, dashes or underscores.")
    if bool(offer.percent_off) == bool(offer.amount_off_minor):
        yield Problem("percent_off", "Say what the coupon takes off: either a percentage or an amount.")
    if (offer.amount_off_minor or offer.min_total_minor) and not offer.currency:
        yield Problem("currency", "Say in which currency the amounts are.")
    if offer.members_minutes or offer.own_site_only:
        yield Problem("members_minutes", "A coupon is for whoever has its code. Take the early access out.")


def _automatic(draft: Draft) -> Iterable[Problem]:
    offer = draft.offer
    if offer.show_id is None:
        yield Problem("show_id", "Choose the show this offer belongs to.")
    if not draft.items:
        yield Problem("items", "Choose at least one product.")
    if offer.code or offer.amount_off_minor or offer.min_total_minor:
        yield Problem("code", "Codes, amounts off an order and minimum totals belong to coupons.")
    yield from {
        "flash": _flash,
        "quantity": _quantity,
        "tiers": _tiers,
        "bundle": _bundle,
        "early_access": _early_access,
        "live_exclusive": _live_exclusive,
    }[offer.kind](draft)


def _flash(draft: Draft) -> Iterable[Problem]:
    if not draft.offer.minutes:
        yield Problem("minutes", "A flash offer needs an end. 5 to 10 minutes work best.")
    yield from _reduced(draft)


def _quantity(draft: Draft) -> Iterable[Problem]:
    units = draft.offer.units
    if not units:
        yield Problem("units", "Say how many there are at this price.")
    available = draft.available
    if units and units > available:
        yield Problem("units", f"Only {available} are in stock. The number shown to viewers must be true.")
    yield from _reduced(draft)


def _tiers(draft: Draft) -> Iterable[Problem]:
    tiers = draft.tiers
    if len(tiers) < 2:
        yield Problem("tiers", "Add at least two steps, for example 20 at 40 % and the rest at 20 %.")
    if any(tier.units is None for tier in tiers[:-1]):
        yield Problem("tiers", "Only the last step can be for all the rest. Give the others a number.")
    if any(a.percent_off <= b.percent_off for a, b in pairwise(tiers)):
        yield Problem("tiers", "Each step must take off less than the one before: who is faster pays less.")
    if (
        draft.offer.percent_off
        or draft.offer.units
        or any(item.unit_minor is not None for item in draft.items)
    ):
        yield Problem("percent_off", "The steps say the price and the number. Leave the other fields empty.")


def _bundle(draft: Draft) -> Iterable[Problem]:
    lines = draft.lines()
    if len({goods.currency for _, goods in lines}) > 1:
        yield Problem("items", "Everything in a bundle must be sold in the same currency.")
    if sum(item.quantity * max(1, len(goods.parts)) for item, goods in lines) < 2:
        yield Problem("items", "A bundle has at least two things in it.")
    apart = 0
    for item, goods in lines:
        parts = sum(part.list_minor * part.quantity for part in goods.parts)
        apart += item.quantity * (parts or goods.list_minor)
    if lines and draft.set_minor > apart:
        yield Problem("items", "The bundle costs more than its parts do one by one.")


def _early_access(draft: Draft) -> Iterable[Problem]:
    if not draft.offer.members_minutes:
        yield Problem("members_minutes", "Say for how many minutes only members can buy.")


def _live_exclusive(draft: Draft) -> Iterable[Problem]:
    for _, goods in draft.lines():
        if not goods.live_only:
            yield Problem(
                "items",
                f"{goods.title} can also be bought after the show. Mark it as sold live only under Products,"
                " or don't call it exclusive.",
            )


def _reduced(draft: Draft) -> Iterable[Problem]:
    for item, goods in draft.lines():
        if min(draft.steps(item, goods)) >= goods.list_minor:
            yield Problem("items", f"{goods.title} costs no less than without the offer. Lower its price.")


def _goods(draft: Draft) -> Iterable[Problem]:
    for _, goods in draft.lines():
        if draft.offer.show_id and not goods.in_show:
            yield Problem("items", f"{goods.title} is not in this show. Add it to the show first.")
    if len(draft.lines()) < len(draft.items):
        yield Problem("items", "One of the products is no longer in the catalogue. Take it out.")


def _words(draft: Draft) -> Iterable[Problem]:
    """A percentage in the title is a claim like any other."""
    said = [int(number) for number in PERCENT_IN_WORDS.findall(draft.offer.title)]
    if not said or draft.offer.kind == "coupon":
        return
    if draft.offer.kind == "bundle":
        most = claimed(draft.set_was_minor, draft.set_minor) or 0
        if max(said) > most:
            yield Problem("title", f"The title says {max(said)} %, but by its parts' prices it is {most} %.")
        return
    for item, goods in draft.lines():
        most = max((claimed(goods.was_minor, step) or 0 for step in draft.steps(item, goods)), default=0)
        if max(said) > most:
            why = (
                "there is no price history of it yet"
                if goods.was_minor is None
                else (f"against the lowest price of the last 30 days it is {most} %")
            )
            yield Problem("title", f"The title says {max(said)} %, but for {goods.title} {why}.")
