"""Whether shoppers see an item at all: Meta hides what its policies forbid and tells no writer of it.

Sources: Marketing API reference "Product Item" and "Product Item Error" (v26.0, read 2026-11), Meta's help
pages on items with policy violations.
"""

from __future__ import annotations

from typing import Any, Final

SHOWN_FIELDS: Final = (
    "visibility,review_status,review_rejection_reasons,capability_to_review_status,image_fetch_status,"
    "errors{title,description,error_priority}"
)
"""Of every item that is read, beside its stock. A review may take a day and may be repeated at any time."""
SHOPS: Final = "SHOPS"
MOST_SAID: Final = 200
"""Characters of Meta's own words."""

STAGED: Final = "It is not published in Meta's catalogue. Make it visible in the Commerce Manager."
MEND: Final = (
    "Open it in the Commerce Manager under Issues: mend what the policy names, or request another review."
)
NO_PICTURE: Final = (
    "Meta could not load its picture. See that the picture's address opens in a browser, then enter it in the"
    " catalogue again."
)


def hidden_why(node: dict[str, Any]) -> str | None:
    """Why shoppers do not see an item, and what to do: a sentence or two. None while nothing says so.

    What is still under review, or was changed since, is no trouble yet.
    """
    if node.get("visibility", "published") != "published":
        return STAGED
    if (places := rejected(node)) is not None:
        on = f" for {', '.join(places)}" if places else ""
        named = [spelled(one) for one in node.get("review_rejection_reasons") or ()]
        why = f" ({', '.join(named)[:MOST_SAID]})" if named else ""
        return f"Meta's review rejected it{on}{why}, so shoppers do not see it there. {MEND}"
    for error in node.get("errors") or ():
        if isinstance(error, dict) and str(error.get("error_priority")).upper() == "HIGH":
            said = ". ".join(
                str(error[name]).strip(" .") for name in ("title", "description") if error.get(name)
            )
            return (
                f"Meta finds a fault in it: {said[:MOST_SAID]}. Mend it in the Commerce Manager under Issues."
            )
    return NO_PICTURE if node.get("image_fetch_status") == "FETCH_FAILED" else None


def rejected(node: dict[str, Any]) -> list[str] | None:
    """Where a review rejected it, if no shop shows it: empty for everywhere, None where it is shown."""
    if str(node.get("review_status")).lower() == "rejected":
        return []
    # One verdict for each thing a catalogue is used for: shops may have it and WhatsApp not.
    verdicts = [one for one in node.get("capability_to_review_status") or () if isinstance(one, dict)]
    refused = [one for one in verdicts if str(one.get("value")).upper() == "REJECTED"]
    places = [str(one.get("key")) for one in refused]
    gone = bool(places) and (SHOPS in places or len(places) == len(verdicts))
    return [spelled(one) for one in places] if gone else None


def spelled(word: object) -> str:
    """One of Meta's words for programs, for people: `MINI_SHOPS` → `mini shops`."""
    return " ".join(str(word).replace("_", " ").lower().split())
