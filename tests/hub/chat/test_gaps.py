"""What was not heard is a line of the feed, and what was heard is there once, whoever wrote it and how."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from connectors.types import Badge, ChatDeletion, ChatHealth, Fragment, Money
from hub.auth.tokens import Viewer
from hub.bus import Event
from tests.hub.chat.stage import Stage, said
from tests.hub.platforms import until

CONNECTED = ChatHealth(state="connected")


async def gaps(stage: Stage) -> list[tuple[float, float, str]]:
    """From and to in seconds before now, and why."""
    now = stage.clock()
    return [
        ((now - one.at).total_seconds(), (now - one.received_at).total_seconds(), one.text)
        for one in await stage.feed()
        if one.kind == "gap"
    ]


async def test_a_chat_left_alone_has_a_gap_unless_it_goes_on_with_what_was_heard(stage: Stage) -> None:
    await stage.add("youtube")
    await stage.hear("youtube", CONNECTED, said(1))
    left = stage.clock()
    stage.clock.tick(12)
    await stage.hear("youtube", CONNECTED, said(1), said(2), resumed=left)
    assert await gaps(stage) == []
    left = stage.clock()
    stage.clock.tick(9)
    await stage.hear("youtube", said(7), resumed=left)
    # Both workers report it, as when a lease changes hands.
    await stage.hear("youtube", said(8), resumed=left)
    assert await gaps(stage) == [(9.0, 0.0, "Nobody was reading this chat.")]
    assert [one.kind for one in await stage.feed()] == ["text", "text", "gap", "text", "text"]
    assert [one.kind for one in await stage.feed(viewers=True)] == ["text"] * 4


async def test_what_a_reader_says_it_missed_lies_between_what_was_heard_before_and_now(stage: Stage) -> None:
    await stage.add("twitch")
    await stage.hear("twitch", CONNECTED, said(1))
    stage.clock.tick(30)
    await stage.hear("twitch", ChatHealth(state="connected", detail="The socket was dead.", missed=True))
    stage.clock.tick(5)
    await stage.hear("twitch", ChatHealth(state="connected", detail="The socket was dead.", missed=True))
    assert await gaps(stage) == [
        (35.0, 5.0, "The socket was dead."),
        (5.0, 0.0, "The socket was dead."),
    ]


async def test_a_message_keeps_its_shape(stage: Stage) -> None:
    await stage.add("twitch")
    told = said(
        1,
        "hi Kappa https://x.example",
        author_picture="https://cdn.example/ana.png",
        badges=(Badge(kind="member", title="Member (2 years)"),),
        fragments=(
            Fragment(text="hi "),
            Fragment(kind="emote", text="Kappa", url="https://cdn.example/kappa.png"),
            Fragment(text=" "),
            Fragment(kind="link", text="https://x.example", url="javascript:alert(1)"),
        ),
        kind="paid",
        money=Money(amount=500, currency="EUR"),
        reply_to="m0",
        sent_at=stage.clock() - timedelta(seconds=3),
    )
    await stage.hear("twitch", told)
    [shown] = await stage.feed(viewers=True)
    assert shown.author_picture == "https://cdn.example/ana.png"
    assert shown.badges == [{"kind": "member", "title": "Member (2 years)"}]
    assert "".join(one["text"] for one in shown.fragments) == told.text
    assert [one["url"] for one in shown.fragments] == [None, "https://cdn.example/kappa.png", None, None]
    assert (shown.kind, shown.amount_minor, shown.currency, shown.reply_to) == ("paid", 500, "EUR", "m0")
    assert (shown.received_at - shown.at).total_seconds() == 3
    await stage.hear("twitch", ChatDeletion())
    [gone] = await stage.feed()
    assert (gone.deleted, gone.text, gone.fragments) == (True, "", [])


async def test_chats_are_merged_by_the_platforms_clocks_and_each_keeps_its_own_order(stage: Stage) -> None:
    targets: dict[UUID, Any] = {}
    for name in ("one", "two"):
        await stage.add(name)
    start = stage.clock()

    def at(number: int, second: float) -> Any:
        return said(number, sent_at=start + timedelta(seconds=second))

    # The second chat's clock jumps back: its own order stays.
    targets[stage.targets["one"]] = [at(1, 1), at(3, 3), at(5, 5)]
    targets[stage.targets["two"]] = [at(12, 2), at(14, 4), at(13, 1)]
    async with stage.hub.db.session() as session:
        await stage.hub.chat.receive_all(session, stage.shop.show_id, targets)
    shown = await stage.feed()
    assert [one.external_id for one in shown] == ["m1", "m12", "m3", "m14", "m13", "m5"]
    assert [one.seq for one in shown] == list(range(shown[0].seq, shown[0].seq + 6))


async def test_viewers_are_shown_what_can_be_read_and_told_how_much_more_there_was(stage: Stage) -> None:
    """500 messages in a second: staff hear all of them, the log is whole, money is always seen."""
    await stage.add("youtube")
    told: list[Event] = []

    async def hear(event: Event) -> None:
        told.append(event)

    leave = await stage.hub.bus.subscribe(f"show.{stage.shop.show_id}.>", hear)
    money = Money(amount=100, currency="EUR")
    for number in range(10):
        stage.clock.tick(0.1)
        storm = [said(50 * number + n) for n in range(49)]
        paid = said(50 * number + 49, kind="paid", money=money)
        await stage.hear("youtube", *storm, paid)
    await until(lambda: counted(told, 500))
    await until(lambda: all_told(told, 500))
    await leave()
    added = [one for one in told if one.kind == "message.added"]
    seen = [one for one in added if one.audience == "viewer"]
    skipped = [one for one in told if one.kind == "messages.skipped"]
    assert sum(one.data["kind"] == "paid" for one in seen) == 10
    assert len(seen) <= 10 + 20 + 10
    assert len(skipped) < 10, "telling of what is skipped must be no storm itself"
    assert all(one.data["first_seq"] <= one.data["last_seq"] for one in skipped)
    rows = await stage.sql("SELECT count(*) AS kept FROM message")
    assert rows[0].kept == 500


async def all_told(told: list[Event], number: int) -> bool:
    """Shown to viewers or counted as skipped, once each."""
    await asyncio.sleep(0)
    seen = sum(one.kind == "message.added" and one.audience == "viewer" for one in told)
    skipped = sum(int(one.data["count"]) for one in told if one.kind == "messages.skipped")
    return seen + skipped == number


async def test_what_viewers_themselves_say_is_as_much_as_can_be_read_too(stage: Stage) -> None:
    told: list[Event] = []

    async def hear(event: Event) -> None:
        told.append(event)

    leave = await stage.hub.bus.subscribe(f"show.{stage.shop.show_id}.>", hear)
    for number in range(100):
        async with stage.hub.db.session() as session:
            show = await stage.hub.shows.get(session, stage.shop.brand_id, stage.shop.show_id)
            viewer = Viewer(f"viewer-{number}", show.id, show.brand_id, show.slug)
            await stage.hub.chat.say(session, show, viewer, "Guest", f"words {number}")
    await until(lambda: all_told(told, 100))
    await leave()
    assert sum(one.kind == "message.added" and one.audience == "viewer" for one in told) <= 30
    assert sum(one.kind == "messages.skipped" for one in told) < 20


async def counted(told: list[Event], number: int) -> bool:
    await asyncio.sleep(0)
    return sum(one.kind == "message.added" for one in told) == number
