"""What Adyen's answers mean to us: amounts, result codes, refusals, saved cards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import SecretStr

from connectors.errors import Refused, RetryLater
from connectors.types import Money, PaymentAction, PaymentResult, SavedMethod, exponent

Decline = Literal["hard", "fixable", "soft", "auth", "limit", "opaque"]

# https://docs.adyen.com/development-resources/refusal-reasons, grouped by what helps.
BUCKETS: dict[str, Decline] = {
    # Blocked, possible fraud, revoked by the holder, closed or restricted: this card pays nothing here again.
    **dict.fromkeys(("5", "14", "20", "22", "26", "31", "39", "44", "46"), "hard"),
    # Expired, number, PIN, security code, address.
    **dict.fromkeys(("6", "8", "17", "24", "25", "43", "45"), "fixable"),
    # The acquirer or the issuer is away, no money at the moment, not submitted properly.
    **dict.fromkeys(("4", "9", "12", "21", "32", "33", "36"), "soft"),
    # Authentication missing, failed or given up.
    **dict.fromkeys(("11", "15", "16", "38", "42"), "auth"),
    # Too many tries, too often, or above what the holder may spend.
    **dict.fromkeys(("18", "28", "29", "34"), "limit"),
}

# https://docs.adyen.com/development-resources/currency-codes: where Adyen's minor unit is not ISO 4217's.
DECIMALS = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}

PLAIN = "The card was declined."
"""All a buyer is told of a hard decline: whoever holds a stolen card learns nothing."""
MESSAGES: dict[Decline, str] = {
    "hard": PLAIN,
    "fixable": "The bank did not accept these details. Check the number, the date and the security code.",
    "soft": "The bank could not approve this payment right now.",
    "auth": "The bank could not confirm that it is you.",
    "limit": "This card has reached a limit for now.",
    "opaque": PLAIN,
}
UNNAMED = "order:"
"""Before the bank has been asked Adyen may name no reference; the order's stands in, with this before it."""


def adyen_amount(money: Money) -> dict[str, Any]:
    """Our minor units as Adyen counts them; Refused for an amount Adyen cannot express."""
    ours, theirs = exponent(money.currency), DECIMALS.get(money.currency, exponent(money.currency))
    value, rest = divmod(money.amount * 10**theirs, 10**ours)
    if rest:
        raise Refused(f"Adyen takes {money.currency} in whole units only.")
    return {"value": value, "currency": money.currency}


def money_of(amount: Any) -> Money | None:
    """Adyen's amount in our minor units; None when it is none, or finer than ours."""
    try:
        currency, value = str(amount["currency"]), int(amount["value"])
        ours, theirs = exponent(currency), DECIMALS.get(currency, exponent(currency))
        found, rest = divmod(value * 10**ours, 10**theirs)
        return None if rest else Money(amount=found, currency=currency)
    except (KeyError, TypeError, ValueError):
        return None


def result_of(answer: Mapping[str, Any], order_id: str | None, shopper: str | None = None) -> PaymentResult:
    """The answer of /payments or /payments/details. RetryLater (unknown) when it is none.

    A code that nobody knows yet is `pending`: the webhook says what it meant.
    """
    code = answer.get("resultCode")
    if not isinstance(code, str):
        raise RetryLater("Adyen answered without a result.", 30.0, unknown=True)
    order_id = str(answer.get("merchantReference") or order_id or "") or None
    ref = str(answer.get("pspReference") or (f"{UNNAMED}{order_id}" if order_id else ""))
    match code:
        case "Authorised":
            return PaymentResult(
                ref=ref,
                state="authorised",
                amount=money_of(answer.get("amount")),
                saved=saved_of(answer.get("additionalData"), shopper),
                order_id=order_id,
            )
        case "Refused" | "Error" | "Cancelled":
            bucket = bucket_of(answer)
            message = MESSAGES[bucket]
            return PaymentResult(
                ref=ref, state="declined", decline=bucket, message=message, order_id=order_id
            )
        case "RedirectShopper" | "IdentifyShopper" | "ChallengeShopper" if answer.get("action"):
            return PaymentResult(
                ref=ref,
                state="action_required",
                action=action_of(answer["action"]),
                message="The bank wants to ask the buyer.",
                order_id=order_id,
            )
        case _:
            return PaymentResult(ref=ref, state="pending", order_id=order_id)


def action_of(action: Mapping[str, Any]) -> PaymentAction:
    """A page to go to, or something for Adyen's script: 3-D Secure in place, or a form to be posted."""
    if action.get("type") == "redirect" and str(action.get("method", "GET")).upper() == "GET":
        return PaymentAction(kind="redirect", url=str(action["url"]))
    return PaymentAction(kind="script", data=SecretStr(json.dumps(action)))


def bucket_of(answer: Mapping[str, Any]) -> Decline:
    """What helps after a refusal."""
    if answer.get("resultCode") == "Cancelled":
        return "auth"
    return BUCKETS.get(str(answer.get("refusalReasonCode")), "opaque")


def saved_of(details: Any, shopper: str | None) -> SavedMethod | None:
    """The card that was kept, where the account is set to send "Recurring details"."""
    if not isinstance(details, dict):
        return None
    # The second is what accounts from before the Tokenization events were set up still send.
    names = ("tokenization.storedPaymentMethodId", "recurring.recurringDetailReference")
    ref = next((details[name] for name in names if details.get(name)), None)
    if not ref:
        return None
    month, _, year = str(details.get("expiryDate", "")).partition("/")
    return SavedMethod(
        ref=SecretStr(str(ref)),
        customer=str(details.get("tokenization.shopperReference") or shopper or "") or None,
        brand=str(details.get("paymentMethod", "")),
        last4=str(details.get("cardSummary", ""))[-4:],
        exp_month=int(month) if month.isdecimal() else None,
        exp_year=int(year) if year.isdecimal() else None,
    )
