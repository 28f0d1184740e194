"""What YouTube's answers mean: Google's reasons into the three errors.

Reasons: the API's errors reference. The streaming endpoint spells them in capitals; both are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import retry_after
from connectors.oauth import utc_now
from connectors.youtube.config import QUOTA_ZONE

RELINK = "YouTube no longer accepts this login. Link the account again."
QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
THROTTLED = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "userRequestsExceedRateLimit", "uploadRateLimitExceeded"}
)
SCOPES = frozenset({"insufficientPermissions", "insufficientLivePermissions", "accessTokenScopeInsufficient"})

SENTENCES = {
    "liveStreamingNotEnabled": "Live streaming is not enabled on this YouTube channel. "
    "Enable it in YouTube Studio; it can take 24 hours.",
    "livePermissionBlocked": "YouTube has blocked live streaming on this channel. See YouTube Studio.",
    "liveChatDisabled": "Live chat is switched off for this YouTube broadcast.",
    "liveChatEnded": "This YouTube live chat has ended.",
    "liveChatNotFound": "YouTube no longer knows this live chat.",
    "liveBroadcastNotFound": "YouTube no longer knows this broadcast.",
    "messageTextInvalid": "YouTube does not accept this text; it takes at most 200 characters.",
    "accessNotConfigured": "The YouTube Data API is not enabled in the Google Cloud project.",
    "userBroadcastsExceedLimit": "This YouTube channel has too many broadcasts. End or delete one.",
    "concurrentBroadcastsExceedLimit": "Too many broadcasts run on this YouTube channel at once.",
    "sharedIngestionBroadcastsExceedLimit": "Too many broadcasts share one YouTube stream key. End one.",
    "invalidTitle": "YouTube does not accept this title: at most 100 characters, without < and >.",
    "invalidDescription": "YouTube does not accept this description: at most 5,000 bytes, without < and >.",
    "invalidLatencyPreferenceOptions": "YouTube does not offer this latency together with the other choices.",
    "liveChatBanInsertionNotAllowed": "YouTube lets nobody ban the channel's owner or a moderator.",
    "invalidImage": "YouTube does not accept this thumbnail. Use a JPEG or PNG of at most 2 MB.",
}


class UsedUp(RetryLater):
    """The day's quota is gone, by YouTube's own count."""


def error_of(
    status: int, body: bytes, headers: Mapping[str, str], *, now: datetime, write: bool
) -> ConnectorError:
    """Which of the three errors an answer of 400 or more means; `write`: it may have changed something."""
    reason, said = reason_of(body)
    if reason in QUOTA:
        return UsedUp("Today's YouTube quota is used up.", until_pacific_midnight(now))
    if reason in THROTTLED or status == 429:
        return RetryLater("YouTube asks us to slow down.", retry_after(headers, 60.0))
    if status >= 500:
        # `errorExecutingTransition` and `backendError` may come after the change was made.
        return RetryLater(f"YouTube answered {status}.", retry_after(headers, 5.0), unknown=write)
    if reason == "errorStreamInactive":
        return RetryLater("YouTube does not see our stream yet.", 3.0)
    if status == 401:
        return Reconnect(RELINK)
    if reason in SCOPES:
        return Reconnect("This YouTube login lacks a permission. Link the account again and allow all.")
    sentence = SENTENCES.get(reason, f"YouTube refused the request: {said or status}")
    return Refused(sentence, code=reason or str(status))


def classify(status: int, headers: dict[str, str], body: bytes) -> ConnectorError | None:
    """For what does not travel through Google's client; what is no API error is left to the general rule."""
    if not 400 <= status < 500 or not reason_of(body)[0]:
        return None
    return error_of(status, body, headers, now=utc_now(), write=False)


def reason_of(body: bytes) -> tuple[str, str]:
    """Google's reason, as in `liveChatEnded`, and its sentence without markup; empty where there is none."""
    try:
        error = json.loads(body)["error"]
        found = [*error.get("errors", ()), *error.get("details", ())]
        said = " ".join(re.sub(r"<[^>]*>", "", str(error.get("message", ""))).split())[:200]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", ""
    reasons = [str(one["reason"]) for one in found if isinstance(one, dict) and one.get("reason")]
    return (_camel(reasons[0]) if reasons else ""), said


def error_in(element: dict[str, Any], now: datetime) -> ConnectorError | None:
    """The error that stands in a stream of answers, where there is one."""
    error = element.get("error")
    if not isinstance(error, dict):
        return None
    return error_of(int(error.get("code", 500)), json.dumps(element).encode(), {}, now=now, write=False)


def _camel(reason: str) -> str:
    if not reason.isupper():
        return reason
    first, *rest = reason.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def until_pacific_midnight(now: datetime) -> float:
    """Seconds until quotas are reset, plus a minute against clocks that differ."""
    pacific = now.astimezone(ZoneInfo(QUOTA_ZONE))
    midnight = datetime.combine(pacific.date() + timedelta(days=1), time(), pacific.tzinfo)
    # Subtracting in UTC counts the 23 or 25 hours of a day on which the clocks change.
    return (midnight.astimezone(now.tzinfo) - now).total_seconds() + 60
