"""What Square's objects mean to us: payments, refunds, declines, cards on file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import SecretStr

from connectors.errors import RetryLater
from connectors.types import Dispute, Money, PaymentResult, RefundResult, SavedMethod

Decline = Literal["hard", "fixable", "soft", "auth", "limit", "opaque"]

# https://developer.squareup.com/reference/square/enums/ErrorCode, grouped by what helps.
BUCKETS: dict[str, Decline] = {
    **dict.fromkeys(("INVALID_ACCOUNT", "ACCOUNT_UNUSABLE", "CARDHOLDER_INSUFFICIENT_PERMISSIONS"), "hard"),
    **dict.fromkeys(("CARD_EXPIRED", "INVALID_EXPIRATION", "INVALID_EXPIRATION_YEAR"), "fixable"),
    **dict.fromkeys(("INVALID_EXPIRATION_DATE", "BAD_EXPIRATION", "EXPIRATION_FAILURE"), "fixable"),
    **dict.fromkeys(
        ("INVALID_CARD", "INVALID_CARD_DATA", "INVALID_ENCRYPTED_CARD", "PAN_FAILURE"), "fixable"
    ),
    **dict.fromkeys(("CVV_FAILURE", "VERIFY_CVV_FAILURE", "VERIFY_AVS_FAILURE", "INVALID_PIN"), "fixable"),
    **dict.fromkeys(("ADDRESS_VERIFICATION_FAILURE", "INVALID_POSTAL_CODE"), "fixable"),
    **dict.fromkeys(("CARD_TOKEN_EXPIRED", "CARD_TOKEN_USED", "SOURCE_USED", "SOURCE_EXPIRED"), "fixable"),
    **dict.fromkeys(
        ("UNSUPPORTED_CARD_BRAND", "CARD_NOT_SUPPORTED", "UNSUPPORTED_INSTRUMENT_TYPE"), "fixable"
    ),
    **dict.fromkeys(("INSUFFICIENT_FUNDS", "TEMPORARY_ERROR"), "soft"),
    **dict.fromkeys(("CARD_DECLINED_VERIFICATION_REQUIRED", "BUYER_REFUSED_PAYMENT"), "auth"),
    **dict.fromkeys(("TRANSACTION_LIMIT", "PAYMENT_LIMIT_EXCEEDED", "ALLOWABLE_PIN_TRIES_EXCEEDED"), "limit"),
}
PLAIN = "The card was declined."
"""All a buyer is told of a hard decline: whoever holds a stolen card learns nothing."""
MESSAGES: dict[Decline, str] = {
    "hard": PLAIN,
    "fixable": "The bank did not accept these details. Check the card, or enter it again.",
    "soft": "The bank could not approve this payment right now.",
    "auth": "The bank could not confirm that it is you.",
    "limit": "This card has reached a limit.",
    "opaque": PLAIN,
}
REFUNDS: dict[str, Literal["done", "pending", "failed"]] = {
    "PENDING": "pending",
    "COMPLETED": "done",
    "APPROVED": "pending",
    "REJECTED": "failed",
    "FAILED": "failed",
    "CANCELED": "failed",
}
DISPUTES: dict[str, Literal["open", "won", "lost"]] = {
    "WON": "won",
    "INQUIRY_CLOSED": "won",
    "LOST": "lost",
    "ACCEPTED": "lost",
    **dict.fromkeys(("INQUIRY_EVIDENCE_REQUIRED", "INQUIRY_PROCESSING", "EVIDENCE_REQUIRED"), "open"),
    "PROCESSING": "open",
}
NOT_RETURNED = "The bank did not take the refund."


def square_amount(money: Money) -> dict[str, Any]:
    """Square counts in the same minor units as we do."""
    return {"amount": money.amount, "currency": money.currency}


def money_of(amount: Any) -> Money | None:
    """Square's amount; None when it is none."""
    try:
        return Money(amount=int(amount["amount"]), currency=str(amount["currency"]))
    except (KeyError, TypeError, ValueError):
        return None


