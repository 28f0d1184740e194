"""Claims by comment on a real database: order, once, never too many, answers, and the link."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from sqlmodel import col, select

from connectors.types import ChatLimits
from hub.auth.tokens import Viewer
from hub.claims.intake import WINDOW
from hub.claims.links import MOST_TRIES
from hub.claims.models import Claim
from hub.customers.service import Person
from hub.errors import Conflict, HubError, NotFound
from hub.orders.models import Order
from hub.shows.models import Show
from hub.stock.models import Hold
from hub.visits.models import Touch
from tests.hub.chat.stage import Stage, said
from tests.hub.market import Trade
from tests.hub.stock.crowd import chat_of

WIDE = ChatLimits(characters=200, messages=1000, seconds=1)


async def claims(stage: Stage) -> list[Claim]:
    async with stage.hub.db.session() as session:
        return [*await session.exec(select(Claim).order_by(col(Claim.said_at), col(Claim.n)))]


async def decide(stage: Stage) -> None:
    stage.clock.tick(WINDOW.total_seconds())
    await stage.hub.claims.judge.sweep()
    await stage.work()


async def holds(stage: Stage) -> list[Hold]:
    async with stage.hub.db.session() as session:
        return [*await session.exec(select(Hold))]


async def units(stage: Stage, number: int) -> None:
    async with stage.hub.db.session() as session:
        row = await stage.shop.row()
        wanted = (number, row.version)
        await stage.hub.stock.adjust(
            session, stage.shop.brand_id, stage.shop.variant_id, wanted, ("test", "count")
        )


async def pay(stage: Stage, claim: Claim) -> None:
    """As the checkout leaves it."""
    hub, brand_id = stage.hub, claim.brand_id
    async with hub.db.session() as session:
        known = await hub.customers.meet(session, brand_id, Person(email="ana@example.com"))
        order = Order(
            brand_id=brand_id,
            channel="own",
            number="1",
            state="paid",
            currency="EUR",
            placed_at=hub.clock(),
            customer_id=known.customer_id,
            identity_id=known.node_id,
        )
        session.add(order)
        await session.flush()
        for hold in await session.exec(select(Hold).where(col(Hold.id) == claim.hold_id)):
            hold.state, hold.order_id = "committed", order.id
    for _ in range(2):
        await hub.claims.judge.follow()


async def opens(stage: Stage, claim: Claim, browser: str, name: str = "") -> Claim | str:
    links = stage.hub.claims.links
    async with stage.hub.db.session() as session:
        return await links.open(session, stage.shop.viewer(browser), links.code(claim), name)


async def test_who_said_it_first_gets_it_however_the_messages_arrive(stage: Stage) -> None:
    await stage.add("one", can="send", limits=WIDE)
    await stage.add("two", can="send", limits=WIDE)
    await units(stage, 3)
    begun = stage.clock()
    late = [
        (
            "one" if n % 2 else "two",
            said(n, "sold 1", author_id=f"p{n}", sent_at=begun - timedelta(seconds=9 - n)),
        )
        for n in range(9)
    ]
    random.Random(7).shuffle(late)
    for name, message in late[:6]:
        await stage.hear(name, message)
    stage.clock.tick(WINDOW.total_seconds())
    # These came in a moment before the others are decided, and were said among them.
    for name, message in late[6:]:
        await stage.hear(name, message)
    await stage.hub.claims.judge.sweep()
    await decide(stage)
    states = {one.author_id: one.state for one in await claims(stage)}
    assert [who for who, state in states.items() if state == "held"] == ["p0", "p1", "p2"]
    assert [*states.values()].count("sold_out") == 6
    await stage.shop.check_ledger()


async def test_a_message_claims_once_and_history_ourselves_and_the_muted_never(stage: Stage) -> None:
    await stage.add("one", can="send ban", limits=WIDE)
    await stage.hear("one", said(0, "hello", author_id="bad"))
    [first] = await stage.feed()
    await stage.moderate(first.id, "ban")
    heard = [
        said(1, "sold 1"),
        said(1, "sold 1"),
        said(2, "sold 1", author_id="old", backlog=True),
        said(3, "sold 1", author_id="us", ours=True),
        said(4, "sold 1", author_id="bad"),
        said(5, "who sold 1 of these?", author_id="asks"),
        said(6, "sold 1", author_id=None, author_name=None),
        said(7, "sold 1", author_id="gone", author_name="Gone"),
    ]
    await stage.hear("one", *heard)
    await stage.hear("one", *heard)
    gone = next(one for one in await stage.feed() if one.author_name == "Gone")
    await stage.moderate(gone.id, "hide")
    await decide(stage)
    await stage.hear("one", *heard)
    await decide(stage)
    assert [(one.author_id, one.state) for one in await claims(stage)] == [
        ("ana", "held"),
        ("gone", "withdrawn"),
    ]
    assert len(await holds(stage)) == 1


async def test_seventy_three_claims_and_buyers_of_our_own_page_get_exactly_fifty(stage: Stage) -> None:
    await stage.add("one", can="send", limits=WIDE)

    async def own() -> int:
        taken = await asyncio.gather(*(stage.shop.hold() for _ in range(40)), return_exceptions=True)
        assert all(not isinstance(one, BaseException) or isinstance(one, HubError) for one in taken)
        return sum(1 for one in taken if not isinstance(one, BaseException))

    await stage.hear("one", *(said(n, "claim 1", author_id=f"p{n}") for n in range(73)))
    stage.clock.tick(WINDOW.total_seconds())
    bought, _, _ = await asyncio.gather(own(), stage.hub.claims.judge.sweep(), stage.hub.claims.judge.sweep())
    found = [one.state for one in await claims(stage)]
    assert bought + found.count("held") == 50
    assert found.count("held") + found.count("sold_out") == 73
    assert (await stage.shop.stock())[1] == 50
    await stage.shop.check_ledger()


async def test_killed_between_hold_and_answer_leaves_one_hold_and_one_answer(stage: Stage) -> None:
    one = await stage.add("one", can="send", limits=WIDE)
    await stage.hear("one", said(1, "sold 1 x2"))
    judge = stage.hub.claims.judge
    [claim] = await claims(stage)
    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id)
        rules = await stage.hub.claims.rules(session, show)
    # What a sweep does first, and then it is killed.
    taken = await judge._take(claim, rules)
    await decide(stage)
    await decide(stage)
    [claim] = await claims(stage)
    assert (claim.state, claim.hold_id, claim.quantity) == ("held", taken.group_id, 2)
    assert claim.expires_at == taken.expires_at
    assert len(await holds(stage)) == 1
    [words] = one.words()
    assert words.startswith("@Ana yours for 15 min: 2 × Bag http")
    assert words.endswith(stage.hub.claims.links.code(claim))


async def test_the_answer_is_private_where_it_can_be_and_one_for_a_burst(stage: Stage) -> None:
    private = await stage.add("private", can="reply private", limits=WIDE)
    public = await stage.add("public", can="send", limits=WIDE)
    await stage.add("silent", chat_sink="Silent gives programs no way to write.")
    await units(stage, 5)
    for name in ("private", "public", "silent"):
        await stage.hear(name, said(1, "sold 1", author_id=name))
    await stage.hear("public", said(2, "sold 1", author_id="public"), said(3, "sold 1", author_id="x"))
    await stage.hear("public", *(said(n, "sold 1", author_id=f"y{n}", author_name=f"Y{n}") for n in (4, 5)))
    await decide(stage)
    found = {(one.platform, one.words, one.author_id): one for one in await claims(stage)}
    assert {one.answer for (name, _, _), one in found.items() if name == "private"} == {"private"}
    assert not any(one.public for one in found.values() if one.platform == "private")
    [silent] = [one for one in found.values() if one.platform == "silent"]
    assert (silent.state, silent.answer, silent.public) == ("held", "host", True)
    assert [how for _, how, _ in private.sent] == ["private to m1"]
    # One for both claims of one person, one for the last unit, one for all who were too late.
    assert len(public.words()) == 3
    assert public.words()[-1] == "@Y4 @Y5 Bag: sold out, nothing is reserved."


async def test_a_public_link_asks_whose_it_is_and_binds_to_one_browser(stage: Stage) -> None:
    await stage.add("one", can="send", limits=WIDE)
    await stage.hear(
        "one", said(1, "sold 1", author_name="@Àna"), said(2, "sold 1", author_id="bo", author_name="Bo")
    )
    await decide(stage)
    ana, bo = await claims(stage)
    assert isinstance(await opens(stage, ana, "b1", "Eve"), str)
    mine = await opens(stage, ana, "b1", "ana")
    assert isinstance(mine, Claim)
    assert mine.opened_by == "b1"
    assert isinstance(await opens(stage, ana, "b1"), Claim)  # a reload
    with pytest.raises(Conflict) as taken:
        await opens(stage, ana, "b2", "ana")
    assert taken.value.code == "claim_taken"
    with pytest.raises(Conflict) as others:
        await opens(stage, bo, "b1", "Bo")
    assert others.value.code == "claim_others"
    for _ in range(MOST_TRIES):
        assert isinstance(await opens(stage, bo, "b3", "Eve"), str)
    with pytest.raises(Conflict) as closed:
        await opens(stage, bo, "b3", "Bo")
    assert closed.value.code == "claim_closed"
    async with stage.hub.db.session() as session:
        cart = await stage.hub.carts.lines(session, stage.shop.viewer("b1"))
        with pytest.raises(NotFound):
            await stage.hub.claims.links.find(session, stage.hub.claims.links.code(ana)[:-1] + "0")
    assert [line.quantity for line in cart] == [1]
    assert cart[0].group_ids == [ana.hold_id]
    await stage.shop.check_ledger()


async def test_the_link_is_a_picture_too_while_there_is_something_to_pay(trade: Trade) -> None:
    market = await trade()
    owner, shop = await market.owner(), market.shop
    target = await chat_of(market.hub, shop)
    async with market.hub.db.session() as session:
        await market.hub.chat.receive(session, target, [said(1, "sold 1")])
    path = f"/api/v1/shows/{shop.show_id}/claims"
    [claim] = (await owner.call("GET", path))["claims"]
    picture = f"{path}/{claim['message_id']}/qr.svg"
    assert (await owner.call("GET", picture, ok=409))["code"] == "nothing_to_pay"
    market.clock.tick(WINDOW.total_seconds() + 1)
    await market.hub.claims.judge.sweep()
    [claim] = (await owner.call("GET", path))["claims"]
    answer = await owner.http.get(picture)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert claim["link"].partition("://")[2] in answer.text


async def test_unpaid_claims_lapse_and_can_be_offered_again_or_their_author_restricted(stage: Stage) -> None:
    await stage.add("one", can="send", limits=WIDE)
    await stage.hear("one", said(1, "sold 1"))
    await decide(stage)
    [claim] = await claims(stage)
    old = stage.hub.claims.links.code(claim)
    stage.clock.tick(901)
    async with stage.hub.db.session() as session:
        await stage.hub.stock.expire_holds(session)
    await stage.hub.claims.judge.follow()
    [claim] = await claims(stage)
    assert claim.state == "lapsed"
    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id)
        await stage.hub.claims.again(session, show, claim.message_id)
    await decide(stage)
    [claim] = await claims(stage)
    assert claim.state == "held"
    assert stage.hub.claims.links.code(claim) != old
    await pay(stage, claim)
    async with stage.hub.db.session() as session:
        [touch] = await session.exec(select(Touch).where(col(Touch.source_id) == claim.id))
        assert (touch.kind, touch.channel_group, touch.at) == ("claim", "Organic Social", claim.said_at)
        assert (await session.exec(select(Order.customer_id))).one() == touch.customer_id
        await stage.hub.claims.restrict(session, show, claim.message_id, on=True)
    await stage.hear("one", said(2, "sold 1"))
    await decide(stage)
    assert [one.state for one in await claims(stage)] == ["paid", "refused"]


async def test_who_waits_in_line_is_answered_when_a_unit_is_free(stage: Stage) -> None:
    one = await stage.add("one", can="send", limits=WIDE)
    await units(stage, 1)
    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id)
        (await stage.hub.claims.rules(session, show)).waitlist = True
    taken = await stage.shop.hold("first")
    await stage.hear("one", said(1, "sold 1"))
    await decide(stage)
    assert [claim.state for claim in await claims(stage)] == ["queued"]
    async with stage.hub.db.session() as session:
        await stage.hub.stock.release_hold(session, taken.group_id)
    await stage.hub.waitlist.offer_freed()
    await stage.hub.claims.judge.follow()
    await stage.work()
    [claim] = await claims(stage)
    assert claim.state == "held"
    assert claim.expires_at == stage.clock() + timedelta(seconds=900)
    assert "yours for 15 min" in one.words()[-1]
    await stage.shop.check_ledger()


async def test_on_our_own_page_the_reservation_is_the_viewers_own(stage: Stage) -> None:
    viewer: Viewer = stage.shop.viewer("me")
    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id, with_for_update=True)
        await stage.hub.chat.say(session, show, viewer, "Me", "+2 bag")
    await decide(stage)
    [claim] = await claims(stage)
    assert (claim.state, claim.answer, claim.opened_by) == ("held", "page", "me")
    async with stage.hub.db.session() as session:
        [line] = await stage.hub.carts.lines(session, viewer)
    assert line.held == 2
