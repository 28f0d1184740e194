"""The fake's test cards, by number and by ready-made token. https://docs.stripe.com/testing"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Asks = Literal["always", "unless_set_up"]


@dataclass(frozen=True)
class Card:
    """How a test card behaves. `code` and `decline_code`: refused so, after the bank's question if it asks.

    `refund`: what becomes of giving its money back; `dispute`: its buyer complains at once.
    """

    brand: str
    last4: str
    code: str | None = None
    decline_code: str | None = None
    asks: Asks | None = None
    refund: Literal["pending", "fails"] | None = None
    dispute: str | None = None


def refused(last4: str, code: str, decline_code: str | None = None, asks: Asks | None = None) -> Card:
    """A Visa that is declined."""
    return Card("visa", last4, code, decline_code, asks)


CARDS: Final[dict[str, Card]] = {
    "4242424242424242": Card("visa", "4242"),
    "4000056655665556": Card("visa", "5556"),
    "5555555555554444": Card("mastercard", "4444"),
    "5200828282828210": Card("mastercard", "8210"),
    "378282246310005": Card("amex", "0005"),
    "6011111111111117": Card("discover", "1117"),
    "3566002020360505": Card("jcb", "0505"),
    "4000000000000002": refused("0002", "card_declined", "generic_decline"),
    "4000000000009995": refused("9995", "card_declined", "insufficient_funds"),
    "4000000000009987": refused("9987", "card_declined", "lost_card"),
    "4000000000009979": refused("9979", "card_declined", "stolen_card"),
    "4000000000000069": refused("0069", "expired_card"),
    "4000000000000127": refused("0127", "incorrect_cvc"),
    "4000000000000119": refused("0119", "processing_error"),
    "4000000000006975": refused("6975", "card_declined", "card_velocity_exceeded"),
    "4000000000000341": refused("0341", "card_declined", "generic_decline"),
    "4100000000000019": refused("0019", "card_declined", "fraudulent"),
    "4000002500003155": Card("visa", "3155", asks="unless_set_up"),
    "4000002760003184": Card("visa", "3184", asks="always"),
    "4000000000003220": Card("visa", "3220", asks="always"),
    "4000008260003178": refused("3178", "card_declined", "insufficient_funds", "always"),
    "4000008400001629": refused("1629", "card_declined", "generic_decline", "always"),
    "4000000000000259": Card("visa", "0259", dispute="fraudulent"),
    "4000000000002685": Card("visa", "2685", dispute="product_not_received"),
    "4000000000005126": Card("visa", "5126", refund="fails"),
    "4000000000007726": Card("visa", "7726", refund="pending"),
}
READY: Final[dict[str, str]] = {
    "visa": "4242424242424242",
    "us": "4242424242424242",
    "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444",
    "mastercard_debit": "5200828282828210",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "jcb": "3566002020360505",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedFraudulent": "4100000000000019",
    "chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "chargeCustomerFail": "4000000000000341",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "threeDSecure2Required": "4000000000003220",
    "createDispute": "4000000000000259",
    "createDisputeProductNotReceived": "4000000000002685",
    "refundFail": "4000000000005126",
    "pendingRefund": "4000000000007726",
}
"""pm_card_… tokens, by their ending."""
SENTENCES: Final = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def ready(method: str) -> Card | None:
    """The card of a ready-made token; some endings have the brand twice."""
    if not method.startswith("pm_card_"):
        return None
    ending = method.removeprefix("pm_card_")
    number = READY.get(ending) or READY.get(ending.removeprefix("visa_"))
    return CARDS[number] if number else None
