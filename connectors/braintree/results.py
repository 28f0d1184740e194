"""What Braintree's transactions mean to us: amounts, states, declines, vaulted cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import SecretStr

from connectors.errors import RetryLater
from connectors.types import Money, PaymentResult, SavedMethod

Decline = Literal["hard", "fixable", "soft", "auth", "limit", "opaque"]

# https://developer.paypal.com/braintree/docs/reference/general/processor-responses/authorization-responses
BUCKETS: dict[str, Decline] = {
    # No such account, lost, stolen, fraud, stopped by the holder, restricted.
    **dict.fromkeys(("2007", "2012", "2013", "2014", "2017", "2018", "2021", "2047", "2053", "2057"), "hard"),
    # Expired, number, date, security code, address.
    **dict.fromkeys(("2004", "2005", "2006", "2008", "2009", "2010", "2022", "2024"), "fixable"),
    **dict.fromkeys(("2059", "2060", "2061", "2062"), "fixable"),
    # No money at the moment, or the network is away.
    **dict.fromkeys(("2001", "2016", "3000"), "soft"),
    **dict.fromkeys(("2099",), "auth"),
    **dict.fromkeys(("2002", "2003"), "limit"),
}
REJECTIONS: dict[str, Decline] = {
    **dict.fromkeys(("avs", "cvv", "avs_and_cvv"), "fixable"),
    **dict.fromkeys(("fraud", "risk_threshold", "excessive_retry"), "hard"),
    "three_d_secure": "auth",
}
"""Why Braintree itself turned a card away, before or after the bank."""
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
NOT_TAKEN = "The payment could not be taken."
VAULT = "vault:"
"""Before a saved method's token, which looks like a fresh card's nonce otherwise."""
DECLINED = ("processor_declined", "gateway_rejected", "failed")
PENDING_CAPTURE = ("submitted_for_settlement", "settlement_pending", "settling", "settlement_confirmed")
UNSETTLED = ("submitted_for_settlement", "settlement_pending")
"""What can still be voided, and not refunded yet."""
OVER = ("voided", "authorization_expired")
REFUND_FAILED = (*DECLINED, "settlement_declined", "settlement_failed")
FAILED_CAPTURE = ("settlement_declined", "settlement_failed")
State = Literal["authorised", "captured", "capture_pending", "capture_failed", "pending", "voided"]


def money_of(transaction: Mapping[str, Any]) -> Money | None:
    """Amount and currency of a transaction; None when they are none."""
    try:
        return Money.of(str(transaction["amount"]), str(transaction["currency_iso_code"]))
    except (KeyError, ValueError):
        return None


def result_of(transaction: Mapping[str, Any]) -> PaymentResult:
    """A transaction. RetryLater (unknown) when it is none; a status nobody knows yet is `pending`."""
    ref, status = transaction.get("id"), transaction.get("status")
    if not isinstance(ref, str) or not isinstance(status, str):
        raise RetryLater("Braintree answered without a transaction.", 30.0, unknown=True)
    order_id = transaction.get("order_id") or None
    if status in DECLINED:
        why = bucket_of(transaction)
        return PaymentResult(ref=ref, state="declined", decline=why, message=MESSAGES[why], order_id=order_id)
    state, amount = state_of(status), money_of(transaction)
    if state == "voided" and was_submitted(transaction):
        # It was the shop's already, if not for long: to the buyer that is money given back.
        return PaymentResult(ref=ref, state="refunded", amount=amount, refunded=amount, order_id=order_id)
    return PaymentResult(
        ref=ref,
        state=state,
        amount=amount if state not in ("voided", "pending", "capture_failed") else None,
        message=NOT_TAKEN if state == "capture_failed" else "",
        order_id=order_id,
        expires_at=moment(transaction.get("authorization_expires_at")) if state == "authorised" else None,
    )


def state_of(status: str) -> State:
    """Where the money is."""
    if status == "authorized":
        return "authorised"
    if status == "settled":
        return "captured"
    if status in PENDING_CAPTURE:
        return "capture_pending"
    if status in FAILED_CAPTURE:
        return "capture_failed"
    return "voided" if status in OVER else "pending"


def was_submitted(transaction: Mapping[str, Any]) -> bool:
    """Whether it was on its way to be settled once."""
    before = transaction.get("status_history") or ()
    names = {one.get("status") if isinstance(one, dict) else getattr(one, "status", None) for one in before}
    return not names.isdisjoint(PENDING_CAPTURE)


def with_refunds(payment: PaymentResult, refunds: Sequence[Mapping[str, Any]]) -> PaymentResult:
    """A payment that was or will be taken, with what was given back of it so far."""
    if payment.state not in ("captured", "capture_pending") or payment.amount is None:
        return payment
    currency = payment.amount.currency
    back = [money_of(one) for one in refunds if one.get("status") not in REFUND_FAILED]
    total = Money(amount=sum(one.amount for one in back if one), currency=currency)
    all_of_it = total.amount >= payment.amount.amount > 0
    return payment.model_copy(update={"refunded": total, **({"state": "refunded"} if all_of_it else {})})


def bucket_of(transaction: Mapping[str, Any]) -> Decline:
    """What helps after a decline."""
    if transaction.get("status") == "gateway_rejected":
        return REJECTIONS.get(str(transaction.get("gateway_rejection_reason")), "opaque")
    return BUCKETS.get(str(transaction.get("processor_response_code")), "opaque")


def saved_of(transaction: Any) -> SavedMethod | None:
    """The card that was kept in the vault."""
    card, owner = (
        getattr(transaction, "credit_card_details", None),
        getattr(transaction, "customer_details", None),
    )
    token = getattr(card, "token", None)
    if not token:
        return None
    month, year = str(getattr(card, "expiration_month", "")), str(getattr(card, "expiration_year", ""))
    return SavedMethod(
        ref=SecretStr(f"{VAULT}{token}"),
        customer=getattr(owner, "id", None),
        brand=str(getattr(card, "card_type", "")).lower(),
        last4=str(getattr(card, "last_4", "")),
        exp_month=int(month) if month.isdecimal() else None,
        exp_year=int(year) if year.isdecimal() else None,
    )


def moment(time: Any) -> datetime | None:
    """Braintree's times are UTC and do not say so."""
    if not isinstance(time, datetime):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
