"""Orders go through a few at a time, in the order of coming; nobody waits for ever."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from hub.errors import Unavailable
from hub.orders.turnstile import Turnstile

BRAND = uuid4()


async def test_so_many_pass_together_and_the_others_in_the_order_of_coming() -> None:
    turnstile, inside, passed, most = Turnstile(at_once=3), 0, [], 0

    async def pass_through(number: int) -> None:
        nonlocal inside, most
        async with turnstile.turn(BRAND):
            inside += 1
            most = max(most, inside)
            passed.append(number)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*map(pass_through, range(40)))
    assert passed == [*range(40)]
    assert most == 3


async def test_whoever_waits_too_long_is_asked_to_come_again_and_takes_nobodys_turn() -> None:
    turnstile = Turnstile(at_once=1, patience=0.01)
    async with turnstile.turn(BRAND):
        with pytest.raises(Unavailable) as refused:
            async with turnstile.turn(BRAND):
                pass
        assert refused.value.extra["retry_after"] == 1
    async with turnstile.turn(BRAND):
        pass


async def test_one_brands_rush_keeps_no_other_waiting() -> None:
    turnstile = Turnstile(at_once=1, patience=0.01)
    async with turnstile.turn(BRAND), turnstile.turn(uuid4()):
        pass


async def test_an_order_that_fails_gives_its_turn_back() -> None:
    turnstile = Turnstile(at_once=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            async with turnstile.turn(BRAND):
                raise ValueError("no")
