"""Asked of every gateway: money is moved once, whatever gets lost, and a no is an answer.

What differs from gateway to gateway the fake provides; see contract_payments.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from connectors.base import AnyConnector, PaymentGateway
from connectors.errors import ConnectorError, Refused, RetryLater
from connectors.types import Money, PaymentRequest, PaymentResult, RefundResult, Webhook
from tests.connectors.conftest import Rig, make_fake, reaching
from tests.connectors.contract import fault

pytestmark = pytest.mark.needs("payments")

PRICE = Money(amount=4900, currency="EUR")
PART = Money(amount=1900, currency="EUR")
TOO_MUCH = Money(amount=4901, currency="EUR")
Answer = TypeVar("Answer")
TAKEN = ("captured", "capture_pending")


def gateway_of(rig: Rig) -> PaymentGateway:
    assert rig.connector.payments is not None
    made: PaymentGateway = rig.connector.payments(rig.session)
    return made


async def told(rig: Rig, what: str, **body: Any) -> Any:
    """A control route of the fake, or skip."""
    answer = await rig.control.post(f"/_ctl/{what}", json=body)
    if answer.status_code == 404:
        pytest.skip(f"the fake has no {what} {body}")
    answer.raise_for_status()
    return answer.json()


async def unless_refused(call: Awaitable[Answer]) -> Answer | None:
    """The answer, or None for a definite no."""
    try:
        return await call
    except Refused:
        return None


async def source(rig: Rig, kind: str) -> str:
    """A fresh token of a card that behaves so."""
    return str((await told(rig, "source", kind=kind))["source"])


async def asking(rig: Rig, kind: str = "ok", **more: Any) -> PaymentRequest:
    given = {"amount": PRICE, "order_id": uuid4().hex, "return_url": "https://shop.example/back", **more}
    return PaymentRequest(source=given.pop("source", None) or await source(rig, kind), **given)


async def held(rig: Rig, kind: str = "ok", **more: Any) -> PaymentResult:
    """Money that is held, the bank's question answered if it had one."""
    request = await asking(rig, kind, **more)
    result = await gateway_of(rig).authorise(request, key=f"{request.order_id}:authorise")
    if result.state == "action_required":
        answer = await told(rig, "act", ref=result.ref, ok=True)
        result = await gateway_of(rig).confirm(result.ref, answer, key=f"{request.order_id}:confirm")
    assert result.state == "authorised", result
    return result


async def taken(rig: Rig, amount: Money = PRICE) -> PaymentResult:
    """Money that was taken, decided by the gateway if that comes later."""
    result = await held(rig)
    now = await gateway_of(rig).capture(result.ref, amount, key=f"{result.ref}:capture")
    assert now.state in TAKEN
    await rig.control.post("/_ctl/settle", json={"ref": result.ref, "what": "capture"})
    return result


async def books(rig: Rig, ref: str) -> dict[str, Any]:
    """The gateway's own row of a payment."""
    [row] = [one for one in (await rig.state())["payments"] if one["ref"] == ref]
    return dict(row)


def hooks_of(connector: AnyConnector, rig: Rig) -> Any:
    assert connector.webhooks is not None
    return connector.webhooks(rig.session.config)


def delivery(one: dict[str, Any]) -> Webhook:
    return Webhook(headers=one["headers"], body=one["body"].encode(), received_at=datetime.now(UTC))


# --- hold, take, let go ---------------------------------------------------------------------------


async def test_money_is_held_then_taken_whole_and_once(rig: Rig) -> None:
    result = await held(rig)
    assert result.ref
    assert result.amount in (None, PRICE)
    assert (await books(rig, result.ref))["captured"] == 0
    for _ in range(2):
        now = await gateway_of(rig).capture(result.ref, PRICE, key="one")
        assert now.state in TAKEN
    row = await books(rig, result.ref)
    assert (row["captures"], row["amount"]) == (1, PRICE.amount)


async def test_a_part_of_what_is_held_can_be_taken(rig: Rig) -> None:
    result = await taken(rig, PART)
    row = await books(rig, result.ref)
    assert (row["captures"], row["captured"]) == (1, PART.amount)


