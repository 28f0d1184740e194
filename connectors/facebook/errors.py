"""What the Graph API's error codes mean. Source: Graph API "Handle errors" and rate limit pages, v26.0."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import retry_after

DOWN = frozenset({1, 2})
THROTTLED = frozenset({4, 17, 32, 341, 613, 80001, 80002, 80009, 80014})
LOGIN = frozenset({102, 190})
PERMISSION = frozenset({10, 283, *range(200, 300)} - {210})
"""210 is about a person whom the Page cannot see, not about us."""
ANSWERED, CLOSED, UNREACHABLE, NO_MESSAGES = "answered", "closed", "unreachable", "permission"
"""Why there is no private answer (`replies.py`)."""
THROTTLE_SECONDS = 300.0
"""Calls made while throttled lengthen the penalty, so never less than this without being told."""

WHY_LOGIN = {
    458: "The app was removed from this Facebook account.",
    459: "Facebook wants you to sign in on facebook.com first.",
    460: "The password of this Facebook account was changed.",
    463: "The Facebook login has expired.",
    464: "Facebook wants you to sign in on facebook.com first.",
    467: "The Facebook login was invalidated.",
}
SENTENCES = {
    "3": "This Facebook app may not use live video; it needs app review.",
    "100/33": "Facebook no longer knows this live video or comment, or hides it from this login.",
    "100/2018292": "Facebook no longer knows this comment, or hides it from this login.",
    "210": "Facebook no longer shows this person to the Page.",
    "368": "Facebook has blocked this Page from writing for a while because it wrote too much alike.",
    "506": "Facebook already has exactly this comment.",
    "2635": "Facebook no longer offers this version of its API.",
}
ALONE = "Facebook lets the Page write no private message to this person."
REPLIES = {
    # The 10900s are as others report them, not in Meta's documentation.
    "10900": (ANSWERED, "This comment was answered already. Facebook allows one private answer per comment."),
    "10903": (UNREACHABLE, ALONE),
    "10904": (UNREACHABLE, "This Page has its messages switched off."),
    "551": (UNREACHABLE, ALONE),
    "10/2018278": (CLOSED, "This comment is too old: Facebook allows a private answer for seven days."),
}


class Lacking(Reconnect):
    """The login is alive, but was not allowed this."""


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """For the calls that go through `session.http`: the codes decide, not the HTTP status, be it 200."""
    if status < 400 and b'"error"' not in body[:200]:
        return None
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return graph_error(error, status, headers, write=False) if isinstance(error, dict) else None


def graph_error(
    error: Mapping[str, Any], status: int, headers: Mapping[str, str], *, write: bool
) -> ConnectorError:
    """The error an `{"error": {...}}` body means. Header names are lower case."""
    code, subcode = int(error.get("code") or 0), int(error.get("error_subcode") or 0)
    name = f"{code}/{subcode}" if subcode else str(code or status)
    if known := REPLIES.get(name) or REPLIES.get(str(code)):
        return Refused(known[1], code=known[0])
    if code in LOGIN or (status == 401 and not code):
        why = WHY_LOGIN.get(subcode, "Facebook no longer accepts this login.")
        return Reconnect(f"{why} Link the account again.")
    if code in THROTTLED or status == 429:
        wait = minutes_to_regain(headers) * 60
        return RetryLater("Facebook asks us to slow down.", wait or retry_after(headers, THROTTLE_SECONDS))
    if code in DOWN or status >= 500 or error.get("is_transient"):
        return RetryLater(f"Facebook is down ({code or status}).", retry_after(headers, 5.0), unknown=write)
    if code in PERMISSION:
        return Lacking("This Facebook login lacks a permission. Link the account again and allow all.")
    said = redacted(str(error.get("error_user_msg") or error.get("message") or "no reason given"))
    return Refused(SENTENCES.get(name, f"Facebook refused the request: {said}"), code=name)


def redacted(text: str) -> str:
    """One line without anything long enough to be a token: Facebook quotes malformed tokens back."""
    return re.sub(r"[\w|.\-]{32,}", "[…]", " ".join(text.split()))[:200]


def minutes_to_regain(headers: Mapping[str, str]) -> float:
    """From X-Business-Use-Case-Usage: {"<id>": [{"estimated_time_to_regain_access": minutes, …}]}."""
    entries = business(headers).values()
    return max((float(one.get("estimated_time_to_regain_access", 0)) for one in entries), default=0.0)


def counters(headers: Mapping[str, str]) -> dict[str, float]:
    """Percent of each rate limit an answer reports: by header, or by account and type of call."""
    found = {name: usage(headers, name) for name in ("x-app-usage", "x-page-usage")} | business(headers)
    return {name: max(counts) for name, one in found.items() if (counts := counts_of(one))}


def counts_of(entry: Mapping[str, Any]) -> list[float]:
    """What is in percent of a limit."""
    return [float(entry[name]) for name in ("call_count", "total_time", "total_cputime") if name in entry]


def business(headers: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The entries of the business use case header, by account and type."""
    groups = usage(headers, "x-business-use-case-usage").items()
    lists = [(account, group) for account, group in groups if isinstance(group, list)]
    return {
        f"{account} {one.get('type')}": one
        for account, group in lists
        for one in group
        if isinstance(one, dict)
    }


def usage(headers: Mapping[str, str], name: str) -> dict[str, Any]:
    """A usage header; an unreadable one counts as absent, it is only a hint."""
    try:
        found = json.loads(headers.get(name, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
