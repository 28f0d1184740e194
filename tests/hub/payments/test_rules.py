"""The rules behind payments, without a gateway: the lattice of states, the pace, the choice by speed."""

from __future__ import annotations

import asyncio
import itertools
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import load
from connectors.base import PaymentPace
from connectors.errors import RetryLater
from hub.payments.models import OVER
from hub.payments.origins import origins_of
from hub.payments.pacing import Bucket, Line, Pacer
from hub.payments.states import MONEY, RULES, step_for
from hub.payments.timing import ENDLESS, STEPS_MS, Timing, buckets, step_of, unwell
from hub.settings import Settings
from hub.web import content_policy

WORDS = ("authorised", "captured", "capture_pending", "capture_failed", "action_required", "declined")
SAID = st.sampled_from((*WORDS, "pending", "voided", "refunded"))
BECOMES = {"settle": "authorised"}
"""States after a step, where they have another name; what is asked or let go of changes in jobs."""


def heard(state: str, said: str) -> str:
    step = step_for(state, said)
    return state if step in (None, "ask", "late") else BECOMES.get(str(step), str(step))


@given(st.sampled_from(sorted(RULES)), st.lists(SAID, max_size=12))
def test_words_in_any_order_and_number_never_undo_what_is_certain(state: str, words: list[str]) -> None:
    for said in words:
        after = heard(state, said)
        assert after in RULES
        assert heard(after, said) == after or step_for(after, said) in ("captured", "refunded")
        if state in OVER or state == "refunded":
            assert after == state
        if state == "captured":
            # Only a capture that failed takes money back; no older word does.
            assert after in ("captured", "refunded", "capture_failed")
            assert after == "captured" or said in ("refunded", "capture_failed")
        state = after


@given(st.permutations(["authorised", "captured", "action_required", "captured"]))
def test_the_same_words_in_any_order_end_alike(words: list[str]) -> None:
    state = "action_required"
    for said in words:
        state = heard(state, said)
    # What is authorised only is captured by our own job.
    assert state in ("authorised", "captured")


def test_money_for_a_payment_that_is_over_is_never_ignored() -> None:
    assert {step_for("declined", said) for said in MONEY} == {"late"}
    assert step_for("voided", "captured") == step_for("voiding", "captured") == "late"


@given(st.floats(0.5, 200), st.lists(st.floats(0, 0.5), min_size=1, max_size=60))
def test_no_second_has_more_calls_than_the_pace_allows(rate: float, gaps: list[float]) -> None:
    bucket, now, taken = Bucket(rate, 0.0), 0.0, []
    for gap in gaps:
        now += gap
        while (wait := bucket.wait(now)) > 0:
            now += wait + 1e-6
        taken.append(now)
    for first, last in itertools.combinations(range(len(taken)), 2):
        span = taken[last] - taken[first]
        assert last - first <= max(1.0, rate / 2) + span * rate + 1


async def test_whoever_waits_is_served_in_the_order_of_their_payments_and_few_at_once() -> None:
    line = Line(PaymentPace(per_second=500, at_once=2), asyncio.get_running_loop().time)
    await line.turn("000")
    await line.turn("001")
    served: list[str] = []
    running = 0

    async def pay(order: str) -> None:
        nonlocal running
        await line.turn(order)
        running += 1
        assert running <= 2
        served.append(order)
        await asyncio.sleep(0)
        running -= 1
        line.done()

    waiting = [asyncio.create_task(pay(f"{order:03}")) for order in (7, 3, 9, 5, 8)]
    await asyncio.sleep(0)
    line.done()
    line.done()
    await asyncio.gather(*waiting)
    assert served == sorted(served)


async def test_a_gateway_that_is_asked_too_much_is_asked_later() -> None:
    pacer, account = Pacer(longest=0.01), uuid4()
    pace = PaymentPace(per_second=0.5, at_once=1)
    async with pacer.turn(account, "authorise", pace, "1"):
        with pytest.raises(RetryLater) as raised:
            async with pacer.turn(account, "authorise", pace, "2"):
                raise AssertionError("it is not its turn")
        assert not raised.value.unknown
        # Other accounts and other kinds of calls have lines of their own.
        async with pacer.turn(account, "void", pace, "1"), pacer.turn(uuid4(), "authorise", pace, "1"):
            pass


def timing(calls: int, le_ms: int, outcome: str = "ok", operation: str = "authorise") -> Timing:
    return Timing(uuid4(), operation, outcome, le_ms, calls)


def test_a_gateway_is_avoided_when_most_of_its_answers_are_late_or_bad() -> None:
    assert not unwell([], 2000)
    assert not unwell([timing(3, ENDLESS)], 2000)
    assert not unwell([timing(4, 1000), timing(3, 3000)], 2000)
    assert unwell([timing(4, 1000), timing(5, 3000)], 2000)
    assert unwell([timing(4, 100, "trouble")], 2000)
    assert not unwell([timing(40, ENDLESS, "trouble", "refund")], 2000)


@given(st.lists(st.integers(0, 30_000), max_size=50))
def test_the_histogram_counts_every_call_once(took: list[int]) -> None:
    rows = [timing(1, step_of(one)) for one in took]
    calls: dict[int, int] = {}
    for row in rows:
        calls[row.le_ms] = calls.get(row.le_ms, 0) + 1
    told = buckets([timing(count, step) for step, count in calls.items()])
    assert told[-1] == ("+Inf", float(len(took)))
    for step, (_, count) in zip(STEPS_MS, told, strict=False):
        assert count == sum(one <= step for one in took)


def test_pages_that_sell_may_load_the_gateways_fields_and_no_other_page_may() -> None:
    settings = Settings(_env_file=None)
    real = content_policy(settings, origins_of(load().values(), {}))
    policy = dict(part.split(" ", 1) for part in real.split("; "))
    assert "https://js.stripe.com" in policy["script-src"]
    assert "https://hooks.stripe.com" in policy["frame-src"]
    assert "unsafe" not in real
    assert "https:" not in policy["script-src"].split()
    assert "stripe" not in content_policy(settings)
    fakes = {f"SIMULCAST_{name.upper()}_SCRIPT_URL": "http://127.0.0.1:9/script.js" for name in load()}
    local = content_policy(settings, origins_of(load().values(), fakes))
    policy = dict(part.split(" ", 1) for part in local.split("; "))
    for kind in ("script-src", "frame-src", "connect-src"):
        assert "http://127.0.0.1:9" in policy[kind].split()
    assert "stripe.com" not in local
