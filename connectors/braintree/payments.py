"""Moving money through Braintree transactions. It has no idempotency keys: what there is is looked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from braintree import TransactionSearch  # type: ignore[import-untyped]  # it ships no types
from pydantic import SecretStr

from connectors.base import Session
from connectors.braintree.api import ANSWER_SECONDS, Api, Config
from connectors.braintree.results import (
    MESSAGES,
    REFUND_FAILED,
    UNSETTLED,
    VAULT,
    money_of,
    result_of,
    saved_of,
    with_refunds,
)
from connectors.errors import Refused, RetryLater
from connectors.types import Money, PaymentForm, PaymentRequest, PaymentResult, RefundResult

BAD_NONCE = frozenset({"91564", "91565", "91568", "91569", "93107", "93108"})
"""Codes of a card token that is used up, stale or unknown: the buyer enters the card again."""
WRONG_STATE = frozenset({"91504", "91507"})
"""Codes that mean: the transaction is not where you think it is. The transaction itself then answers."""
NOT_YET = "Braintree gives a part back only once the payment is settled, which takes until the next day."
UNTIL_SETTLED_SECONDS = 3600.0


class BraintreePayments:
    """A payment is known by its transaction's id; `order_id` is our order."""

    def __init__(self, session: Session[Config], answer_seconds: float = ANSWER_SECONDS) -> None:
        self._api = Api(session, answer_seconds)
        self._config = session.config
        self._script_url = session.addresses.script_url

    async def form(self, amount: Money, *, customer: str | None) -> PaymentForm:
        """A client token: it lets this page make card tokens, and ask the bank about this amount."""
        params = {"merchant_account_id": self._config.account_for(amount.currency)}
        token = await self._api.read(lambda gateway: gateway.client_token.generate(params))
        public = {
            "amount": amount.decimal(),
            "currency": amount.currency,
            "three_d_secure": "yes" if self._config.three_d_secure else "",
        }
        return PaymentForm(script_url=self._script_url, public=public, session=SecretStr(str(token)))

    async def authorise(self, request: PaymentRequest, *, key: str) -> PaymentResult:
        """Hold the amount. Not repeatable: after an unknown outcome the caller asks `find` first.

        What Braintree's own check calls a duplicate (the same card, amount and order within seconds) is
        answered with the payment it duplicates.
        """
        params = self._sale(request)
        made = await self._api.write(lambda gateway: gateway.transaction.sale(params))
        transaction = getattr(made, "transaction", None)
        if transaction is None:
            return unmade(made, request)
        values = vars(transaction)
        if values.get("gateway_rejection_reason") == "duplicate":
            return await self._duplicated(request)
        result = result_of(values)
        if result.state == "authorised" and result.amount != request.amount:
            await self.void(result.ref, key=key)
            raise Refused("The Braintree merchant account takes another currency than was entered for it.")
        if request.save and result.state == "authorised":
            result = result.model_copy(update={"saved": saved_of(transaction)})
        return result.model_copy(update={"order_id": result.order_id or request.order_id})

    async def confirm(self, ref: str, answer: Mapping[str, str], *, key: str) -> PaymentResult:
        """The bank is asked before there is a transaction, so this answers what the transaction is."""
        return await self.get(ref)

    async def capture(self, ref: str, amount: Money, *, key: str) -> PaymentResult:
        """`capture_pending`: settling takes until the next day. Less than is held lets the rest go."""
        return await self._change(
            ref, lambda gateway: gateway.transaction.submit_for_settlement(ref, amount.decimal())
        )

    async def void(self, ref: str, *, key: str) -> PaymentResult:
        """Let go of what is held. What is being settled stays taken, though Braintree could still undo it."""
        now = await self.get(ref)
        if now.state not in ("authorised", "pending"):
            return now
        return await self._change(ref, lambda gateway: gateway.transaction.void(ref))

    async def refund(self, ref: str, amount: Money, *, key: str) -> RefundResult:
        """Give back all or a part. The key is the refund's `order_id`, by which a repeat finds it.

        Before a payment is settled Braintree knows no refund: all of it is voided then, a part has to wait
        (RetryLater).
        """
        name = short(key)
        values, refunds = await self._api.read(lambda gateway: looked_up(gateway, ref))
        for done in refunds:
            if done.get("order_id") == name:
                return refunded(done, ref, values)
        if values.get("status") in UNSETTLED:
            return await self._undo(ref, amount, values)
        if values.get("status") == "voided" and money_of(values) == amount:
            return RefundResult(ref=f"{ref}:void", payment_ref=ref, state="done", amount=amount)
        options = {"amount": amount.decimal(), "order_id": name}
        made = await self._api.write(lambda gateway: gateway.transaction.refund(ref, options))
        transaction = getattr(made, "transaction", None)
        if transaction is None:
            raise refusal(made)
        return refunded(vars(transaction), ref, values)

    async def get(self, ref: str) -> PaymentResult:
        """Braintree's own word."""
        values, refunds = await self._api.read(lambda gateway: looked_up(gateway, ref))
        return with_refunds(result_of(values), refunds)

    async def find(self, order_id: str) -> PaymentResult | None:
        """The order's transaction, one that holds or took money first."""

        def look(gateway: Any) -> list[dict[str, Any]]:
            found = gateway.transaction.search(TransactionSearch.order_id == order_id)
            return [vars(one) for one in found.items if one.type == "sale"]

        results = [result_of(one) for one in await self._api.read(look)]
        live = [one for one in results if one.state not in ("declined", "voided")]
        return next(iter(live or results), None)

    async def forget(self, saved_ref: str, customer: str | None) -> None:
        """Delete a card from the vault."""
        token = saved_ref.removeprefix(VAULT)
        try:
            await self._api.write(lambda gateway: gateway.payment_method.delete(token))
        except Refused as refused:
            if refused.code != "404":
                raise

    def _sale(self, request: PaymentRequest) -> dict[str, Any]:
        saved = request.source.startswith(VAULT)
        if saved and not request.customer:
            # Braintree compares owner and card only where both are named, and a page may send anything.
            raise Refused("A saved card is charged for its owner only.", code="no_customer")
        options: dict[str, Any] = {"submit_for_settlement": False}
        if request.save and not saved:
            options["store_in_vault_on_success"] = True
        if self._config.three_d_secure and not saved:
            options["three_d_secure"] = {"required": True}
        params: dict[str, Any] = {
            "amount": request.amount.decimal(),
            "order_id": request.order_id,
            "merchant_account_id": self._config.account_for(request.amount.currency),
            "options": options,
        }
        params["payment_method_token" if saved else "payment_method_nonce"] = request.source.removeprefix(
            VAULT
        )
        if not request.buyer_present:
            params["transaction_source"] = "unscheduled"
        if request.customer:
            params["customer_id"] = request.customer
        elif request.email and not saved:
            params["customer"] = {"email": request.email}
        if request.ip:
            params["risk_data"] = {"customer_ip": request.ip}
        return params

    async def _duplicated(self, request: PaymentRequest) -> PaymentResult:
        found = await self.find(request.order_id)
        if found is None or found.state == "declined":
            # It was made a moment ago, and the search does not know it yet.
            raise RetryLater("Braintree says this payment was made already.", 10.0, unknown=True)
        return found

    async def _undo(self, ref: str, amount: Money, values: Mapping[str, Any]) -> RefundResult:
        if money_of(values) != amount:
            raise RetryLater(NOT_YET, UNTIL_SETTLED_SECONDS)
        now = await self._change(ref, lambda gateway: gateway.transaction.void(ref))
        if now.state not in ("voided", "refunded"):
            raise RetryLater(NOT_YET, 60.0)
        return RefundResult(
            ref=f"{ref}:void", payment_ref=ref, state="done", amount=amount, order_id=now.order_id
        )

    async def _change(self, ref: str, make: Callable[[Any], Any]) -> PaymentResult:
        made = await self._api.write(make)
        if getattr(made, "is_success", False):
            return result_of(vars(made.transaction))
        refused = refusal(made)
        if refused.code not in WRONG_STATE:
            raise refused
        now = await self.get(ref)
        if now.state in ("authorised", "pending"):
            raise refused
        return now


