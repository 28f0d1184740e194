"""What Stripe's objects mean to us: amounts, PaymentIntents, declines."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import SecretStr

from connectors.errors import Refused
from connectors.types import THREE_DECIMALS, Money, PaymentResult, exponent

Decline = Literal["hard", "fixable", "soft", "auth", "limit", "opaque"]

# https://docs.stripe.com/declines/codes, grouped by what helps.
BUCKETS: dict[str, Decline] = {
    **dict.fromkeys(("lost_card", "stolen_card", "pickup_card", "restricted_card", "fraudulent"), "hard"),
    **dict.fromkeys(("invalid_account", "merchant_blacklist", "revocation_of_authorization"), "hard"),
    **dict.fromkeys(("do_not_try_again", "stop_payment_order", "revocation_of_all_authorizations"), "hard"),
    **dict.fromkeys(("incorrect_cvc", "invalid_cvc", "incorrect_zip", "incorrect_address"), "fixable"),
    **dict.fromkeys(("expired_card", "invalid_expiry_month", "invalid_expiry_year"), "fixable"),
    **dict.fromkeys(("incorrect_number", "invalid_number", "incorrect_pin", "invalid_pin"), "fixable"),
    **dict.fromkeys(("insufficient_funds", "try_again_later", "processing_error", "issuer_timeout"), "soft"),
    **dict.fromkeys(("issuer_not_available", "reenter_transaction", "approve_with_id"), "soft"),
    **dict.fromkeys(("authentication_required", "offline_pin_required"), "auth"),
    **dict.fromkeys(("payment_intent_authentication_failure", "online_or_offline_pin_required"), "auth"),
    **dict.fromkeys(("card_velocity_exceeded", "withdrawal_count_limit_exceeded"), "limit"),
    **dict.fromkeys(("pin_try_exceeded", "card_decline_rate_limit_exceeded"), "limit"),
}

# https://docs.stripe.com/currencies#special-cases: not what ISO 4217 says.
TWO_DECIMALS_AT_STRIPE = frozenset({"ISK"})
NO_DECIMALS_AT_STRIPE = frozenset({"MGA"})
# Listed without decimals, and said to be sent with two: not worth charging a hundredfold by mistake.
UNCLEAR_AT_STRIPE = frozenset({"UGX"})

PLAIN = "The card was declined."
"""All a buyer is told of a hard decline: whoever holds a stolen card learns nothing."""


def stripe_amount(money: Money) -> int:
    """Our minor units as Stripe counts them; Refused for an amount Stripe cannot express."""
    amount, currency = money.amount, money.currency
    if currency in UNCLEAR_AT_STRIPE:
        raise Refused(f"Payments in {currency} are not offered with Stripe.")
    if currency in TWO_DECIMALS_AT_STRIPE and exponent(currency) == 0:
        return amount * 100
    if currency in NO_DECIMALS_AT_STRIPE:
        if amount % 100:
            raise Refused(f"Stripe takes {currency} in whole units only.")
        return amount // 100
    if currency in THREE_DECIMALS and amount % 10:
        raise Refused(f"Stripe takes {currency} with two decimals only.")
    return amount


def result_of(intent: dict[str, Any]) -> PaymentResult:
    """A PaymentIntent. KeyError or TypeError when it is none."""
    ref, order_id = str(intent["id"]), (intent.get("metadata") or {}).get("order_id")
    match intent["status"]:
        case "requires_capture":
            return PaymentResult(ref=ref, state="authorised", order_id=order_id)
        case "succeeded":
            charge = intent.get("latest_charge")
            # Only where it was asked for is the charge more than an id.
            refunded = isinstance(charge, dict) and charge.get("refunded") is True
            return PaymentResult(ref=ref, state="refunded" if refunded else "captured", order_id=order_id)
        case "canceled":
            return PaymentResult(ref=ref, state="voided", order_id=order_id)
        case "requires_action":
            secret = intent.get("client_secret")
            return PaymentResult(
                ref=ref,
                state="action_required",
                client_secret=SecretStr(secret) if secret else None,
                message="The bank wants to ask the buyer.",
                order_id=order_id,
            )
        case "requires_payment_method" if intent.get("last_payment_error"):
            return declined({**intent["last_payment_error"], "payment_intent": intent})
        case _:
            return PaymentResult(ref=ref, state="pending", order_id=order_id)


def declined(error: dict[str, Any]) -> PaymentResult:
    """A card error, as an answer's `error` or an intent's `last_payment_error`."""
    intent = error.get("payment_intent") or {}
    bucket = bucket_of(error)
    return PaymentResult(
        ref=intent.get("id", ""),
        state="declined",
        decline=bucket,
        message=PLAIN if bucket == "hard" else str(error.get("message") or PLAIN),
        order_id=(intent.get("metadata") or {}).get("order_id"),
    )


def bucket_of(error: dict[str, Any]) -> Decline:
    """What helps after a decline; the issuer's word counts before Stripe's summary of it."""
    if error.get("advice_code") == "do_not_try_again":
        return "hard"
    for name in (error.get("decline_code"), error.get("code")):
        if name in BUCKETS:
            return BUCKETS[name]
    return "opaque"
