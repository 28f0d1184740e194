"""A claim by comment under a Page's live video, from the comment to the link, with Facebook's own rules."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlmodel import col, select

from connectors.facebook.comments import comment_id
from connectors.types import Broadcast, ChatMessage
from hub.claims.intake import WINDOW
from hub.claims.models import Claim
from hub.shows.models import ShowTarget
from tests.hub.market import Market, Trade

SHOW = Broadcast(title="Evening", description="Coats", marker="evening-1")
WITHOUT_MESSAGES = "pages_show_list,pages_manage_posts,pages_read_engagement,pages_manage_engagement"


@pytest.fixture
async def market(trade: Trade) -> Market:
    return await trade("facebook")


async def on_air(market: Market) -> ShowTarget:
    """A live video on the Page, and its chat in the show."""
    account = market.connections["facebook"]
    async with market.hub.connections.use(account) as opened:
        assert opened.connector.destination
        ingest = await opened.connector.destination(opened.session).open(SHOW)
    async with market.hub.db.session() as session:
        target = ShowTarget(
            brand_id=market.shop.brand_id,
            show_id=market.shop.show_id,
            connection_id=account,
            connector="facebook",
            name="The Page",
            chat_ref=ingest.chat_ref,
        )
        session.add(target)
    return target


async def claimed(market: Market, target: ShowTarget, person: str) -> Claim:
    """Somebody writes `sold 1`, and it is decided and answered."""
    author = {"author_id": f"psid_{person.lower()}", "author": person}
    said = await market.fakes["facebook"].control("chat", {"text": "sold 1", **author})
    assert target.chat_ref
    message = ChatMessage(
        id=comment_id(target.chat_ref, said["ids"][0]),
        text="sold 1",
        author_id=author["author_id"],
        author_name=person,
    )
    async with market.hub.db.session() as session:
        await market.hub.chat.receive(session, target.id, [message])
    market.clock.tick(WINDOW.total_seconds())
    await market.hub.claims.judge.sweep()
    await market.work()
    return await claim_of(market, author["author_id"])


async def claim_of(market: Market, author_id: str) -> Claim:
    async with market.hub.db.session() as session:
        return (await session.exec(select(Claim).where(col(Claim.author_id) == author_id))).one()


async def state(market: Market) -> tuple[list[str], list[str]]:
    """What people got alone, and what the Page wrote for everybody."""
    found = await market.fakes["facebook"].state()
    return found["answered"], found["sent"]


async def account_state(market: Market, account: UUID) -> str:
    [row] = await market.sql("SELECT state FROM connection WHERE id = :id", id=account)
    return str(row["state"])


async def test_the_link_is_a_message_and_the_chat_points_there(market: Market) -> None:
    claim = await claimed(market, await on_air(market), "Ana")
    [alone], [public] = await state(market)
    link = market.hub.claims.links.url(claim)
    assert alone.endswith(link)
    assert "messages" in public
    assert link not in public
    assert (claim.answer, claim.public) == ("private", False)


async def test_offered_again_it_goes_public_because_one_message_per_comment_is_all_there_is(
    market: Market,
) -> None:
    claim = await claimed(market, await on_air(market), "Ana")
    market.clock.tick(901)
    await market.sweep()
    await market.hub.claims.judge.follow()
    async with market.hub.db.session() as session:
        show = await market.hub.shows.get(session, market.shop.brand_id, market.shop.show_id)
        await market.hub.claims.again(session, show, claim.message_id)
    market.clock.tick(WINDOW.total_seconds())
    await market.hub.claims.judge.sweep()
    await market.work()
    again = await claim_of(market, "psid_ana")
    alone, public = await state(market)
    assert len(alone) == 1
    assert public[-1].endswith(market.hub.claims.links.url(again))
    assert (again.answer, again.public) == ("public", True)


async def test_a_page_linked_without_messages_answers_publicly_and_stays_linked(market: Market) -> None:
    target = await on_air(market)
    await market.fakes["facebook"].control("consent", {"scopes": WITHOUT_MESSAGES})
    claim = await claimed(market, target, "Ana")
    alone, [public] = await state(market)
    assert (alone, public.endswith(market.hub.claims.links.url(claim))) == ([], True)
    assert (claim.answer, claim.public) == ("public", True)
    assert await account_state(market, market.connections["facebook"]) == "ok"
