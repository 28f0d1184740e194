"""What Adyen sends us: each item signed for itself, and nothing believed that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from Adyen.util import generate_notification_sig  # type: ignore[import-untyped]  # it ships no types
from pydantic import SecretStr

from connectors.adyen.api import Config
from connectors.adyen.webhooks import AdyenWebhooks
from connectors.errors import Refused
from connectors.types import Dispute, Money, PaymentResult, RefundResult, Webhook

SAMPLES = Path(__file__).parents[2] / "connectors" / "adyen" / "samples"
KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
VECTOR = "mYzy+OjLk55o8O5LCgUXN7meD1buCpsxMMLFOWZ/R58="
"""Of "PSP1::M:o1:1000:EUR:AUTHORISATION:true" under KEY, computed outside this code."""


def hooks(account: str = "M") -> AdyenWebhooks:
    more: dict[str, Any] = {"client_key": "test_x", "country": "NL", "merchant_account": account}
    return AdyenWebhooks(Config(api_key=SecretStr("k"), hmac_secret=SecretStr(KEY), **more))


def item(signature: str | None = VECTOR, **changed: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"pspReference": "PSP1", "merchantAccountCode": "M", "merchantReference": "o1"}
    plain |= {"amount": {"value": 1000, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": "true"}
    plain |= changed
    extra = {} if signature is None else {"additionalData": {"hmacSignature": signature}}
    return {"NotificationRequestItem": {**plain, **extra}}


def delivery(*items: Any) -> Webhook:
    body = json.dumps({"live": "false", "notificationItems": items}).encode()
    return Webhook(headers={}, body=body, received_at=datetime.now(UTC))


def test_a_known_signature_is_accepted_and_a_repeat_keeps_its_id() -> None:
    assert hooks().verify(delivery(item())) == "PSP1:AUTHORISATION:true"
    assert hooks().verify(delivery(item(reason="another text"))) == "PSP1:AUTHORISATION:true"
    assert len(hooks().verify(delivery(*[item()] * 20))) == 64


@pytest.mark.parametrize(
    "items",
    [
        (item(signature=None),),
        (item(signature=""),),
        (item(signature="é"),),
        (item(), item(signature=None)),
        (item(), item(success="false")),
        (item(amount={"value": 1001, "currency": "EUR"}),),
        (item(amount=None),),
        (item(merchantReference="o2"),),
        (item(signature=None, additionalData=None),),
        (),
        (3,),
    ],
)
def test_every_item_must_be_signed_by_adyen(items: tuple[Any, ...]) -> None:
    with pytest.raises(Refused):
        hooks().verify(delivery(*items))


def test_the_sdk_signs_as_we_verify() -> None:
    plain = item(signature=None, originalReference="PSP0", eventCode="CAPTURE")["NotificationRequestItem"]
    signature = generate_notification_sig(plain, KEY).decode()
    signed = {"NotificationRequestItem": {**plain, "additionalData": {"hmacSignature": signature}}}
    assert hooks().verify(delivery(signed)) == "PSP1:CAPTURE:true"


def test_what_is_not_signed_is_not_believed() -> None:
    forged = item(reason="x", recurring="x")
    forged["NotificationRequestItem"]["additionalData"]["tokenization.storedPaymentMethodId"] = "mine"
    [fact] = hooks().parse(delivery(forged).body)
    assert fact == PaymentResult(
        ref="PSP1", state="authorised", amount=Money(amount=1000, currency="EUR"), order_id="o1"
    )


@pytest.mark.parametrize(
    ("sample", "kind", "state"),
    [
        ("authorisation", PaymentResult, "authorised"),
        ("capture_failed", PaymentResult, "capture_failed"),
        ("refund", RefundResult, "done"),
        ("chargeback", Dispute, "open"),
    ],
)
def test_documented_items_are_understood(sample: str, kind: type, state: str) -> None:
    body = (SAMPLES / f"webhook_{sample}.json").read_bytes()
    [fact] = hooks("ShopECOM").parse(body)
    assert (type(fact), getattr(fact, "state", None)) == (kind, state)
    assert hooks("SomebodyElse").parse(body) == ()


def test_codes_that_are_no_news_of_money_are_nothing() -> None:
    for code in ("REPORT_AVAILABLE", "REFUND_WITH_DATA", "INVENTED", "CANCELLATION"):
        assert hooks().parse(delivery(item(eventCode=code, success="false")).body) == ()
    with pytest.raises(Refused):
        hooks().parse(delivery(item(eventCode="REFUND")).body)
