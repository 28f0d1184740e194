"""Paying by card with each gateway beside Stripe, as a buyer does it: the shop's page on a phone in Chromium,
the gateway's fields in it (its fake's), under the page's own content policy.

Stripe's are looked at with the whole product, in tests/e2e. Among the long runs: seven phones are a minute.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import expect

from hub.payments.pan import find_pans
from tests.e2e.conftest import PHONE
from tests.hub.conftest import settings_for
from tests.hub.payments.phone import PATIENCE_MS, Card, Phone, codes, phone, selling
from tests.hub.platforms import until

pytestmark = pytest.mark.soak

NOT_YOU = "The bank could not confirm that it is you"


@dataclass(frozen=True)
class Cards:
    """A gateway's test cards, by what happens with them; `why` a declined one is, in the buyer's words."""

    name: str
    good: Card
    declined: Card
    why: str
    asking: Card


ADYEN = Cards(
    "adyen",
    good=Card("4111111111111111", holder="Zoe"),
    declined=Card("4111111111111111", holder="NOT_ENOUGH_BALANCE"),
    why="The bank could not approve this payment right now",
    asking=Card("5201281505129736", holder="Zoe"),
)
BRAINTREE = Cards(
    "braintree",
    good=Card("4111111111111111"),
    declined=Card("4000000000000002"),
    why="The payment was declined",
    asking=Card("4000000000001091"),
)
SQUARE = Cards(
    "square",
    good=Card("4111111111111111"),
    declined=Card("4111111111111111", code="911"),
    why="The bank did not accept these details",
    asking=Card("4310000000201019"),
)
REDIRECTED = Card("5212345678901234", holder="Zoe")
"""Adyen's, whose bank has a page of its own."""
FOREIGN = "document.head.append(Object.assign(document.createElement('script'), {src: '//else.where/x.js'}))"
"""What the content policy has to stop."""
ALL = [pytest.param(cards, id=cards.name) for cards in (ADYEN, BRAINTREE, SQUARE)]

Open = Callable[[str], Awaitable[Phone]]


@pytest.fixture
async def opened(database_url: str, nats_url: str, tmp_path: Path) -> AsyncIterator[Open]:
    """`await opened("adyen")`: a buyer has the watch page of a shop with this gateway open."""
    async with AsyncExitStack() as stack:

        async def enter(name: str) -> Phone:
            settings = settings_for(tmp_path, database_url, nats_url)
            market = await stack.enter_async_context(selling(settings, name))
            return await stack.enter_async_context(phone(market, name))

        yield enter


async def check(buyer: Phone, *typed: Card) -> None:
    """No card number came to us, nothing was stopped by the content policy, and both would have been seen."""
    heard, page = buyer.heard, buyer.page
    assert [*find_pans("\n".join(heard.ours))] == []
    for card in typed:
        assert not [one for one in heard.ours if card.number in re.sub(r"[\s-]", "", one)]
        assert [one for one in heard.theirs if card.number in one]
    assert [one for one in heard.ours if '"source"' in one or "saved_method_id" in one]
    assert heard.stopped == []
    await page.evaluate(FOREIGN)
    await until(seen(heard.stopped))


def seen(heard: list[str]) -> Callable[[], Awaitable[bool]]:
    async def any_yet() -> bool:
        return bool(heard)

    return any_yet


