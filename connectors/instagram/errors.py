"""What Instagram's error codes mean. Source: Instagram Platform error codes and rate limits, v26.0."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import retry_after

DOWN = frozenset({1, 2})
THROTTLED = frozenset({4, 17, 32, 613, 80001, 80002})
LOGIN = frozenset({102, 190})
PERMISSION = frozenset({3, 10, *range(200, 300)})
THROTTLE_SECONDS = 300.0
"""Calls made while throttled lengthen the penalty, so never less than this without being told."""

RELINK = "Link the account again."
WHY_LOGIN = {
    458: "The app was removed from this Instagram account.",
    460: "The password of this Instagram account was changed.",
    463: "The Instagram login has expired.",
    467: "The Instagram login was invalidated.",
}
GONE, ANSWERED, CLOSED = "100/33", "answered", "closed"
SENTENCES = {
    GONE: "Instagram no longer has this live or comment, or hides it from this login.",
    "100/2534013": "Instagram has no conversation with this person any more.",
    "368": "Instagram has blocked this account from writing for a while because it wrote too much alike.",
}
REPLIES = {
    # Seen by others, not in Instagram's documentation.
    2534014: (ANSWERED, "This comment was answered already. Instagram allows one private reply per comment."),
    2534022: (CLOSED, "The live is over: Instagram lets us answer its comments only while it runs."),
}


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """The codes decide, not the HTTP status, be it 200. What is no JSON is left to the general rule."""
    if status < 400 and b'"error' not in body[:200]:
        return None
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return graph_error(error, status, headers) if isinstance(error, dict) else None


def graph_error(error: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> ConnectorError:
    """The error an `{"error": {...}}` body means. Header names are lower case."""
    code, subcode = int(error.get("code") or 0), int(error.get("error_subcode") or 0)
    if subcode in REPLIES:
        name, sentence = REPLIES[subcode]
        return Refused(sentence, code=name)
    if code in LOGIN or (status == 401 and not code):
        why = WHY_LOGIN.get(subcode, "Instagram no longer accepts this login.")
        return Reconnect(f"{why} {RELINK}")
    if code in THROTTLED or status == 429:
        wait = minutes_to_regain(headers) * 60
        return RetryLater("Instagram asks us to slow down.", wait or retry_after(headers, THROTTLE_SECONDS))
    if code in DOWN or status >= 500 or error.get("is_transient"):
        # Of a write nobody knows; of a read it does not matter.
        return RetryLater(f"Instagram is down ({code or status}).", retry_after(headers, 5.0), unknown=True)
    if code in PERMISSION:
        return Reconnect(f"This Instagram login lacks a permission. {RELINK[:-1]} and allow all.")
    name = f"{code}/{subcode}" if subcode else str(code or status)
    said = redacted(str(error.get("error_user_msg") or error.get("message") or "no reason given"))
    return Refused(SENTENCES.get(name, f"Instagram refused the request: {said}"), code=name)


def redacted(text: str) -> str:
    """One line without anything long enough to be a token: malformed tokens are quoted back."""
    return re.sub(r"[\w|.\-]{32,}", "[…]", " ".join(text.split()))[:200]


def minutes_to_regain(headers: Mapping[str, str]) -> float:
    """From X-Business-Use-Case-Usage: {"<id>": [{"estimated_time_to_regain_access": minutes, …}]}."""
    entries = business(headers).values()
    return max((float(one.get("estimated_time_to_regain_access", 0)) for one in entries), default=0.0)


def counters(headers: Mapping[str, str]) -> dict[str, float]:
    """Percent of each rate limit an answer reports: by header, or by account and type of call."""
    found = {"x-app-usage": usage(headers, "x-app-usage")} | business(headers)
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
