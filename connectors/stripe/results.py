"""What Stripe's objects mean to us: amounts, PaymentIntents, declines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import SecretStr

from connectors.errors import Refused
from connectors.types import (
    THREE_DECIMALS,
    Dispute,
    Money,
    PaymentAction,
    PaymentResult,
    RefundResult,
    SavedMethod,
    exponent,
)

State = Literal["authorised", "captured", "action_required", "declined", "pending", "voided", "refunded"]

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

REFUND_KEY = "refund_key"
"""Where the metadata of a refund has the key we asked for it with; one made by hand has none."""
COME_BACK = "The bank wants to ask the buyer, who was not there."
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


def our_amount(amount: int, currency: str) -> Money:
    """Stripe's count in our minor units."""
    code = currency.upper()
    if code in TWO_DECIMALS_AT_STRIPE and exponent(code) == 0:
        amount //= 100
    if code in NO_DECIMALS_AT_STRIPE:
        amount *= 100
    return Money(amount=amount, currency=code)


def result_of(intent: dict[str, Any]) -> PaymentResult:
    """A PaymentIntent. KeyError or TypeError when it is none."""
    if must_come_back(intent):
        return result(intent, "action_required", message=COME_BACK)
    match intent["status"]:
        case "requires_capture":
            return held(intent)
        case "succeeded":
            return taken(intent)
        case "canceled":
            return result(intent, "voided")
        case "requires_action":
            secret = intent.get("client_secret")
            data = SecretStr(json.dumps({"client_secret": secret})) if secret else None
            action = PaymentAction(kind="script", data=data)
            return result(
                intent, "action_required", action=action, message="The bank wants to ask the buyer."
            )
        case "requires_payment_method" if intent.get("last_payment_error"):
            return declined({**intent["last_payment_error"], "payment_intent": intent})
        case _:
            return result(intent, "pending")


def result(intent: dict[str, Any], state: State, **more: Any) -> PaymentResult:
    """What is the same of every state."""
    order_id = (intent.get("metadata") or {}).get("order_id")
    return PaymentResult(ref=str(intent["id"]), state=state, order_id=order_id, **more)


def held(intent: dict[str, Any]) -> PaymentResult:
    """The money is reserved; where the charge came along, until when, and the card it is on."""
    card, until = card_of(intent), None
    if card.get("capture_before"):
        until = datetime.fromtimestamp(card["capture_before"], UTC)
    amount = our_amount(intent["amount"], intent["currency"]) if "amount" in intent else None
    return result(intent, "authorised", amount=amount, expires_at=until, saved=saved(intent, card))


def taken(intent: dict[str, Any]) -> PaymentResult:
    """Captured, and what was given back of it where the charge came along."""
    charge, card = intent.get("latest_charge"), card_of(intent)
    amount, back = None, None
    if "amount_received" in intent:
        amount = our_amount(intent["amount_received"], intent["currency"])
    refunded = isinstance(charge, dict) and charge.get("refunded") is True
    # What a partial capture let go of may count as refunded there: then nothing is said.
    if isinstance(charge, dict) and charge.get("amount_captured") == charge.get("amount"):
        back = our_amount(charge["amount_refunded"], intent["currency"])
    state: State = "refunded" if refunded else "captured"
    return result(intent, state, amount=amount, refunded=back, saved=saved(intent, card))


def card_of(intent: dict[str, Any]) -> dict[str, Any]:
    """The card of the charge; only where it was asked for is the charge more than an id."""
    charge = intent.get("latest_charge")
    details = charge.get("payment_method_details") if isinstance(charge, dict) else None
    return (details or {}).get("card") or {}


def saved(intent: dict[str, Any], card: dict[str, Any]) -> SavedMethod | None:
    """The card, if it was kept for later."""
    method, customer = intent.get("payment_method"), intent.get("customer")
    if intent.get("setup_future_usage") != "off_session" or not method or not customer or not card:
        return None
    return SavedMethod(
        ref=SecretStr(str(method)),
        customer=str(customer),
        brand=str(card.get("brand") or ""),
        last4=str(card.get("last4") or ""),
        exp_month=card.get("exp_month"),
        exp_year=card.get("exp_year"),
    )


def must_come_back(intent: dict[str, Any]) -> str | None:
    """The PaymentMethod of a payment that the bank refused only because nobody was there to be asked."""
    error = intent.get("last_payment_error") or {}
    if intent.get("status") != "requires_payment_method" or error.get("code") != "authentication_required":
        return None
    method = (error.get("payment_method") or {}).get("id")
    return str(method) if method else None


def refund_of(refund: dict[str, Any]) -> RefundResult:
    """A refund object. KeyError when it is none."""
    states: dict[str, Literal["done", "failed"]] = {
        "succeeded": "done",
        "failed": "failed",
        "canceled": "failed",
    }
    state, kept = states.get(refund["status"], "pending"), refund.get("metadata")
    return RefundResult(
        ref=str(refund["id"]),
        payment_ref=str(refund["payment_intent"]),
        state=state,
        amount=our_amount(refund["amount"], refund["currency"]),
        key=None if kept is None else str(kept.get(REFUND_KEY, "")),
        message="The bank refused the refund." if state == "failed" else "",
    )


def dispute_of(dispute: dict[str, Any]) -> Dispute:
    """A dispute object. KeyError when it is none."""
    status = str(dispute["status"])
    over: dict[str, Literal["won", "lost"]] = {"won": "won", "lost": "lost", "warning_closed": "won"}
    return Dispute(
        ref=str(dispute["id"]),
        payment_ref=str(dispute["payment_intent"]),
        amount=our_amount(dispute["amount"], dispute["currency"]),
        state=over.get(status, "open"),
        reason=str(dispute.get("reason") or "").replace("_", " "),
    )


def declined(error: dict[str, Any]) -> PaymentResult:
    """A card error, as an answer's `error` or an intent's `last_payment_error`."""
    intent = error.get("payment_intent") or {}
    if must_come_back(intent):
        return result(intent, "action_required", message=COME_BACK)
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