@pytest.mark.parametrize("cards", ALL)
async def test_a_declined_card_is_said_why_another_one_pays_and_is_kept_for_one_tap(
    opened: Open, cards: Cards
) -> None:
    buyer = await opened(cards.name)
    shop = buyer.market.shop
    await buyer.buy()
    await expect(buyer.field("Card number")).to_be_visible(timeout=PATIENCE_MS)
    frames = [frame.url for frame in buyer.page.frames if frame != buyer.page.main_frame]
    assert {url.startswith(buyer.heard.gateway) for url in frames} == {True}
    await buyer.who()
    await forgotten(buyer)
    await buyer.card(cards.declined)
    await buyer.pay()
    await buyer.told(cards.why)
    assert await shop.stock() == (5, 1, 0)

    await buyer.card(cards.good)
    await buyer.sheet.get_by_label("Keep this card", exact=False).check()
    await buyer.pay()
    await buyer.paid()
    assert await shop.stock() == (5, 0, 1)

    # It is theirs once they have shown that the address is.
    await sign_in(buyer)
    await buyer.sheet.get_by_role("button", name="Back to the show").click()
    await buyer.buy()
    kept = buyer.sheet.get_by_label(f"ending in {cards.good.number[-4:]}")
    await expect(kept).to_be_checked(timeout=PATIENCE_MS)
    await buyer.pay()
    await buyer.paid()
    assert await shop.stock() == (5, 0, 2)
    states = [one["state"] for one in (await buyer.market.fakes[cards.name].state())["payments"]]
    assert len(states) == 3
    await check(buyer, cards.declined, cards.good)


async def forgotten(buyer: Phone) -> None:
    """Pay without a card, on the smallest of phones: what is missing is said where it is seen."""
    await buyer.page.set_viewport_size({"width": 320, "height": 568})
    await buyer.pay()
    alert = buyer.sheet.get_by_role("alert").filter(has_text=re.compile(r"^(Fill in|Card number)"))
    await expect(alert).to_be_in_viewport(timeout=PATIENCE_MS)
    await expect(buyer.sheet.get_by_role("button", name="Pay €49.00")).to_be_focused(timeout=PATIENCE_MS)
    await buyer.page.set_viewport_size(PHONE)


async def sign_in(buyer: Phone) -> None:
    """By the code in the letter."""
    await buyer.sheet.get_by_text("Pay in one tap next time").click()
    await buyer.sheet.get_by_role("button", name="Send me a code").click()

    async def code() -> str | None:
        return next(iter(codes(buyer.market.hub.settings.data)), None)

    await buyer.sheet.get_by_label("The 6 digits we sent to", exact=False).fill(await until(code))
    await buyer.sheet.get_by_role("button", name="Sign in", exact=True).click()
    await expect(buyer.page.get_by_label("The 6 digits", exact=False)).to_have_count(0, timeout=PATIENCE_MS)


@pytest.mark.parametrize("cards", ALL)
async def test_the_bank_asks_over_the_sheet_and_its_yes_is_paid_and_its_no_leaves_the_reservation(
    opened: Open, cards: Cards
) -> None:
    buyer = await opened(cards.name)
    await buyer.buy()
    await buyer.who()
    for yes in (False, True):
        await buyer.card(cards.asking)
        await buyer.pay()
        await buyer.answer(yes)
        if not yes:
            await buyer.told(NOT_YOU)
            assert await buyer.market.shop.stock() == (5, 1, 0)
    await buyer.paid()
    assert await buyer.market.shop.stock() == (5, 0, 1)
    await check(buyer, cards.asking)


async def test_a_bank_with_a_page_of_its_own_is_gone_to_once_and_the_buyer_comes_back_to_the_sheet(
    opened: Open,
) -> None:
    buyer = await opened(ADYEN.name)
    await buyer.buy()
    await buyer.who()
    for yes in (False, True):
        await buyer.card(REDIRECTED)
        await buyer.pay()
        button = buyer.page.get_by_role("button", name="Yes, it is me" if yes else "No", exact=True)
        await button.click(timeout=PATIENCE_MS)
        if not yes:
            await buyer.told(NOT_YOU)
            assert await buyer.market.shop.stock() == (5, 1, 0)
    await buyer.paid()
    assert "redirectResult" not in buyer.page.url
    asked = [one for one in buyer.heard.theirs if one.startswith("GET") and "/bank/" in one]
    assert len(asked) == 2
    await check(buyer, REDIRECTED)
