"""A claim's link where only its author reads it, on a platform with a public chat beside."""

from __future__ import annotations

import pytest

from connectors.errors import ConnectorError, Refused, RetryLater
from connectors.types import ChatLimits
from hub.claims.intake import WINDOW
from hub.claims.models import Claim
from tests.hub.chat.stage import Platform, Stage, said
from tests.hub.claims.test_claims import claims, decide, units

WIDE = ChatLimits(characters=400, messages=1000, seconds=1)


async def both(stage: Stage) -> Platform:
    """As Facebook: comments and answers for everybody, and messages to one person."""
    return await stage.add("both", can="send reply private", limits=WIDE)


def link(stage: Stage, claim: Claim) -> str:
    return stage.hub.claims.links.url(claim)


async def test_a_link_goes_to_its_author_alone_and_the_chat_says_where_to_look(stage: Stage) -> None:
    platform = await both(stage)
    await stage.hear("both", said(1, "sold 1", author_id="a"), said(2, "sold 1 x2", author_id="a"))
    await decide(stage)
    first, second = await claims(stage)
    assert [(one.answer, one.public) for one in (first, second)] == [("private", False)] * 2
    [(_, private, words), (_, public, pointer)] = platform.sent
    # One message for both claims of a breath, as an answer to the last of them.
    assert (private, public) == ("private to m2", "reply to m2")
    assert words.endswith(link(stage, first))
    assert "in your messages" in pointer
    assert "http" not in pointer
    # Told again, as jobs may be, it says nothing twice.
    [way] = await stage.sql("SELECT id FROM delivery WHERE verb = 'private'")
    await stage.hub.claims.answers.told(way.id)
    await stage.work()
    assert len(platform.sent) == 2


async def test_told_again_when_fewer_minutes_are_left_it_says_nothing_new(stage: Stage) -> None:
    platform = await both(stage)
    await stage.hear("both", said(1, "sold 1"))
    await decide(stage)
    [way] = await stage.sql("SELECT id FROM delivery WHERE verb = 'private'")
    stage.clock.tick(300)
    await stage.hub.claims.answers.told(way.id)
    await stage.work()
    assert len(platform.sent) == 2


async def test_each_buyer_is_pointed_to_by_name_where_the_same_words_are_refused_twice_in_a_row(
    stage: Stage,
) -> None:
    limits = WIDE.model_copy(update={"repeats": False})
    platform = await stage.add("both", can="send reply private", limits=limits)
    people = ("Ana", "Ben", "Cleo")
    await stage.hear(
        "both", *(said(n, "sold 1", author_id=who, author_name=who) for n, who in enumerate(people))
    )
    await decide(stage)
    pointers = [words for _, how, words in platform.sent if how.startswith("reply")]
    assert [words.split()[0] for words in pointers] == ["@Ana", "@Ben", "@Cleo"]
    assert {row.state for row in await stage.sql("SELECT state FROM delivery WHERE verb = 'reply'")} == {
        "sent"
    }


@pytest.mark.parametrize(
    "trouble",
    [
        Refused("Answered already.", code="answered"),
        Refused("Too old.", code="closed"),
        Refused("Not allowed.", code="permission"),
        RetryLater("The answer was lost.", unknown=True),
        # A claim lives for minutes: a private answer that waits for a throttle would come too late.
        RetryLater("Slow down.", 300.0),
    ],
)
async def test_what_could_not_be_said_privately_is_said_publicly_and_its_page_asks_for_the_name(
    stage: Stage, trouble: ConnectorError
) -> None:
    platform = await both(stage)
    platform.fails = [trouble]
    await stage.hear("both", said(1, "sold 1"))
    await decide(stage)
    [claim] = await claims(stage)
    assert (claim.answer, claim.public) == ("public", True)
    [(_, how, words)] = platform.sent
    assert (how, words.endswith(link(stage, claim))) == ("reply to m1", True)
    links = stage.hub.claims.links
    async with stage.hub.db.session() as session:
        assert isinstance(await links.open(session, stage.shop.viewer("b1"), links.code(claim), "Eve"), str)


async def test_links_wait_for_no_comments_where_the_platform_counts_private_answers_apart(
    stage: Stage,
) -> None:
    few = ChatLimits(characters=400, messages=2, seconds=60)
    platform = await stage.add("both", can="send reply private", limits=few, private_limits=WIDE)
    for number in range(10):
        await stage.say(f"words {number}")
    people = ("Ana", "Ben", "Cleo")
    await stage.hear(
        "both", *(said(n, "sold 1", author_id=who, author_name=who) for n, who in enumerate(people))
    )
    await decide(stage)
    assert sum(how.startswith("private") for _, how, _ in platform.sent) == 3
    assert sum(how == "send" for _, how, _ in platform.sent) == 1


async def test_a_link_that_would_come_after_its_reservation_is_not_sent_and_staff_see_why(
    stage: Stage,
) -> None:
    rare = ChatLimits(characters=400, messages=1, seconds=600)
    platform = await stage.add("both", can="send reply private", limits=WIDE, private_limits=rare)
    people = ("Ana", "Ben", "Cleo")
    await stage.hear(
        "both", *(said(n, "sold 1", author_id=who, author_name=who) for n, who in enumerate(people))
    )
    await decide(stage)
    ways = await stage.sql("SELECT state, reason FROM delivery WHERE verb = 'private' ORDER BY id")
    late = "Both is too busy: it would come too late."
    # One goes at once, one in ten minutes, and the last would after twenty.
    assert [(row.state, row.reason) for row in ways[2:]] == [("failed", late)]
    assert [row.state for row in ways] == ["sent", "queued", "failed"]
    assert [how for _, how, _ in platform.sent if how.startswith("private")] == ["private to m0"]


async def test_a_link_that_was_opened_is_not_published_because_of_a_doubt(stage: Stage) -> None:
    platform = await both(stage)
    platform.fails = [RetryLater("The answer was lost.", unknown=True)]
    await stage.hear("both", said(1, "sold 1"))
    stage.clock.tick(WINDOW.total_seconds())
    await stage.hub.claims.judge.sweep()
    [claim] = await claims(stage)
    links = stage.hub.claims.links
    async with stage.hub.db.session() as session:
        await links.open(session, stage.shop.viewer("b1"), links.code(claim), "")
    await stage.work()
    [claim] = await claims(stage)
    assert (claim.public, claim.opened_by, platform.sent) == (False, "b1", [])


async def test_refusals_still_share_one_public_message(stage: Stage) -> None:
    platform = await both(stage)
    await units(stage, 1)
    await stage.hear("both", *(said(n, "sold 1", author_id=f"p{n}", author_name=f"P{n}") for n in range(3)))
    await decide(stage)
    assert [how for _, how, _ in platform.sent if how == "send"] == ["send"]
    [shared] = [words for _, how, words in platform.sent if how == "send"]
    assert shared.startswith("@P1 @P2 Bag: sold out")
    assert sorted(one.answer for one in await claims(stage)) == ["private", "public", "public"]
