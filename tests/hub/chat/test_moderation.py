"""Moderation acts here at once, on the platform as far as that can, and says the difference."""

from __future__ import annotations

from uuid import UUID

import pytest

from connectors.errors import Reconnect, RetryLater
from hub.errors import Conflict, Forbidden
from tests.hub.chat.stage import Stage, said

NO_HIDING = "Able gives programs no way to hide messages."


async def heard(stage: Stage, name: str, number: int = 1) -> UUID:
    await stage.hear(name, said(number), said(number + 100, author_id="bo", author_name="Bo"))
    return next(m.id for m in await stage.feed() if (m.platform, m.external_id) == (name, f"m{number}"))


async def texts(stage: Stage) -> list[str]:
    return [message.text for message in await stage.feed(viewers=True)]


async def test_each_verb_is_done_here_and_on_the_platform_and_can_be_taken_back_where_it_can(
    stage: Stage,
) -> None:
    able = await stage.add("able", can="delete timeout ban unban", moderation__hide=NO_HIDING)
    message = await heard(stage, "able")
    deleted = await stage.moderate(message, "delete")
    assert (deleted.state, deleted.undoable) == ("queued", False)
    assert await texts(stage) == ["words 101"]
    timed, banned = await stage.moderate(message, "timeout", 60), await stage.moderate(message, "ban")
    hidden = await stage.moderate(message, "hide")
    assert (hidden.state, hidden.result) == ("here", f"Hidden here. {NO_HIDING}")
    await stage.work()
    assert able.done == [("message", "m1"), ("timeout", "ana", 60), ("author", "ana")]
    results = {one.verb: one.result for one in await stage.actions()}
    assert results["ban"] == "Banned on Able."
    assert results["delete"] == "Deleted on Able."
    back = await stage.undo(banned.id)
    await stage.work()
    assert able.done[-1] == ("author", "ana")
    assert [one.result for one in await stage.actions() if one.id == back.id] == ["May write on Able again."]
    for done in (banned, deleted):
        with pytest.raises(Conflict):
            await stage.undo(done.id)
    assert timed.seconds == 60


async def test_where_programs_can_do_nothing_it_is_done_here_and_said_so(stage: Stage) -> None:
    gap = "Tiktok gives programs no way to remove messages."
    await stage.add("tiktok", moderation=gap)
    message = await heard(stage, "tiktok")
    banned = await stage.moderate(message, "ban")
    assert (banned.state, banned.result) == ("here", f"Silenced here for good. {gap}")
    await stage.hear("tiktok", said(5, "again"), said(6, "fine", author_id="bo"))
    assert await texts(stage) == ["words 101", "fine"]
    assert [(m.text, m.hidden) for m in await stage.feed()][2:] == [("again", True), ("fine", False)]
    await stage.undo(banned.id)
    await stage.hear("tiktok", said(7, "back"))
    assert await texts(stage) == ["words 1", "words 101", "again", "fine", "back"]


async def test_a_timeout_ends_by_itself_and_silences_our_own_page_too(stage: Stage) -> None:
    viewer = stage.shop.viewer()

    async def speak() -> UUID:
        async with stage.hub.db.session() as session:
            show = await stage.hub.shows.get(session, stage.shop.brand_id, stage.shop.show_id)
            return (await stage.hub.chat.say(session, show, viewer, "Bo", "hello")).id

    silenced = await stage.moderate(await speak(), "timeout", 60)
    assert (silenced.state, silenced.result) == ("here", "Silenced here.")
    with pytest.raises(Forbidden):
        await speak()
    stage.clock.tick(61)
    await speak()


async def test_hiding_is_the_next_best_thing_to_deleting_and_is_undone_by_showing(stage: Stage) -> None:
    page = await stage.add("page", can="hide unhide")
    hidden = await stage.moderate(await heard(stage, "page"), "delete")
    await stage.work()
    assert [one.result for one in await stage.actions()] == ["Hidden on Page."]
    await stage.undo(hidden.id)
    await stage.work()
    assert page.done == [("message", "m1"), ("message", "m1")]
    assert await texts(stage) == ["words 1", "words 101"]


async def test_trouble_on_the_platform_is_tried_again_and_then_said(stage: Stage) -> None:
    able = await stage.add("able", can="delete")
    able.fails = [RetryLater("Busy.")]
    message = await heard(stage, "able")
    await stage.moderate(message, "delete")
    await stage.work()
    assert [(one.state, one.result) for one in await stage.actions()] == [("queued", "Hidden here. Busy.")]
    able.fails = [Reconnect("Link the account again.")]
    await stage.later()
    assert [(one.state, one.result) for one in await stage.actions()] == [
        ("failed", "Hidden here. Link the account again.")
    ]
    assert await texts(stage) == ["words 101"]


async def test_taking_back_an_old_timeout_does_not_lift_a_later_ban(stage: Stage) -> None:
    await stage.add("able", can="timeout ban unban")
    message = await heard(stage, "able")
    timed = await stage.moderate(message, "timeout", 60)
    banned = await stage.moderate(message, "ban")
    with pytest.raises(Conflict) as refused:
        await stage.undo(timed.id)
    assert refused.value.code == "silenced_again"
    await stage.hear("able", said(5, "again"))
    assert "again" not in await texts(stage)
    await stage.undo(banned.id)
    await stage.hear("able", said(6, "fine now"))
    assert "fine now" in await texts(stage)
