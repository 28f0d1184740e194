"""Messages passed on between platforms: only what was chosen, never in circles, never too much."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors.types import Badge, ChatLimits, ChatMessage
from hub.chat.relay import OWN, Pair
from hub.errors import BadInput
from hub.shows.models import Show
from tests.hub.chat.stage import Stage, said

LIMITS = ChatLimits(characters=40, messages=5, seconds=30)


async def choose(stage: Stage, *pairs: tuple[str, str]) -> None:
    def place(name: str) -> str:
        return OWN if name == OWN else str(stage.targets[name])

    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id)
        targets = await stage.hub.shows.targets(session, show.id)
        wanted = [Pair(place(source), UUID(place(into))) for source, into in pairs]
        await stage.hub.relay.choose(session, show, targets, wanted)


@pytest.fixture
async def both(stage: Stage) -> Stage:
    for name in ("youtube", "twitch"):
        await stage.add(name, can="send", limits=LIMITS)
    return stage


async def test_nothing_is_passed_on_until_it_is_chosen_and_then_only_as_chosen(both: Stage) -> None:
    await both.hear("youtube", said(1, "hello"))
    await choose(both, ("youtube", "twitch"), (OWN, "twitch"))
    await both.hear("youtube", said(2, "anyone?"), said(2, "anyone?"))
    await both.hear("twitch", said(1, "not back"))
    async with both.hub.db.session() as session:
        show = await both.hub.shows.get(session, both.shop.brand_id, both.shop.show_id)
        await both.hub.chat.say(session, show, both.shop.viewer(), "Bo: x", "from the page")
    await both.work()
    assert both.platforms["twitch"].words() == ["[Youtube] Ana: anyone?", "[Live page] Bo x: from the page"]
    assert both.platforms["youtube"].words() == []
    await choose(both)
    await both.hear("youtube", said(3, "off again"))
    await both.work()
    assert len(both.platforms["twitch"].sent) == 2


NEVER: list[Any] = [
    said(1, "the host's phone", ours=True),
    said(1, "yesterday", backlog=True),
    said(1, "[Twitch] Bo: hello"),
    said(1, "(Kick) Bo: hello"),
    said(1, "Follow us!", author_name="Nightbot"),
    said(1, "Follow us!", badges=(Badge(kind="other", title="Chat Bot"),)),
    said(1, "raided", kind="raid"),
    said(1, " "),
]


async def test_no_circle_no_bot_no_history_is_passed_on(both: Stage) -> None:
    """Both ways at once, and each platform's echo of what we wrote comes back as it does in life."""
    await choose(both, ("youtube", "twitch"), ("twitch", "youtube"))
    for number, one in enumerate(NEVER):
        await both.hear("youtube", one.model_copy(update={"id": f"never-{number}"}))
    late = both.clock() - timedelta(minutes=2)
    await both.hear("youtube", said(70, "late", sent_at=late))
    await both.hear("youtube", said(50, "hello"))
    for _ in range(3):
        await both.work()
        for name, platform in both.platforms.items():
            for number, words in enumerate(platform.words(), 1):
                # One platform says that it is ours, the other only knows the id it gave.
                echo = ChatMessage(id=f"{name}-{number}", text=words, author_id="us", author_name="Us")
                await both.hear(name, echo.model_copy(update={"ours": name == "twitch"}))
    assert both.platforms["twitch"].words() == ["[Youtube] Ana: hello"]
    assert both.platforms["youtube"].words() == []
    [row] = await both.sql("SELECT state FROM delivery")
    assert row.state == "confirmed"


async def test_a_storm_is_passed_on_as_far_as_there_is_room_and_the_rest_is_counted(both: Stage) -> None:
    """A person's answer still has its place."""
    await choose(both, ("youtube", "twitch"))
    await both.hear("youtube", *(said(n, f"{'long ' * 12}{n}") for n in range(40)))
    await both.work()
    relayed = both.platforms["twitch"].words()
    assert 1 <= len(relayed) < LIMITS.messages
    assert all(len(words) <= LIMITS.characters and words.endswith("…") for words in relayed)
    async with both.hub.db.session() as session:
        dropped = await both.hub.relay.dropped(session, both.shop.show_id)
    assert dropped == {both.targets["twitch"]: 40 - len(relayed)}
    await both.say("An answer.", [str(both.targets["twitch"])])
    await both.work()
    assert both.platforms["twitch"].words()[-1] == "An answer."


async def test_a_choice_that_cannot_work_is_refused_in_words(both: Stage) -> None:
    await both.add("mute", chat_sink="Mute gives programs no way to write.")
    for pairs, why in (
        ((("youtube", "mute"),), "no way to write"),
        ((("youtube", "youtube"),), "into itself"),
    ):
        with pytest.raises(BadInput, match=why):
            await choose(both, *pairs)
