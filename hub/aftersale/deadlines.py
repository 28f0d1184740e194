"""Until when a buyer may go back on an order. Pure: the clock is the caller's.

Two rights stand side by side, and neither shortens the other:

- ours, in every country: one tap within 24 hours of the order;
- the law's, in the EU, the EEA and the United Kingdom: 14 days from the day the goods arrive
  (Directive 2011/83/EU, Art. 9).

Days are counted as Regulation (EEC, Euratom) 1182/71, Art. 3, counts them: the day of arrival is not one of
them, the last one ends at midnight where the buyer is, and when it is a Saturday, a Sunday or a public
holiday, the period ends with the next working day. Where we don't know better, the answer is the later one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

CANCEL_FOR: Final = timedelta(hours=24)
LEGAL_DAYS: Final = 14

ZONES: Final = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EE": "Europe/Tallinn",
    "ES": "Atlantic/Canary",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GF": "America/Cayenne",
    "GP": "America/Guadeloupe",
    "GR": "Europe/Athens",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IS": "Atlantic/Reykjavik",
    "IT": "Europe/Rome",
    "LI": "Europe/Vaduz",
    "LT": "Europe/Vilnius",
    "LU": "Europe/Luxembourg",
    "LV": "Europe/Riga",
    "MQ": "America/Martinique",
    "MT": "Europe/Malta",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "PT": "Atlantic/Azores",
    "RE": "Indian/Reunion",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
    "YT": "Indian/Mayotte",
}
"""Countries with the right, and the zone in which their days end; of several, the one where they end last."""

LATEST_ZONE: Final = "Atlantic/Azores"

FIXED_HOLIDAYS: Final = frozenset(
    {(1, 1), (1, 6), (5, 1), (8, 15), (11, 1), (12, 24), (12, 25), (12, 26), (12, 31)}
)
AROUND_EASTER: Final = (-2, 1, 39, 50)
"""Good Friday, Easter Monday, Ascension and Whit Monday, in days from Easter Sunday."""


@dataclass(frozen=True)
class Deadline:
    """A right ends the moment `until` is reached. `last_day` is as the buyer's calendar says it.

    `counted_from`: the delivery; or, where none was noted, the latest day on which it may have come.
    """

    until: datetime
    last_day: date
    counted_from: Literal["delivery", "longest_delivery"]


def cancel_until(placed_at: datetime) -> datetime:
    """The end of the 24 hours."""
    return placed_at + CANCEL_FOR


def has_legal_right(country: str | None) -> bool:
    """Whether the law of the buyer's country gives the 14 days. Of an unknown country we assume it does."""
    return country is None or country.upper() in ZONES


def zone_of(country: str | None) -> ZoneInfo:
    """The zone in which the buyer's days end."""
    return ZoneInfo(ZONES.get((country or "").upper(), LATEST_ZONE))


def deadline(
    country: str | None,
    days: int,
    *,
    placed_at: datetime,
    delivered_at: datetime | None,
    longest_delivery_days: int,
) -> Deadline:
    """When a period of so many days ends: from the delivery on, or from the latest day it may have come."""
    zone = zone_of(country)
    if delivered_at:
        begun = delivered_at.astimezone(zone).date()
    else:
        begun = placed_at.astimezone(zone).date() + timedelta(days=longest_delivery_days)
    last = begun + timedelta(days=days)
    while not is_working_day(last):
        last += timedelta(days=1)
    midnight = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
    return Deadline(midnight.astimezone(UTC), last, "delivery" if delivered_at else "longest_delivery")


def longest_stated(days: str) -> int | None:
    """The longest time a shipping method states: 4 for "2–4 days"; None where it states none.

    Working days are made into calendar days with a weekend for every five begun; weeks count seven.
    """
    numbers = [int(found) for found in re.findall(r"\d{1,3}", days)]
    if not numbers:
        return None
    longest, words = max(numbers), days.lower()
    if "week" in words or "woche" in words:
        return longest * 7
    if any(word in words for word in ("working", "business", "werktag", "workday")):
        return longest + 2 * -(-longest // 5)
    return longest


def is_working_day(day: date) -> bool:
    """Neither at a weekend nor a holiday that several of these countries keep.

    National days are not known here; holidays of one country lengthen the period in all, never shorten it.
    """
    moving = {easter(day.year) + timedelta(days=days) for days in AROUND_EASTER}
    return day.weekday() < 5 and (day.month, day.day) not in FIXED_HOLIDAYS and day not in moving


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)
