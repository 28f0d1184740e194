"""YouTube's live chat: pushed and polled, written to and moderated."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.types import Badge, ChatDeletion, ChatHealth, ChatMessage, Fragment, Money
from connectors.youtube import CONNECTOR, moderation
from connectors.youtube.chat import YouTubeReplies
from connectors.youtube.messages import chat_item, fragments
from connectors.youtube.pieces import Pieces
from tests.connectors.conftest import Rig, next_message
from tests.connectors.youtube import (
    SAMPLES,
    Day,
    both_ways,
    calls,
    chat_ref,
    fault,
    reader,
    say,
    standing,
)


@pytest.fixture
def clock() -> Day:
    return Day()


@pytest.fixture
async def rig(clock: Day) -> AsyncIterator[Rig]:
    async with standing(clock) as made:
        yield made


# --- reading, both ways ---------------------------------------------------------------------------


async def test_the_first_page_is_backlog_and_what_follows_is_not(rig: Rig, clock: Day) -> None:
    async for ref in both_ways(rig):
        await say(rig, "before", chat_ref=ref)
        items = reader(rig, clock).messages(ref)
        before = await next_message(items)
        await say(rig, "after", chat_ref=ref)
        after = await next_message(items)
        assert (before.text, before.backlog, before.author_id) == ("before", True, "UC_ann")
        assert (after.text, after.backlog, after.author_name) == ("after", False, "Ann")
        polled = await calls(rig, "GET /youtube/v3/liveChat/messages") > await calls(rig, "/stream")
        assert polled == (ref == "chat_0002")


async def test_reading_resumes_at_the_cursor_without_repeats(rig: Rig, clock: Day) -> None:
    async for ref in both_ways(rig):
        await say(rig, "one", chat_ref=ref)
        first = await next_message(reader(rig, clock).messages(ref))
        await say(rig, "two", chat_ref=ref)
        clock.seconds += 60
        again = await next_message(reader(rig, clock).messages(ref, cursor=first.cursor))
        assert (again.text, again.backlog) == ("two", False)


async def test_duplicates_are_dropped(rig: Rig, clock: Day) -> None:
    async for ref in both_ways(rig):
        for text in ("a", "b", "c"):
            await say(rig, text, chat_ref=ref)
        items = reader(rig, clock).messages(ref)
        got = [(await next_message(items)).text for _ in range(3)]
        await fault(rig, "repeat")
        await say(rig, "d", chat_ref=ref)
        assert [*got, (await next_message(items)).text] == ["a", "b", "c", "d"]


async def test_the_chat_ends_with_the_show(rig: Rig, clock: Day) -> None:
    async for ref in both_ways(rig):
        await say(rig, "bye", chat_ref=ref)
        await fault(rig, "end_chat")
        first = [item async for item in reader(rig, clock).messages(ref)]
        [bye] = [item for item in first if isinstance(item, ChatMessage)]
        assert bye.text == "bye"
        clock.seconds += 60
        late = [item async for item in reader(rig, clock).messages(ref, cursor=bye.cursor)]
        assert [item for item in late if not isinstance(item, ChatHealth)] == []


async def test_a_revoked_login_is_reconnect_whether_it_reads_or_waits_for_what_is_pushed(
    rig: Rig, clock: Day
) -> None:
    ref = await chat_ref(rig)
    await say(rig, "one")
    items = reader(rig, clock).messages(ref)
    await next_message(items)
    await fault(rig, "revoke")
    with pytest.raises(Reconnect, match="Link the account again"):
        await next_message(items)
    with pytest.raises(Reconnect, match="Link the account again"):
        await next_message(reader(rig, clock).messages(ref))


async def test_polling_keeps_youtubes_interval_and_too_early_is_refused_by_the_fake(
    rig: Rig, clock: Day
) -> None:
    await fault(rig, "no_stream")
    ref = await chat_ref(rig)
    await say(rig, "one")
    items = reader(rig, clock).messages(ref)
    await next_message(items)
    await say(rig, "two")
    await next_message(items)
    assert set(clock.naps) == {0.5}
    frozen = Day()
    hasty = reader(rig, frozen).messages(ref)
    with pytest.raises(RetryLater, match="slow down"):
        async for _ in hasty:
            pass


async def test_a_stream_that_keeps_to_itself_is_replaced_by_polling_and_tried_again_later(
    rig: Rig, clock: Day
) -> None:
    ref = await chat_ref(rig)
    await fault(rig, "status", status=502, html=True, path="/stream")
    await say(rig, "one")
    items = reader(rig, clock).messages(ref)
    assert (await next_message(items)).text == "one"
    assert await calls(rig, "/stream") == 1
    await say(rig, "two")
    assert (await next_message(items)).text == "two"
    assert await calls(rig, "/stream") == 1
    clock.seconds += 600
    await say(rig, "three")
    assert (await next_message(items)).text == "three"
    assert await calls(rig, "/stream") == 2


@settings(max_examples=60)
@given(
    elements=st.lists(
        st.dictionaries(st.text(max_size=3), st.text() | st.just(["]", {"}": '"\\'}])), max_size=3
    ),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=9),
    glue=st.sampled_from([",", "\n,", " ,\r\n "]),
)
def test_an_array_that_arrives_in_any_pieces_gives_the_same_elements(
    elements: list[dict[str, object]], cuts: list[int], glue: str
) -> None:
    whole = ("[" + glue.join(json.dumps(one, ensure_ascii=len(glue) > 1) for one in elements) + "]").encode(
        "utf-8", "surrogatepass"
    )
    pieces, got, at, turn = Pieces(), [], 0, 0
    while at < len(whole):
        step = cuts[turn % len(cuts)]
        got += pieces.feed(whole[at : at + step])
        at, turn = at + step, turn + 1
    assert got == [json.loads(json.dumps(one)) for one in elements]


@pytest.mark.parametrize("broken", [b"]", b"[[1]]", b'[{"a" 1}]'])
def test_what_is_no_array_of_objects_is_an_error(broken: bytes) -> None:
    with pytest.raises(ValueError):
        Pieces().feed(broken)


async def test_an_error_in_the_middle_of_the_stream_means_what_it_means_elsewhere(
    rig: Rig, clock: Day
) -> None:
    ref = await chat_ref(rig)
    items = reader(rig, clock).messages(ref)
    errors = (
        {"code": 503, "message": "The service is currently unavailable.", "status": "UNAVAILABLE"},
        {"code": 401, "errors": [{"reason": "authError"}]},
    )
    for number, error in enumerate(errors):
        await say(rig, f"before {number}")
        await next_message(items)
        clock.seconds += 60
        await fault(rig, "cut", error=error)
        await say(rig, f"after {number}")
        assert (await next_message(items)).text == f"after {number}"
    assert len(rig.refreshes) == 1
    # As the streaming endpoint spells it.
    ended = {"code": 400, "status": "FAILED_PRECONDITION", "details": [{"reason": "LIVE_CHAT_ENDED"}]}
    clock.seconds += 60
    await fault(rig, "cut", error=ended)
    assert [item async for item in items] == []


async def test_a_stream_that_begins_to_be_closed_at_once_is_not_hammered(rig: Rig, clock: Day) -> None:
    ref = await chat_ref(rig)
    items = reader(rig, clock).messages(ref)
    await say(rig, "one")
    await next_message(items)
    clock.seconds += 600
    await fault(rig, "stream_life", seconds=0)
    await fault(rig, "cut")
    await say(rig, "two")
    assert (await next_message(items)).text == "two"
    began = clock.seconds
    await say(rig, "three")
    assert (await next_message(items)).text == "three"
    assert clock.seconds - began >= 2


# --- what messages mean ---------------------------------------------------------------------------


def test_every_kind_of_message_is_typed() -> None:
    page = json.loads((SAMPLES / "chat_page.json").read_text())
    items = {item["id"]: chat_item(item, backlog=False) for item in page["items"]}
    told = {
        name: (item.kind, item.text, item.money)
        for name, item in items.items()
        if isinstance(item, ChatMessage)
    }
    assert told == {
        "m1": ("paid", "hi", Money(amount=500, currency="USD")),
        "m2": ("paid", "¥500 sticker", Money(amount=500, currency="JPY")),
        "m3": ("membership", "Welcome!", None),
        "m4": ("text", "SKU12 x2", None),
        "m11": ("notice", "Something new", None),
        "m12": ("membership", "Two years!", None),
        "m13": ("membership", "V gifted 5 Gold memberships", None),
        "m14": ("membership", "W was gifted Gold by V", None),
        "m15": ("gift", "Rose x3 (30 Jewels)", None),
        "m16": ("poll", "A or B? A (10) · B (7)", None),
    }
    assert [item for item in items.values() if isinstance(item, ChatDeletion)] == [
        ChatDeletion(message_ids=("m5",)),
        ChatDeletion(author_id="UC_x"),
        ChatDeletion(message_ids=("m4",)),
    ]
    first = items["m1"]
    assert isinstance(first, ChatMessage)
    assert (first.author_picture, first.sent_at) == (
        "http://sim/p",
        datetime(2026, 11, 24, 10, 5, 0, 123456, tzinfo=UTC),
    )
    assert first.badges == (Badge(kind="member", title="Member"),)


@given(amount=st.integers(0, 10**9), currency=st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))
def test_micros_become_minor_units_exactly(amount: int, currency: tuple[str, int]) -> None:
    code, digits = currency
    details = {"amountMicros": str(amount * 10 ** (6 - digits)), "currency": code}
    item = chat_item(
        {"id": "m", "snippet": {"type": "superChatEvent", "superChatDetails": details}}, backlog=False
    )
    assert isinstance(item, ChatMessage)
    assert item.money == Money(amount=amount, currency=code)


def test_links_emotes_and_mentions_are_pieces_of_their_own() -> None:
    assert fragments("@ann.b see https://a.example/x :_heart: at 10:30:45") == (
        Fragment(kind="mention", text="@ann.b"),
        Fragment(text=" see "),
        Fragment(kind="link", text="https://a.example/x", url="https://a.example/x"),
        Fragment(text=" "),
        Fragment(kind="emote", text=":_heart:"),
        Fragment(text=" at 10:30:45"),
    )
    assert fragments("mere text, a@b.example") == ()


@given(
    st.lists(st.sampled_from([":a:", "@bob", "https://x.y/z", " ", "é❤", ":", "@", "http://"]) | st.text())
)
def test_the_pieces_of_a_text_are_the_text(parts: list[str]) -> None:
    text = "".join(parts)
    assert "".join(piece.text for piece in fragments(text)) in {text, ""}


# --- writing and moderating -----------------------------------------------------------------------


async def test_a_reply_comes_back_with_the_id_it_was_given_and_as_ours(rig: Rig, clock: Day) -> None:
    ref = await chat_ref(rig)
    sent = await YouTubeReplies(rig.session).send(ref, "hello", key="k1")
    received = await next_message(reader(rig, clock).messages(ref))
    assert (received.id, received.text, received.ours) == (sent, "hello", True)
    assert received.badges == (Badge(kind="owner", title="Channel"),)


async def test_a_reply_youtube_does_not_take_is_refused_with_a_sentence(rig: Rig) -> None:
    ref = await chat_ref(rig)
    limits = CONNECTOR.chat_limits
    assert limits is not None
    await YouTubeReplies(rig.session).send(ref, "x" * limits.characters, key="k1")
    for text in ("x" * (limits.characters + 1), "😀" * (limits.characters // 2 + 1)):
        with pytest.raises(Refused, match="at most 200 characters"):
            await YouTubeReplies(rig.session).send(ref, text, key="k2")


async def test_a_message_is_deleted_once_however_often_it_is_asked(rig: Rig, clock: Day) -> None:
    ref = await chat_ref(rig)
    gone = await say(rig, "buy followers")
    for _ in range(2):
        await moderation.delete(rig.session, ref, gone)
    await moderation.delete(rig.session, ref, "never seen")
    assert (await rig.state())["deleted"] == [gone]
    items = [item async for item in _until_quiet(rig, clock, ref)]
    assert ChatDeletion(message_ids=(gone,)) in items


async def _until_quiet(rig: Rig, clock: Day, ref: str) -> AsyncIterator[object]:
    await fault(rig, "end_chat")
    async for item in reader(rig, clock).messages(ref):
        yield item


async def test_bans_and_timeouts_hold_and_are_lifted_by_whoever_never_knew_their_id(
    rig: Rig, clock: Day
) -> None:
    ref = await chat_ref(rig)
    await say(rig, "spam")
    for _ in range(2):
        await moderation.timeout(rig.session, ref, "UC_ann", 300)
    assert (await rig.state())["bans"][ref] == {"UC_ann": "300"}
    for _ in range(2):
        await moderation.ban(rig.session, ref, "UC_ann")
    assert (await rig.state())["bans"][ref] == {"UC_ann": "permanent"}
    assert (await rig.ctl("chat", author_id="UC_ann", text="more spam"))["ids"] == []
    for _ in range(2):
        await moderation.unban(rig.session, ref, "UC_ann")
    assert (await rig.state())["bans"][ref] == {}
    assert await say(rig, "sorry")
    for act in (moderation.ban, moderation.unban):
        await act(rig.session, ref, "UC_nobody")
    with pytest.raises(Refused, match="owner or a moderator"):
        await moderation.ban(rig.session, ref, "UC_sim")
    items = [item async for item in _until_quiet(rig, clock, ref)]
    assert ChatDeletion(author_id="UC_ann") in items


async def test_a_ban_whose_answer_is_lost_may_be_asked_again(rig: Rig) -> None:
    ref = await chat_ref(rig)
    await say(rig, "spam")
    await fault(rig, "lose", path="/bans")
    with pytest.raises(RetryLater) as lost:
        await moderation.ban(rig.session, ref, "UC_ann")
    assert lost.value.unknown
    await moderation.ban(rig.session, ref, "UC_ann")
    assert (await rig.state())["bans"][ref] == {"UC_ann": "permanent"}