async def test_more_than_was_held_cannot_be_taken(rig: Rig) -> None:
    result = await held(rig)
    # Where a gateway only answers "received", its no comes later.
    answer = await unless_refused(gateway_of(rig).capture(result.ref, TOO_MUCH, key="c"))
    assert answer is None or answer.state == "capture_pending"
    assert (await books(rig, result.ref))["captured"] == 0


async def test_letting_go_is_repeatable_and_says_when_it_is_too_late(rig: Rig) -> None:
    result = await held(rig)
    for key in ("v1", "v1", "v2"):
        # Where a gateway only answers "received", it says later that it is done.
        now = await unless_refused(gateway_of(rig).void(result.ref, key=f"{result.ref}:{key}"))
        assert now is None or now.state in ("voided", "pending")
    assert (await books(rig, result.ref))["captured"] == 0
    late = await taken(rig)
    now = await unless_refused(gateway_of(rig).void(late.ref, key=f"{late.ref}:v"))
    assert now is None or now.state in (*TAKEN, "pending")
    assert (await books(rig, late.ref))["captured"] == PRICE.amount


async def test_the_same_key_holds_money_once(rig: Rig) -> None:
    if rig.connector.payment_memory is None:
        pytest.skip("the gateway has no keys: find is asked first")
    request = await asking(rig)
    first = await gateway_of(rig).authorise(request, key="p1")
    again = await gateway_of(rig).authorise(request, key="p1")
    assert (again.ref, again.state) == (first.ref, first.state) == (first.ref, "authorised")
    assert len((await rig.state())["payments"]) == 1


async def test_another_merchant_can_do_nothing_with_a_token(connector: AnyConnector, rig: Rig) -> None:
    result = await held(rig, "save", save=True)
    assert result.saved is not None
    stolen = await asking(
        rig, source=result.saved.ref.get_secret_value(), customer=result.saved.customer, buyer_present=False
    )
    other = type(make_fake(connector.name))(seed=99)
    async with reaching(connector, other) as elsewhere:
        answer = await unless_refused(gateway_of(elsewhere).authorise(stolen, key="stolen"))
        assert answer is None or answer.state == "declined"


# --- declines and the bank's questions -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["declined_soft", "declined_hard"])
async def test_a_refused_card_is_an_answer_in_plain_words(rig: Rig, kind: str) -> None:
    request = await asking(rig, kind)
    result = await gateway_of(rig).authorise(request, key="p1")
    assert (result.state, result.decline) == ("declined", kind.removeprefix("declined_"))
    assert result.message.endswith(".")
    if kind == "declined_hard":
        # Whoever holds a stolen card learns nothing.
        assert not {"stolen", "lost", "fraud"} & set(result.message.lower().replace(".", "").split())


@pytest.mark.parametrize("ok", [True, False])
async def test_the_bank_may_ask_the_buyer_who_says_yes_or_no(rig: Rig, ok: bool) -> None:
    request = await asking(rig, "action")
    result = await gateway_of(rig).authorise(request, key="p1")
    assert result.state == "action_required"
    action = result.action
    assert action is not None
    assert action.url if action.kind == "redirect" else action.data
    assert not action.data or action.data.get_secret_value() not in repr(result)
    answer = await told(rig, "act", ref=result.ref, ok=ok)
    for _ in range(2):
        now = await gateway_of(rig).confirm(result.ref, answer, key="p1:confirm")
        assert now.state == ("authorised" if ok else "declined")
    if ok:
        assert (await gateway_of(rig).capture(now.ref, PRICE, key="c")).state in TAKEN


# --- saved methods --------------------------------------------------------------------------------


async def test_a_kept_card_is_charged_later_without_the_buyer(rig: Rig) -> None:
    first = await held(rig, "save", save=True, email="ann@example.com")
    saved = first.saved
    assert saved is not None
    assert len(saved.last4) == 4
    assert saved.ref.get_secret_value() not in repr(first)
    later = await asking(
        rig, source=saved.ref.get_secret_value(), customer=saved.customer, buyer_present=False
    )
    result = await gateway_of(rig).authorise(later, key="later")
    assert result.state == "authorised"
    assert result.ref != first.ref
    for _ in range(2):
        await gateway_of(rig).forget(saved.ref.get_secret_value(), saved.customer)
    gone = later.model_copy(update={"order_id": uuid4().hex})
    answer = await unless_refused(gateway_of(rig).authorise(gone, key="gone"))
    assert answer is None or answer.state == "declined"


