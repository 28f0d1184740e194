"""What a gateway's word changes, whenever it comes and however often: a lattice, not a log.

    queued ─▶ authorising ─▶ authorised ─▶ capturing ─▶ captured ─▶ refunded
                  │    ▲          └──────────┴───────────┴────▶ capture_failed
                  ▼    │
            action_required        undecided ─▶ voiding ─▶ voided        undecided ─▶ declined

A word that is older than what we know changes nothing, in whatever order words arrive.
"""

from __future__ import annotations

from typing import Final, Literal

from connectors.types import PaymentResult

Step = Literal["ask", "settle", "captured", "capture_failed", "voided", "declined", "refunded", "late"]
"""What to do about a word.

`ask`: ask the gateway (again) · `settle`: there is money, give the order its stock · `late`: there is money
for a payment that was over: let go of it · the others: the payment is that now.
"""

MONEY: Final = frozenset({"authorised", "captured", "capture_pending"})
"""Words that mean: there is money."""
TAKING: Final = frozenset({"captured", "capture_pending"})

ASK: Final[dict[str, Step]] = dict.fromkeys((*MONEY, "action_required", "declined", "voided"), "ask")
"""Not heard from yet: our own call brings more than the word does, so it is made once more."""

RULES: Final[dict[str, dict[str, Step]]] = {
    "queued": ASK,
    "authorising": ASK,
    "action_required": {
        **dict.fromkeys(MONEY, "settle"),
        "declined": "declined",
        "voided": "voided",
    },
    "authorised": {"captured": "captured", "voided": "capture_failed", "capture_failed": "capture_failed"},
    # What was given back was taken before.
    "capturing": {
        **dict.fromkeys(("captured", "refunded"), "captured"),
        **dict.fromkeys(("voided", "capture_failed"), "capture_failed"),
    },
    "captured": {"capture_failed": "capture_failed", "refunded": "refunded"},
    # Its stock is free and its buyer was told to order again: money that comes after all goes back.
    "capture_failed": dict.fromkeys(TAKING, "late"),
    "voiding": {"voided": "voided", "declined": "voided", "captured": "late", "capture_pending": "late"},
    "declined": dict.fromkeys(MONEY, "late"),
    "voided": dict.fromkeys(TAKING, "late"),
    "refunded": {},
}


def step_for(state: str, said: str) -> Step | None:
    """What a payment in `state` does about the gateway's word `said`; None: it knew."""
    return RULES[state].get(said)


def says_money(result: PaymentResult) -> bool:
    """Whether the gateway holds money for us, or took it."""
    return result.state in MONEY
