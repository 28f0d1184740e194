"""What staff and buyers are told by mail about a review."""

from __future__ import annotations

from datetime import datetime

from hub.mail.letters import Letter, Link
from hub.orders.letters import Facts, money


def asked(facts: Facts, due_at: datetime, why: str, site: str) -> Letter:
    """To staff: somebody has to look."""
    order = facts.order
    return Letter.of(
        f"Look at order {order.number} before {due_at:%H:%M} UTC",
        f"Order {order.number} over {money(order.total_minor, order.currency)} waits for you. Its goods are "
        f"reserved until {due_at:%H:%M} UTC; nothing has been charged.",
        why,
        Link("Open the review queue", f"{site}/studio/review"),
    )


def lapsed(facts: Facts, approved: bool, site: str) -> Letter:
    """To staff: nobody looked in time."""
    order = facts.order
    done = "was approved by your rule" if approved else "was refused and its goods are on sale again"
    return Letter.of(
        f"Nobody looked at order {order.number} in time",
        f"Order {order.number} over {money(order.total_minor, order.currency)} {done}, because nobody looked "
        "at it in time. You can change how long an order waits, and what happens then.",
        Link("Open the review settings", f"{site}/studio/review"),
    )


def refused(facts: Facts) -> Letter:
    """To the buyer."""
    return Letter.of(
        f"Your order {facts.order.number} at {facts.shop}",
        f"{facts.shop} could not accept your order {facts.order.number}. Nothing was charged.",
        f"Questions? Write to {facts.terms.contact}." if facts.terms.contact else "",
        facts.shop,
    )
