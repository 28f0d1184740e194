"""The rules that make a score. Pure; a brand may change points and limits of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from connectors.types import Money

MOST: Final = 100
THROWAWAY: Final = frozenset(
    (
        *("10minutemail.com", "discard.email", "dispostable.com", "fakeinbox.com", "getnada.com"),
        *("guerrillamail.com", "maildrop.cc", "mailinator.com", "mailnesia.com", "moakt.com"),
        *("sharklasers.com", "temp-mail.org", "tempmail.com", "throwawaymail.com", "trashmail.com"),
        *("yopmail.com", "mohmal.com", "mintemail.com", "spamgourmet.com", "tempr.email"),
    )
)
"""Mailboxes that anybody may open and that are gone after minutes."""
DIGITS: Final = re.compile(r"\d{6,}")
CONSONANTS: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]{7,}")

Unit = Literal["money", "times", "seconds", "count", "none"]


@dataclass(frozen=True)
class Signals:
    """What is known about an order at the moment it is placed.

    `usual_minor`: the brand's median order, None while there are too few. `orders_before`, `shows_before`:
    this buyer's. `seconds_here`: since they were first seen. `declines`: refused cards within the hour;
    `emails`, `addresses`: different ones within a day; `let_go`: reservations not paid in this show.
    """

    total_minor: int
    currency: str
    quantity: int = 1
    email: str = ""
    signed_in: bool = False
    usual_minor: int | None = None
    orders_before: int = 0
    shows_before: int = 0
    seconds_here: int | None = None
    declines: int = 0
    emails: int = 1
    addresses: int = 1
    let_go: int = 0
    chatted: bool = False


@dataclass(frozen=True)
class Reason:
    """Why an order scored what it did."""

    rule: str
    sentence: str
    points: int


@dataclass(frozen=True)
class Rule:
    """`says` answers the sentence when the rule applies, None when not."""

    id: str
    title: str
    points: int
    limit: int
    unit: Unit
    says: Callable[[Signals, int], str | None]


def said(applies: bool, sentence: str) -> str | None:
    """The sentence, where it is true."""
    return sentence if applies else None


def money(minor: int, currency: str) -> str:
    """An amount as people write it."""
    return f"{Money(amount=minor, currency=currency).decimal()} {currency}"


def long(seconds: int) -> str:
    """A stretch of time in words."""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' if count > 1 else ''}"
    return "a moment"


def first_show(signals: Signals, _: int) -> str | None:
    """Nobody has seen this person before."""
    if signals.shows_before or signals.orders_before:
        return None
    if signals.seconds_here is None:
        return "First time here: this is the first show they watch."
    return f"First time here: first seen {long(signals.seconds_here)} ago, in this show."


def high_amount(signals: Signals, limit: int) -> str | None:
    """Worth a second look by itself."""
    amount, from_ = money(signals.total_minor, signals.currency), money(limit, signals.currency)
    return said(signals.total_minor >= limit, f"{amount} is a high amount (you look from {from_} on).")


def far_above(signals: Signals, limit: int) -> str | None:
    """Not what people spend here."""
    if not signals.usual_minor:
        return None
    times = signals.total_minor / signals.usual_minor
    usual = money(signals.usual_minor, signals.currency)
    return said(times >= limit, f"{int(times)} times what people usually spend here ({usual}).")


def fast(signals: Signals, limit: int) -> str | None:
    """Nobody reads that fast."""
    here = signals.seconds_here
    seconds = here or 0
    quick = here is not None and here < limit
    return said(quick, f"Bought {long(seconds)} after opening the page for the first time.")


def odd_email(signals: Signals, _: int) -> str | None:
    """A throw-away mailbox, or a name that looks made by a program."""
    local, _at, domain = signals.email.strip().lower().rpartition("@")
    if domain in THROWAWAY:
        return "The e-mail address is of a kind that is thrown away after use."
    odd = DIGITS.search(local) or CONSONANTS.search(local)
    return said(bool(odd), "The e-mail address looks as if a program had made it up.")


RULES: Final = (
    Rule(
        *("first_purchase", "Has never bought from you", 20, 0, "none"),
        lambda signals, _: said(signals.orders_before == 0, "Has never bought from you."),
    ),
    Rule("first_show", "Is here for the first time", 20, 0, "none", first_show),
    Rule("high_amount", "The order is high", 40, 100_000, "money", high_amount),
    Rule("far_above", "Many times what people usually spend", 15, 8, "times", far_above),
    Rule("fast", "Bought within seconds of the first visit", 10, 20, "seconds", fast),
    Rule(
        *("many_pieces", "Many pieces at once", 10, 5, "count"),
        lambda signals, limit: said(signals.quantity >= limit, f"{signals.quantity} pieces at once."),
    ),
    Rule(
        *("declines", "Several cards declined before", 20, 2, "count"),
        lambda signals, limit: said(
            signals.declines >= limit, f"{signals.declines} payments were declined within the hour before."
        ),
    ),
    Rule(
        *("emails", "Several e-mail addresses", 15, 3, "count"),
        lambda signals, limit: said(
            signals.emails >= limit,
            f"{signals.emails} e-mail addresses were used from one browser or for one home within a day.",
        ),
    ),
    Rule(
        *("addresses", "Several delivery addresses", 15, 3, "count"),
        lambda signals, limit: said(
            signals.addresses >= limit, f"Orders to {signals.addresses} different addresses within a day."
        ),
    ),
    Rule("odd_email", "An odd e-mail address", 10, 0, "none", odd_email),
    Rule(
        *("let_go", "Reserved and not paid before", 10, 3, "count"),
        lambda signals, limit: said(
            signals.let_go >= limit, f"Let {signals.let_go} reservations go in this show without paying."
        ),
    ),
    Rule(
        *("chatted", "Takes part in the chat", -5, 0, "none"),
        lambda signals, _: said(signals.chatted, "Takes part in the chat of this show."),
    ),
    Rule(
        *("signed_in", "Is signed in", -5, 0, "none"),
        lambda signals, _: said(signals.signed_in, "Is signed in with their e-mail address."),
    ),
    Rule(
        *("loyal", "Has bought and paid before", -20, 3, "count"),
        lambda signals, limit: said(
            signals.orders_before >= limit, f"Has paid {signals.orders_before} orders before."
        ),
    ),
)
BY_ID: Final = {rule.id: rule for rule in RULES}
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def judged(signals: Signals, tuned: Mapping[str, Mapping[str, Any]]) -> tuple[int, list[Reason]]:
    """(score of 100, the reasons, heaviest first). `tuned`: the brand's {rule: {points, limit, on}}."""
    reasons = []
    for rule in RULES:
        own = tuned.get(rule.id, {})
        if not own.get("on", True):
            continue
        sentence = rule.says(signals, own.get("limit", rule.limit))
        if sentence:
            reasons.append(Reason(rule.id, sentence, own.get("points", rule.points)))
    score = sum(reason.points for reason in reasons)
    return max(0, min(MOST, score)), sorted(reasons, key=lambda reason: -reason.points)
