"""Odd dates, names and addresses; deletions in the midst of talk; what one moderator undoes of another's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from connectors.types import ChatDeletion, Money
from hub.bus import Event
from hub.chat.relay import PASSED_ON, Relay
from hub.work.readings import Reading, Writer
from tests.hub.chat.stage import Stage, said
from tests.hub.platforms import until
from tests.hub.shop import SetClock


async def shown(stage: Stage) -> list[str]:
    return [one.external_id for one in await stage.feed(viewers=True)]


async def test_a_message_dated_long_ago_or_with_an_odd_picture_does_not_stop_its_chat(stage: Stage) -> None:
    await stage.add("tiktok")
    await stage.hear(
        "tiktok",
        said(1, sent_at=datetime(1970, 1, 1, tzinfo=UTC), author_picture="javascript:alert(1)"),
        said(2, author_picture="https://cdn.example/a\0.png", reply_to="m\0"),
        said(3, sent_at=datetime(9999, 1, 1, tzinfo=UTC)),
    )
    found = {one.external_id: one for one in await stage.feed()}
    assert found.keys() == {"m1", "m2", "m3"}
    assert [found[one].author_picture for one in ("m1", "m2")] == [None, "https://cdn.example/a.png"]


async def test_one_message_that_cannot_be_kept_costs_itself_and_is_said(stage: Stage) -> None:
    await stage.add("tiktok")
    writer = Writer(stage.hub, stage.shop.show_id)
    reading = writer.open(stage.targets["tiktok"], None)
    odd = said(2).model_copy(update={"id": "m2\0"})
    dear = said(4, kind="paid", money=Money(amount=10**20, currency="EUR"))
    for item in (said(1), odd, said(3), dear, said(5)):
        await reading.put(item)
    await reading.stored()
    assert not reading.failed.done()

    async def told() -> bool:
        [row] = await stage.sql("SELECT chat_detail FROM show_target")
        return bool(row.chat_detail == "2 of its messages could not be kept. Some messages may be missing.")

    await until(told)
    assert await shown(stage) == ["m1", "m3", "m5"]
    await writer.stop()


async def test_what_is_said_after_a_chat_was_cleared_stays(stage: Stage) -> None:
    for name in ("twitch", "youtube"):
        await stage.add(name)
    await stage.hear("youtube", said(9))
    await stage.hear("twitch", said(1), said(2), ChatDeletion(), said(3), said(1))
    assert await shown(stage) == ["m9", "m3"]
    await stage.hear("twitch", ChatDeletion(author_id="ana"), said(4))
    assert await shown(stage) == ["m9", "m4"]


async def test_a_message_that_was_deleted_before_it_came_never_appears(stage: Stage) -> None:
    """Webhooks come in any order, and a removal may be minutes ahead of what it removes."""
    for name in ("facebook", "twitch"):
        await stage.add(name)
    told: list[Event] = []

    async def hear(event: Event) -> None:
        told.append(event)

    leave = await stage.hub.bus.subscribe(f"show.{stage.shop.show_id}.>", hear)
    await stage.hear("facebook", ChatDeletion(message_ids=("m1", "m2")))
    await stage.hear("facebook", said(1), ChatDeletion(message_ids=("m3",)), said(3), said(4))
    await stage.hear("facebook", said(2), said(1), said(3))
    await stage.hear("twitch", said(1))  # another platform's
    assert [(one.platform, one.external_id) for one in await stage.feed()] == [
        ("facebook", "m4"),
        ("twitch", "m1"),
    ]
    await stage.hear("facebook", ChatDeletion(message_ids=("m4",)))
    await until(lambda: deleted(told))
    await leave()
    assert [one.data["external_id"] for one in told if one.kind == "message.added"] == ["m4", "m1"]
    # A removal is no sign that everything before it was heard.
    since = stage.clock()
    stage.clock.tick(9)
    await stage.hear("facebook", said(2), resumed=since)
    assert [one.kind for one in await stage.feed() if one.platform == "facebook"] == ["text", "gap"]


async def deleted(told: list[Event]) -> bool:
    await asyncio.sleep(0)
    return any(one.kind == "message.deleted" for one in told)


async def test_our_own_words_coming_back_hide_no_gap(stage: Stage) -> None:
    platform = await stage.add("twitch", can="send")
    await stage.hear("twitch", said(1))
    left = stage.clock()
    stage.clock.tick(9)
    await stage.say("hello all")
    await stage.work()
    echo = said(0, "hello all", ours=True).model_copy(update={"id": "twitch-1"})
    assert platform.words() == ["hello all"]
    await stage.hear("twitch", echo, said(7), resumed=left)
    assert [one.kind for one in await stage.feed() if not one.outgoing] == ["text", "gap", "text"]
    # Once it was heard, it is a known place as good as any.
    left = stage.clock()
    stage.clock.tick(9)
    await stage.hear("twitch", echo, said(8), resumed=left)
    assert [one.kind for one in await stage.feed() if not one.outgoing] == ["text", "gap", "text", "text"]


async def test_a_message_of_another_platform_with_the_same_id_confirms_nothing(stage: Stage) -> None:
    for name in ("twitch", "youtube"):
        await stage.add(name, can="send")
    sent = await stage.say("hello", [str(stage.targets["twitch"])])
    await stage.work()
    stranger = said(0).model_copy(update={"id": "twitch-1"})
    heard = {stage.targets["twitch"]: [said(1)], stage.targets["youtube"]: [stranger]}
    async with stage.hub.db.session() as session:
        await stage.hub.chat.receive_all(session, stage.shop.show_id, heard)
    assert await stage.ways(sent.id) == {"twitch": ("sent", None)}
    assert len(await stage.feed()) == 3


async def test_a_reply_whose_sender_died_is_told_to_be_in_doubt(stage: Stage) -> None:
    platform = await stage.add("twitch", can="send")
    told: list[Event] = []

    async def hear(event: Event) -> None:
        told.append(event)

    await stage.say("hello", [str(stage.targets["twitch"])])
    await stage.sql("UPDATE delivery SET state = 'unknown', attempts = 1")
    leave = await stage.hub.bus.subscribe(f"show.{stage.shop.show_id}.staff.delivery.changed", hear)
    await stage.work()
    await until(lambda: some(told))
    await leave()
    assert [one.data["delivery"]["state"] for one in told] == ["unknown"]
    assert platform.sent == []


async def some(told: list[Event]) -> bool:
    await asyncio.sleep(0)
    return bool(told)


async def test_lifting_a_ban_shows_nothing_that_was_hidden_for_itself(stage: Stage) -> None:
    await stage.add("able")
    await stage.hear("able", said(1), said(2), said(3))
    first, second, _ = [one.id for one in await stage.feed()]
    hidden = await stage.moderate(first, "hide")
    banned = await stage.moderate(second, "ban")
    assert await shown(stage) == []
    await stage.undo(banned.id)
    assert await shown(stage) == ["m2", "m3"]
    await stage.undo(hidden.id)
    assert await shown(stage) == ["m1", "m2", "m3"]


@pytest.mark.parametrize("name", ["x" * 100, " ", ":", ": :", "a" * 39 + " b", None])
def test_whatever_an_author_is_called_what_is_passed_on_is_known_as_such(name: str | None) -> None:
    relay = Relay({}, SetClock())
    assert PASSED_ON.match(relay.words({"platform": "own", "author_name": name, "text": "hello"}))


async def test_a_chat_counts_as_heard_only_as_far_as_it_is_in_the_feed() -> None:
    reading = Reading(uuid4(), None, asyncio.Event())
    settled = [reading.settled]
    await reading.put(said(1))
    settled.append(reading.settled)
    found = reading.take()
    settled.append(reading.settled)
    reading.done(found, None)
    assert [*settled, reading.settled] == [True, False, False, True]