def result_of(payment: Mapping[str, Any]) -> PaymentResult:
    """A payment. RetryLater (unknown) when it is none; a status nobody knows yet is `pending`."""
    ref, status = payment.get("id"), payment.get("status")
    if not isinstance(ref, str) or not isinstance(status, str):
        raise RetryLater("Square answered without a payment.", 30.0, unknown=True)
    order_id, total = payment.get("reference_id") or None, money_of(payment.get("total_money"))
    match status:
        case "APPROVED":
            held = money_of(payment.get("approved_money")) or total
            until = moment(payment.get("delayed_until"))
            return PaymentResult(
                ref=ref, state="authorised", amount=held, order_id=order_id, expires_at=until
            )
        case "COMPLETED":
            back = money_of(payment.get("refunded_money"))
            all_of_it = back is not None and total is not None and back.amount >= total.amount
            return PaymentResult(
                ref=ref,
                state="refunded" if all_of_it else "captured",
                amount=total,
                refunded=back or (Money(amount=0, currency=total.currency) if total else None),
                order_id=order_id,
            )
        case "CANCELED":
            return PaymentResult(ref=ref, state="voided", order_id=order_id)
        case "FAILED":
            card = payment.get("card_details")
            errors = card.get("errors") if isinstance(card, dict) else None
            return declined(errors if isinstance(errors, list) else [], payment)
        case _:
            return PaymentResult(ref=ref, state="pending", order_id=order_id)


def declined(errors: list[Any], payment: Mapping[str, Any]) -> PaymentResult:
    """A refused card."""
    bucket = bucket_of(errors)
    return PaymentResult(
        ref=str(payment.get("id") or ""),
        state="declined",
        decline=bucket,
        message=MESSAGES[bucket],
        order_id=payment.get("reference_id") or None,
    )


def bucket_of(errors: list[Any]) -> Decline:
    """What helps after a decline; the first code that says something."""
    for error in errors:
        code = error.get("code") if isinstance(error, dict) else None
        if code in BUCKETS:
            return BUCKETS[code]
    return "opaque"


def refund_of(refund: Mapping[str, Any]) -> RefundResult:
    """A refund. RetryLater (unknown) when it is none."""
    if not isinstance(refund.get("id"), str) or not isinstance(refund.get("payment_id"), str):
        raise RetryLater("Square answered without a refund.", 30.0, unknown=True)
    state = REFUNDS.get(str(refund.get("status")), "pending")
    return RefundResult(
        ref=refund["id"],
        payment_ref=refund["payment_id"],
        state=state,
        amount=money_of(refund.get("amount_money")),
        message=NOT_RETURNED if state == "failed" else "",
    )


def dispute_of(dispute: Mapping[str, Any]) -> Dispute | None:
    """A dispute; None when it names no payment or amount."""
    amount, paid = money_of(dispute.get("amount_money")), dispute.get("disputed_payment")
    ref = dispute.get("id") or dispute.get("dispute_id")
    if amount is None or not ref or not isinstance(paid, dict) or not paid.get("payment_id"):
        return None
    return Dispute(
        ref=str(ref),
        payment_ref=str(paid["payment_id"]),
        amount=amount,
        state=DISPUTES.get(str(dispute.get("state")), "open"),
        reason=str(dispute.get("reason") or "").replace("_", " ").capitalize(),
    )


def saved_of(card: Mapping[str, Any]) -> SavedMethod | None:
    """A card on file."""
    if not isinstance(card.get("id"), str):
        return None
    return SavedMethod(
        ref=SecretStr(card["id"]),
        customer=card.get("customer_id") or None,
        brand=str(card.get("card_brand", "")).lower(),
        # On the wire it is last_4, in the vendor's models last4.
        last4=str(card.get("last4") or card.get("last_4") or ""),
        exp_month=card.get("exp_month"),
        exp_year=card.get("exp_year"),
    )


def moment(text: Any) -> datetime | None:
    """A time with its offset; None when it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
