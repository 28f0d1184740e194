"""What works where, and why not: every connector's capabilities as data, known before anyone logs in."""

from __future__ import annotations

from pydantic import BaseModel

from connectors.base import AnyConnector
from connectors.types import ChatLimits, TextLimits

CAPABILITIES = (
    *("destination", "planner", "metadata", "audience", "health"),
    *("chat_source", "chat_sink", "replier", "private_replier", "announcer", "moderation"),
    *("catalog_source", "order_source", "order_sink", "stock_sink", "payments", "webhooks", "delivery"),
    "conversions",
)
VERBS = ("delete", "hide", "unhide", "timeout", "ban", "unban")
"""What moderation may be able to do; a verb is named `moderation.<verb>`."""


class Ability(BaseModel):
    """One cell of the matrix: `destination`, …, `moderation.ban`.

    `gap`: why it is absent, in a sentence for the brand; None where it is present, or nobody would miss it.
    """

    name: str
    present: bool
    gap: str | None


class Limits(BaseModel):
    """What a platform takes, and what a person must do there; None: no such limit or duty.

    `key_life_s`: seconds for which a stream key is good that a person entered.
    """

    text: TextLimits | None
    chat: ChatLimits | None
    key_life_s: int | None
    before_start: str | None
    after_end: str | None


def capabilities(connector: AnyConnector) -> list[str]:
    """What a connector can do is exactly what is not None."""
    return [name for name in CAPABILITIES if getattr(connector, name) is not None]


def matrix(connector: AnyConnector) -> list[Ability]:
    """A connector's row: every capability and every verb of moderation, always in the same order."""
    held = {name: getattr(connector, name) is not None for name in CAPABILITIES}
    held |= {f"moderation.{verb}": getattr(connector.moderation, verb, None) is not None for verb in VERBS}
    whole = connector.gaps.get("moderation")
    return [
        Ability(name=name, present=present, gap=None if present else gap_of(connector, name, whole))
        for name, present in held.items()
    ]


def gap_of(connector: AnyConnector, name: str, whole: str | None) -> str | None:
    """The connector's sentence; a verb without one of its own is missing for moderation's reason."""
    return connector.gaps.get(name) or (whole if name.startswith("moderation.") else None)


def limits(connector: AnyConnector) -> Limits:
    """A connector's limits and duties."""
    life = connector.key_life
    return Limits(
        text=connector.text_limits,
        chat=connector.chat_limits,
        key_life_s=int(life.total_seconds()) if life else None,
        before_start=connector.before_start,
        after_end=connector.after_end,
    )