async def test_a_bank_that_asks_a_buyer_who_is_not_there_waits_for_them(rig: Rig) -> None:
    first = await held(rig, "off_session_action", save=True)
    saved = first.saved
    assert saved is not None
    later = await asking(
        rig, source=saved.ref.get_secret_value(), customer=saved.customer, buyer_present=False
    )
    result = await gateway_of(rig).authorise(later, key="later")
    if result.state == "declined":
        assert result.decline == "auth"
        return
    assert result.state == "action_required"
    # They are back: the same payment goes on.
    now = await gateway_of(rig).confirm(result.ref, {}, key="back") if result.action is None else result
    assert now.state == "action_required"
    assert now.action is not None
    answer = await told(rig, "act", ref=now.ref, ok=True)
    done = await gateway_of(rig).confirm(now.ref, answer, key="back:2")
    assert (done.state, done.ref) == ("authorised", result.ref)


# --- giving back ----------------------------------------------------------------------------------


async def test_money_is_given_back_in_parts_and_never_more_than_was_taken(rig: Rig) -> None:
    result = await taken(rig)
    for number, amount in enumerate((1000, 1900)):
        back = Money(amount=amount, currency="EUR")
        answer = await gateway_of(rig).refund(result.ref, back, key=f"r{number}")
        assert answer.state in ("done", "pending")
        assert answer.ref
        # With keys or without: a repeat finds what was given back the first time.
        again = await gateway_of(rig).refund(result.ref, back, key=f"r{number}")
        assert again.ref == answer.ref
    assert (await books(rig, result.ref))["refunded"] == 2900
    untouched = await held(rig)
    for ref, too_much in ((result.ref, Money(amount=2001, currency="EUR")), (untouched.ref, PRICE)):
        refused = await unless_refused(gateway_of(rig).refund(ref, too_much, key=f"{ref}:too much"))
        assert refused is None or refused.state in ("pending", "failed")
    assert (await books(rig, result.ref))["refunded"] == 2900
    assert (await books(rig, untouched.ref))["refunded"] == 0


# --- trouble --------------------------------------------------------------------------------------


async def test_a_lost_answer_is_unknown_and_found_again(rig: Rig) -> None:
    request = await asking(rig)
    await fault(rig, kind="lose")
    with pytest.raises(RetryLater) as raised:
        await gateway_of(rig).authorise(request, key="p1")
    assert raised.value.unknown
    if rig.connector.payment_memory:
        result = await gateway_of(rig).authorise(request, key="p1")
    else:
        found = await gateway_of(rig).find(request.order_id)
        assert found is not None
        result = found
    assert result.state == "authorised"
    assert len((await rig.state())["payments"]) == 1


async def test_a_payment_is_found_by_its_order(rig: Rig) -> None:
    request = await asking(rig)
    try:
        assert await gateway_of(rig).find(request.order_id) is None
    except RetryLater:
        # It must not say "none" then: that would be taken for a licence to charge again.
        pytest.skip("the gateway cannot be asked by order")
    made = await gateway_of(rig).authorise(request, key="p1")
    await held(rig)
    found = await gateway_of(rig).find(request.order_id)
    assert found is not None
    assert (found.ref, found.state) == (made.ref, "authorised")


@pytest.mark.parametrize(("status", "unknown"), [(429, False), (500, True), (503, True)])
async def test_a_gateway_in_trouble_is_asked_later(rig: Rig, status: int, unknown: bool) -> None:
    request = await asking(rig)
    await fault(rig, kind="status", status=status, retry_after=7, count=1)
    with pytest.raises(RetryLater) as raised:
        await gateway_of(rig).authorise(request, key="p1")
    assert raised.value.unknown is unknown
    assert raised.value.after > 0
    result = await held(rig)
    await fault(rig, kind="status", status=status, count=1)
    with pytest.raises(RetryLater):
        await gateway_of(rig).capture(result.ref, PRICE, key="c")
    await fault(rig, kind="status", status=status, count=1)
    with pytest.raises(RetryLater):
        await gateway_of(rig).void(result.ref, key="v")