def looked_up(gateway: Any, ref: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A transaction, and the refunds there are of it."""
    values = vars(gateway.transaction.find(ref))
    return values, [vars(gateway.transaction.find(one)) for one in values.get("refund_ids") or ()]


def refunded(values: Mapping[str, Any], ref: str, of: Mapping[str, Any]) -> RefundResult:
    """A refund, which is a transaction of its own; done once it is on its way, for no more is told of it."""
    failed = values.get("status") in REFUND_FAILED
    return RefundResult(
        ref=str(values["id"]),
        payment_ref=ref,
        state="failed" if failed else "done",
        amount=money_of(values),
        order_id=of.get("order_id") or None,
        message="The bank did not take the refund." if failed else "",
    )


def refusal(made: Any) -> Refused:
    """A definite no, with Braintree's first code. Its messages are for the shop."""
    codes = codes_of(made)
    return Refused(f"Braintree refused the request: {made.message}", code=codes[0] if codes else None)


def codes_of(made: Any) -> list[str]:
    """The codes of a validation that failed."""
    return [str(error.code) for error in made.errors.deep_errors]


def unmade(made: Any, request: PaymentRequest) -> PaymentResult:
    """A sale that never became a transaction: a card token that is not good any more is an answer."""
    if BAD_NONCE & set(codes_of(made)):
        return PaymentResult(
            ref="",
            state="declined",
            decline="fixable",
            message=MESSAGES["fixable"],
            order_id=request.order_id,
        )
    raise refusal(made)


def short(key: str) -> str:
    """A key as an `order_id`, which is up to 255 characters."""
    return key if len(key) <= 255 else hashlib.sha256(key.encode()).hexdigest()
