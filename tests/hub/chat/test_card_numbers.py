"""A card number that somebody types into a chat stays between them and their platform."""

from __future__ import annotations

from uuid import UUID

from connectors.types import ChatLimits, Fragment
from hub.bus import Event
from hub.chat.relay import OWN, Pair
from hub.payments.pan import find_pans
from hub.shows.models import Show
from tests.hub.chat.stage import Stage, said
from tests.hub.platforms import until

CARD, SPACED, SEEN = "5555555555554444", "4242 4242 4242 4242", "•••• 4242"
WIDE = ChatLimits(characters=200, messages=50, seconds=30)
KEPT = """
    SELECT coalesce(string_agg(one::text, ' '), '') AS words FROM (
        SELECT to_jsonb(message) AS one FROM message UNION ALL SELECT to_jsonb(delivery) FROM delivery
        UNION ALL SELECT to_jsonb(claim) FROM claim UNION ALL SELECT to_jsonb(moderation_action)
        FROM moderation_action UNION ALL SELECT to_jsonb(procrastinate_jobs) FROM procrastinate_jobs) AS rows
"""


async def pass_on(stage: Stage, sources: list[str], into: UUID) -> None:
    async with stage.hub.db.session() as session:
        show = await session.get_one(Show, stage.shop.show_id)
        targets = await stage.hub.shows.targets(session, show.id)
        await stage.hub.relay.choose(session, show, targets, [Pair(one, into) for one in sources])


async def test_a_card_number_in_any_chat_is_neither_stored_nor_shown_nor_passed_on(stage: Stage) -> None:
    for name in ("youtube", "twitch"):
        await stage.add(name, can="send ban", limits=WIDE)
    await pass_on(stage, [OWN, str(stage.targets["youtube"])], stage.targets["twitch"])
    told: list[Event] = []

    async def hear(event: Event) -> None:
        told.append(event)

    leave = await stage.hub.bus.subscribe(f"show.{stage.shop.show_id}.>", hear)
    # An emote in the middle, and the number cut in two by it or by what the platform calls its pieces.
    halves = (Fragment(text="4242 4242 "), Fragment(kind="mention", text="4242 4242"), Fragment(text=" :)"))
    smile = (Fragment(text="hi "), Fragment(kind="emote", text=":)", url="https://cdn.example/smile.png"))
    await stage.hear(
        "youtube",
        said(1, f"sold 1, my card is {SPACED}", author_name=f"Ana {CARD}"),
        said(2, f"{SPACED} :)", fragments=halves),
        said(3, "hi :)", fragments=smile),
        said(4, "x" * 1990 + f" {CARD}"),  # too long to be kept as a whole
        said(5, SPACED.replace(" ", "\0 ")),
    )
    async with stage.hub.db.session() as session:
        show = await stage.hub.shows.get(session, stage.shop.brand_id, stage.shop.show_id)
        own = await stage.hub.chat.say(session, show, stage.shop.viewer(), "Bo", f"or {SPACED}?")
    [first] = [one for one in await stage.feed() if one.external_id == "m1"]
    for _ in range(2):  # the same key says it once, with a number in it, too
        answer = await stage.say(f"Not here: {SPACED}!", answers=first.id, key="answer-1")
    await stage.moderate(first.id, "ban")
    await stage.work()

    feed = {one.external_id: one for one in await stage.feed()}
    assert (feed["m1"].text, feed["m1"].author_name) == (f"sold 1, my card is {SEEN}", "Ana •••• 4444")
    assert (feed["m2"].text, feed["m2"].fragments) == (f"{SEEN} :)", [])
    assert [one["kind"] for one in feed["m3"].fragments] == ["text", "emote"]
    assert feed["m4"].text.endswith("x •••• 4444")
    assert feed["m5"].text == SEEN
    assert (own.text, answer.text) == (f"or {SEEN}?", f"Not here: {SEEN}!")
    assert sum(one.outgoing for one in feed.values()) == 1

    async def all_told() -> bool:
        return {"message.added", "message.hidden", "moderation.changed"} <= {one.kind for one in told}

    await until(all_told)
    await leave()
    [row] = await stage.sql(KEPT)
    sent = [words for platform in stage.platforms.values() for words in platform.words()]
    assert f"[Live page] Bo: or {SEEN}?" in sent
    assert sum(SEEN in words for words in sent) >= 4
    news = [one.model_dump_json() for one in told]
    places = {"kept": row.words, "told": "\n".join(news), "sent": "\n".join(sent)}
    for where, words in places.items():
        assert SEEN in words, where
        assert ([*find_pans(words)], SPACED in words, CARD in words) == ([], False, False), where