async def test_many_at_once_do_not_mix(rig: Rig) -> None:
    requests = [await asking(rig) for _ in range(6)]
    results = await asyncio.gather(
        *(gateway_of(rig).authorise(one, key=f"p{n}") for n, one in enumerate(requests))
    )
    assert len({result.ref for result in results}) == 6
    for request, result in zip(requests, results, strict=True):
        assert result.order_id in (None, request.order_id)
        assert (await books(rig, result.ref))["order_id"] == request.order_id


# --- webhooks -------------------------------------------------------------------------------------


async def test_webhooks_are_genuine_once_and_say_whose_payment_it_is(
    connector: AnyConnector, rig: Rig
) -> None:
    result = await taken(rig)
    await gateway_of(rig).refund(result.ref, PART, key="r")
    await rig.control.post("/_ctl/settle", json={"ref": result.ref, "what": "refund"})
    sent = (await told(rig, "webhooks"))["deliveries"]
    assert sent
    hooks, facts = hooks_of(connector, rig), []
    ids = []
    for one in sent:
        ids.append(hooks.verify(delivery(one)))
        assert hooks.verify(delivery(one)) == ids[-1]
        facts += hooks.parse(delivery(one).body)
    assert len(set(ids)) == len(ids)
    payments = [fact for fact in facts if isinstance(fact, PaymentResult)]
    refunds = [fact for fact in facts if isinstance(fact, RefundResult)]
    assert {fact.state for fact in payments} & {"authorised", "captured"}
    assert result.ref in {fact.ref for fact in payments}
    assert [fact.amount for fact in refunds if fact.amount] in ([], [PART], [PART, PART])
    assert {fact.payment_ref for fact in refunds} <= {result.ref}


async def test_an_altered_webhook_is_refused(connector: AnyConnector, rig: Rig) -> None:
    await taken(rig)
    one = (await told(rig, "webhooks"))["deliveries"][0]
    hooks = hooks_of(connector, rig)
    # Some sign their fields, some the raw bytes; some in a header, some in the body itself.
    altered = {one["body"].replace("4900", "1"), one["body"][:-30], ""} - {one["body"]}
    for body in altered:
        with pytest.raises(Refused):
            hooks.verify(delivery({**one, "body": body}))
    unsigned = {name: text for name, text in one["headers"].items() if "signature" not in name}
    if unsigned != one["headers"]:
        with pytest.raises(Refused):
            hooks.verify(delivery({**one, "headers": unsigned}))


# --- the page's form, and secrets -------------------------------------------------------------------


async def test_the_form_has_what_a_page_needs_and_nothing_secret(rig: Rig) -> None:
    form = await gateway_of(rig).form(PRICE, customer=None)
    assert form.script_url == rig.addresses.script_url
    assert form.script_url
    assert form.public
    secrets = [
        value.get_secret_value() for _, value in rig.session.config if hasattr(value, "get_secret_value")
    ]
    assert not any(secret and secret in str(form.public) for secret in secrets)
    assert not any(secret and secret in repr(form) for secret in secrets)
    script = await rig.control.get("/script.js")
    assert script.status_code == 200
    assert "javascript" in script.headers["content-type"]


async def test_nothing_secret_is_in_what_is_shown(rig: Rig) -> None:
    request = await asking(rig, email="ann@example.com", ip="203.0.113.9")
    assert not any(text in repr(request) for text in (request.source, "ann@example.com", "203.0.113.9"))
    async with trouble(rig, request) as error:
        assert request.source not in str(error) + repr(error)


@asynccontextmanager
async def trouble(rig: Rig, request: PaymentRequest) -> Any:
    """The error of a call that is refused."""
    await fault(rig, kind="status", status=400, count=1)
    with pytest.raises(ConnectorError) as raised:
        await gateway_of(rig).authorise(request, key="p1")
    yield raised.value


def test_a_gateway_says_how_fast_and_how_long(connector: AnyConnector) -> None:
    pace = connector.payment_pace
    assert pace is not None
    assert pace.per_second > 0
    assert pace.at_once > 0
    assert connector.payment_seconds is not None
    assert connector.payment_seconds > 0
    assert connector.payment_life is not None
    assert connector.addresses.script_url
    assert connector.addresses.script_url.startswith("https://")
