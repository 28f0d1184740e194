"""Links in chats and in the picture: said when due and once, stopped at the end, drawn and taken out."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from connectors.errors import Refused
from connectors.types import ChatLimits
from hub.db import run
from hub.errors import BadInput, Conflict
from hub.links.listing import LinkOut
from hub.links.models import TrackedLink
from hub.links.overlay import with_link, without_link
from hub.links.wishes import LinkWish, PostWish
from hub.shows.models import Show, ShowTarget
from hub.shows.profiles import profiles_of, put_profile
from restream.api import CardLayer, ProfileSpec, QrLayer, TextLayer
from tests.hub.chat.stage import Stage

VERTICAL = ProfileSpec(name="Vertical", width=720, height=1280, fit="crop", video_kbps=3500)
URL = "http://127.0.0.1:8080/l/hj4k8m2p"


async def a_link(stage: Stage, **more: Any) -> UUID:
    async with stage.hub.db.session() as session:
        wish = LinkWish(show_id=stage.shop.show_id, **more)
        return (await stage.hub.links.make(session, stage.shop.brand_id, wish)).id


async def post(stage: Stage, link_id: UUID, platform: str, **more: Any) -> LinkOut:
    async with stage.hub.db.session() as session:
        link = await stage.hub.links.get(session, stage.shop.brand_id, link_id)
        await stage.hub.link_posts.post(session, link, PostWish(target_id=stage.targets[platform], **more))
        return await stage.hub.link_list.one(session, stage.shop.brand_id, link_id)


async def seen(stage: Stage, link_id: UUID) -> LinkOut:
    async with stage.hub.db.session() as session:
        return await stage.hub.link_list.one(session, stage.shop.brand_id, link_id)


async def swept(stage: Stage, seconds: float = 0) -> int:
    """That much later the clockwork looks, and what it queued is sent."""
    stage.clock.tick(seconds)
    said = await stage.hub.link_posts.sweep()
    await stage.work()
    return said


async def with_profile(stage: Stage, *names: str) -> None:
    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id)
        put_profile(show, VERTICAL)
        for name in names:
            (await session.get_one(ShowTarget, stage.targets[name])).profile = VERTICAL.name


async def drawn(stage: Stage) -> list[str]:
    """What the layers of the profile say, and that the media worker is told of them."""
    async with stage.hub.db.session() as session:
        [profile] = profiles_of(await session.get_one(Show, stage.shop.show_id))
    return [getattr(layer, "text", layer.kind) for layer in profile.layers]


async def test_a_link_is_said_at_once_again_and_no_more_after_the_end(stage: Stage) -> None:
    limits = ChatLimits(characters=500, messages=20, seconds=30, repeats=False)
    twitch = await stage.add("twitch", can="send announce", limits=limits)
    youtube = await stage.add("youtube", can="send")
    link_id = await a_link(stage)
    out = await post(stage, link_id, "twitch", every_minutes=10, message="Shop with us")
    await post(stage, link_id, "youtube")
    assert [one.state for one in out.posts] == ["waiting"]
    assert await swept(stage) == 2
    assert youtube.words() == [f"Shop the show: {out.url}"]
    assert [(verb, words) for _, verb, words in twitch.sent] == [("announce", f"Shop with us {out.url}")]
    # Two processes that look at the same moment, and one that looks too early, say nothing twice.
    assert await swept(stage, 599) == 0
    stage.clock.tick(1)
    both = await asyncio.gather(stage.hub.link_posts.sweep(), stage.hub.link_posts.sweep())
    await stage.work()
    assert sum(both) == 1
    # What was missed while nobody looked is not made up for; the same words never come twice in a row.
    assert await swept(stage, 3 * 600) == 1
    assert twitch.words()[1:] == [f"{out.url} Shop with us", f"Shop with us {out.url}"]
    told = {one.platform: one for one in (await seen(stage, link_id)).posts}
    assert (told["youtube"].state, told["youtube"].times, told["youtube"].delivery) == ("done", 1, "sent")
    assert (told["twitch"].state, told["twitch"].times, told["twitch"].last_at) == (
        "waiting",
        3,
        stage.clock(),
    )

    async with stage.hub.db.session() as session:
        await stage.hub.links.archive(await stage.hub.links.get(session, stage.shop.brand_id, link_id))
    assert await swept(stage, 600) == 0
    async with stage.hub.db.session() as session:
        await stage.hub.links.restore(await stage.hub.links.get(session, stage.shop.brand_id, link_id))
    # One whose connector was taken away is first in line, and stands in nobody's way.
    await stage.add("gone", can="send")
    await post(stage, link_id, "gone")
    await stage.sql(f"UPDATE show_target SET connector = 'gone' WHERE id = '{stage.targets['gone']}'")  # noqa: S608
    known = {name: one for name, one in stage.hub.connections.connectors.items() if name != "gone"}
    stage.hub.connections.connectors = known
    assert await swept(stage) == 1
    [gone] = [one for one in (await seen(stage, link_id)).posts if one.target_id == stage.targets["gone"]]
    assert (gone.state, "no longer known" in (gone.problem or "")) == ("failed", True)
    async with stage.hub.db.session() as session:
        await run(session, text("UPDATE show SET state = 'ended'"))
    assert await swept(stage, 600) == 0
    assert {one.state for one in (await seen(stage, link_id)).posts} == {"done", "stopped", "failed"}
    with pytest.raises(Conflict, match="ended"):
        await post(stage, link_id, "youtube")


async def test_a_chat_that_says_no_is_left_in_peace_and_one_that_is_busy_is_not_crowded(stage: Stage) -> None:
    slow = ChatLimits(characters=500, messages=1, seconds=3600)
    twitch, youtube = (
        await stage.add("twitch", can="send"),
        await stage.add("youtube", can="send", limits=slow),
    )
    closed = await stage.add("tiktok", can="send")
    await stage.sql(f"UPDATE show_target SET chat_ref = NULL WHERE id = '{stage.targets['tiktok']}'")  # noqa: S608
    link_id = await a_link(stage)
    for platform in ("twitch", "youtube", "tiktok"):
        out = await post(stage, link_id, platform, every_minutes=2)
    assert out.posts[2].problem == "The chat of Tiktok is not open yet."
    twitch.fails = [Refused("No advertising here.") for _ in range(9)]
    for _ in range(6):
        await swept(stage, 120)
    told = {one.platform: one for one in (await seen(stage, link_id)).posts}
    assert (told["twitch"].state, told["twitch"].problem) == ("failed", "No advertising here.")
    assert (told["twitch"].times, len(twitch.fails)) == (3, 6)
    # The first used up the hour's message, the second waits for its place, and no third is put behind it.
    assert (len(youtube.sent), told["youtube"].times) == (1, 2)
    assert closed.sent == []
    twitch.fails = []
    again = await post(stage, link_id, "twitch", every_minutes=2)
    assert {one.platform: one.state for one in again.posts}["twitch"] == "waiting"
    assert await swept(stage) == 1
    assert len(twitch.sent) == 1


async def test_where_nothing_can_be_written_the_link_is_drawn_into_the_picture(stage: Stage) -> None:
    await stage.add("tiktok", chat_sink="TikTok gives programs no way to write.")
    await stage.add("kick", can="send", limits=ChatLimits(characters=500, messages=5, seconds=5, links=False))
    first, second = await a_link(stage, title="First"), await a_link(stage, title="Second")
    with pytest.raises(BadInput, match="no way to write"):
        await post(stage, first, "tiktok", how="message")
    with pytest.raises(BadInput, match="refuses messages with links"):
        await post(stage, first, "kick", how="message")
    with pytest.raises(BadInput, match="Choose a profile"):
        await post(stage, first, "tiktok")
    await with_profile(stage, "tiktok", "kick")
    out = await post(stage, first, "tiktok")
    assert [(one.how, one.state, one.problem) for one in out.posts] == [("overlay", "done", None)]
    assert await drawn(stage) == [out.url, out.url.removeprefix("http://")]
    assert await stage.sql("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'media.sync'")

    other = await post(stage, second, "kick")
    assert await drawn(stage) == [other.url, other.url.removeprefix("http://")]
    [replaced] = (await seen(stage, first)).posts
    assert (replaced.state, replaced.problem) == ("stopped", "Another link took its place in the picture.")

    async with stage.hub.db.session() as session:
        link = await stage.hub.links.get(session, stage.shop.brand_id, second)
        await stage.hub.links.archive(link)
        await stage.hub.link_posts.pictures.archived(session, link)
    assert await drawn(stage) == []
    async with stage.hub.db.session() as session:
        link = await stage.hub.links.get(session, stage.shop.brand_id, second)
        await stage.hub.links.restore(link)
        await stage.hub.link_posts.pictures.restored(session, link)
    assert len(await drawn(stage)) == 2
    [shown] = (await seen(stage, second)).posts
    await with_profile(stage)  # somebody puts the profile back to what it was
    assert (await seen(stage, second)).posts[
        0
    ].problem == "Its profile was changed since. Show the link there again."
    async with stage.hub.db.session() as session:
        link = await stage.hub.links.get(session, stage.shop.brand_id, second)
        await stage.hub.link_posts.remove(session, link, shown.id)
    assert (await seen(stage, second)).posts == []


async def test_every_targets_own_link_is_posted_in_the_way_it_can_be(stage: Stage) -> None:
    twitch = await stage.add("twitch", can="send")
    await stage.add("tiktok")
    await stage.add("instagram")
    await with_profile(stage, "tiktok")
    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id)
        for target in await stage.hub.shows.targets(session, show.id):
            await stage.hub.links.make_link(session, show, target)
        posts = await stage.hub.link_posts.post_everywhere(session, show, 15, "")
        assert sorted(one.how for one in posts) == ["message", "overlay"]
        codes = await stage.hub.links.links_of(session, show.id)
    assert await swept(stage) == 1
    assert twitch.words() == [f"Shop the show: {stage.hub.links.url(codes[stage.targets['twitch']])}"]
    async with stage.hub.db.session() as session:
        query = text("SELECT utm_source, utm_content FROM tracked_link ORDER BY 1")
        rows = [tuple(row) for row in await run(session, query)]
    assert rows == [(name, "description") for name in ("instagram", "tiktok", "twitch")]
    assert TrackedLink.__tablename__ == "tracked_link"


def test_a_links_layers_stay_where_the_brand_has_put_them() -> None:
    card = CardLayer(title="Bag")
    moved = QrLayer(anchor="bottom-right", width=0.5, text="https://old.example/l/abc_-9")
    hand_made = TextLayer(text="Shop now: brand.com/l/x today")
    before = VERTICAL.model_copy(update={"layers": [card, moved, hand_made]})
    after = with_link(before, URL)
    assert after.layers[:3] == [card, moved.model_copy(update={"text": URL}), hand_made]
    assert [layer.kind for layer in after.layers[3:]] == ["text"]
    assert with_link(after, URL) == after
    assert without_link(after, URL).layers == [card, hand_made]
    assert without_link(after, "http://127.0.0.1:8080/l/otherone").layers == after.layers
    # What is stored is what the worker reads.
    assert ProfileSpec.model_validate(after.model_dump(mode="json")) == after
