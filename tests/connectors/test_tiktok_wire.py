"""TikTok's bytes: the protobuf reader, the envelopes, and what the events in them say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tiktok import fake_wire as wire
from connectors.tiktok import shapes
from connectors.tiktok.fake import DUD
from connectors.tiktok.fake_wire import encode, varint
from connectors.tiktok.frames import LARGEST, Batch, Event, Frame, ack, gunzip, heartbeat
from connectors.tiktok.items import LIKES_TOGETHER, SAYINGS, STREAK_PATIENCE, Inbox
from connectors.tiktok.protobuf import Malformed, read
from connectors.tiktok.words import fragments_of
from connectors.types import ChatMessage
from tests.connectors.conftest import Clock
from tests.connectors.tiktok import ANN, ROSE, SENT_AT, Field, sample

SHAPES: list[type[object]] = [
    one for one in vars(shapes).values() if isinstance(one, type) and one.__module__ == shapes.__name__
]
OTHERS = ("WebcastGiftMessage", "WebcastLikeMessage", "WebcastImDeleteMessage")
U64 = st.integers(0, (1 << 64) - 1)
# Around every field that is read, and far beyond them.
PAIRS = st.tuples(st.integers(1, 70) | st.integers(1, (1 << 29) - 1), U64 | st.binary(max_size=40))


def event(method: str, *pairs: Field, msg_id: int = 1, history: bool = False, at_ms: int = 1000) -> Event:
    start = (1, wire.common(method, msg_id, 1, at_ms))
    return Event(method, encode(start, *pairs), msg_id, history)


def gift(count: int, *, end: bool = False, msg_id: int = 1) -> Event:
    last: list[Field] = [(9, 1)] if end else []
    pairs: list[Field] = [(2, 5655), (5, count), (7, ANN), (11, 1790), (15, ROSE)]
    return event("WebcastGiftMessage", *pairs, *last, msg_id=msg_id)


# --- the wire format ------------------------------------------------------------------------------


@given(
    st.lists(st.binary(max_size=40), max_size=4),
    st.lists(U64, max_size=4),
    st.lists(PAIRS.filter(lambda pair: pair[0] > 3), max_size=4),
)
def test_what_is_written_by_number_is_read_by_name_whatever_lies_beside_it(
    addresses: list[bytes], numbers: list[int], others: list[tuple[int, int | bytes]]
) -> None:
    assert list(read(shapes.Image, encode(*((1, one) for one in addresses), *others)).addresses) == addresses
    packed = (2, b"".join(map(varint, numbers)))
    apart = [(3, one) for one in numbers]
    deletion = read(shapes.Deletion, encode(*others, packed, *apart))
    assert list(deletion.message_ids) == list(deletion.author_ids) == numbers


@given(st.binary(max_size=200) | st.lists(PAIRS, max_size=4).map(lambda pairs: encode(*pairs)))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    inbox = Inbox(None, lambda: 0.0)
    attempts: list[Callable[[], object]] = [partial(read, shape, data) for shape in SHAPES]
    attempts += [partial(Frame.decode, data), partial(Batch.decode, data)]
    attempts += [partial(inbox.read, Event(method, data, 1)) for method in (*SAYINGS, *OTHERS)]
    for attempt in attempts:
        with suppress(Malformed):
            attempt()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8), st.data())
def test_a_message_that_is_cut_off_never_reads_as_something_else(
    addresses: list[bytes], data: st.DataObject
) -> None:
    whole = encode(*((1, one) for one in addresses))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with suppress(Malformed):
        found = list(read(shapes.Image, cut).addresses)
        assert found == addresses[: len(found)]
        assert len(found) < len(addresses)


@given(st.integers(-(1 << 63), (1 << 64) - 1))
def test_numbers_are_64_bits_negative_ones_included(value: int) -> None:
    assert read(shapes.Control, encode((2, value))).action == value % (1 << 64)


def test_fields_nobody_asked_for_and_fields_of_another_type_are_stepped_over() -> None:
    fixed = bytes([5 << 3 | 1]) + b"8 bytes!" + bytes([6 << 3 | 5]) + b"four"
    group = bytes([7 << 3 | 3]) + encode((1, 9)) + bytes([7 << 3 | 4])
    other_types: list[Field] = [(1, 5), (2, 6), (3, 7), (12, 8), (13, 9)]
    message = read(shapes.Comment, encode((900, b"new"), (3, "kept"), *other_types) + fixed + group)
    assert (message.text, message.common.msg_id, message.user.name) == (b"kept", 0, b"")
    assert len(message.emotes) == 0


def test_a_broken_letter_costs_itself_alone() -> None:
    (said,) = Inbox(None, lambda: 0.0).read(
        event("WebcastChatMessage", (2, encode((1, 42), (3, b"An\xffn"))), (3, b"how \xc3 much?"))
    )
    assert isinstance(said, ChatMessage)
    assert (said.author_name, said.text) == ("An\ufffdn", "how \ufffd much?")


def test_what_one_kind_alone_needs_costs_the_others_nothing_in_a_new_shape() -> None:
    start = (1, encode((2, 7001), (8, b"no sentence")))
    person = (2, encode((1, 42), (64, encode((3, 1), (12, b"no level")))))
    (said,) = Inbox(None, lambda: 0.0).read(Event("WebcastChatMessage", encode(start, person, (3, "hi"))))
    assert isinstance(said, ChatMessage)
    assert (said.id, said.text, [one.kind for one in said.badges]) == ("7001", "hi", ["moderator"])
    with pytest.raises(Malformed):
        Inbox(None, lambda: 0.0).read(Event("WebcastSocialMessage", encode(start, person)))


@pytest.mark.parametrize("shape", [shapes.Comment, shapes.Batch, shapes.Control])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x08", id="no value"),
        pytest.param(DUD, id="number without end"),
        pytest.param(b"\x0a\x05ab", id="text cut off"),
        pytest.param(b"\x09abc", id="fixed field cut off"),
        pytest.param(b"\x00\x01", id="field nought"),
        pytest.param(b"\x0f", id="wire type 7"),
        pytest.param(b"\x0b", id="group without end"),
        pytest.param(b"\x0b\x14", id="another group's end"),
        pytest.param(b"\x0c", id="end without group"),
        pytest.param(b"\x0b" * 5000 + b"\x0c" * 5000, id="groups without bottom"),
    ],
)
def test_what_is_no_message_is_malformed(shape: type[object], data: bytes) -> None:
    with pytest.raises(Malformed):
        read(shape, data)


def test_the_reference_frame_is_understood() -> None:
    given = sample("frame")
    frame = Frame.decode(bytes.fromhex(given["frame"]))
    batch = Batch.decode(frame.payload)
    assert (frame.kind, frame.log_id, batch.cursor, batch.need_ack) == ("msg", 2, "c1", True)
    (said,) = Inbox(None, lambda: 0.0).read(batch.events[0])
    assert isinstance(said, ChatMessage)
    assert (said.id, said.text, said.author_id, said.author_name) == ("7001", "how much?", "42", "Buyer")
    assert said.sent_at == SENT_AT
    assert heartbeat(int(given["room_id"]), 1).hex() == given["heartbeat"]
    assert ack(frame.log_id, batch.internal_ext).hex() == given["ack"]


@given(st.binary(max_size=300), st.booleans(), st.integers(0, (1 << 63) - 1))
def test_a_frame_is_read_back_packed_or_not(body: bytes, gzip: bool, number: int) -> None:
    frame = Frame("msg", encode((1, body)), number, number)
    assert Frame.decode(frame.encode(gzip=gzip)) == frame


def test_a_payload_that_unpacks_without_end_is_refused() -> None:
    bomb = read(shapes.Frame, Frame("msg", bytes(LARGEST + 1)).encode(gzip=True)).payload
    assert len(bomb) < 20_000
    for packed in (bomb, bomb[:-20], b"\x1f\x8bno gzip"):
        with pytest.raises(Malformed):
            gunzip(packed)


# --- what events say ------------------------------------------------------------------------------


def test_a_streak_of_gifts_is_one_message_without_money(clock: Clock) -> None:
    inbox = Inbox(None, clock.monotonic)
    assert [inbox.read(gift(count, msg_id=count)) for count in (1, 2, 3)] == [[], [], []]
    (sent,) = inbox.read(gift(3, end=True, msg_id=4))
    assert isinstance(sent, ChatMessage)
    assert (sent.kind, sent.text, sent.money) == ("gift", "sent Rose ×3", None)
    assert inbox.read(gift(3, end=True, msg_id=5)) == []
    clock.seconds += 2 * STREAK_PATIENCE
    assert inbox.due() == []


def test_a_streak_whose_end_never_comes_is_told_after_a_while(clock: Clock) -> None:
    inbox = Inbox(None, clock.monotonic)
    inbox.read(gift(1, msg_id=1))
    clock.seconds += STREAK_PATIENCE - 1
    inbox.read(gift(2, msg_id=2))
    clock.seconds += STREAK_PATIENCE - 1
    assert inbox.due() == []
    clock.seconds += 1
    (sent,) = inbox.due()
    assert isinstance(sent, ChatMessage)
    assert sent.text == "sent Rose ×2"


def test_history_is_backlog_except_what_happened_while_we_were_away() -> None:
    def backlog(cursor: str | None, at_ms: int, *, history: bool = True) -> bool:
        said = event("WebcastChatMessage", (3, "hi"), history=history, at_ms=at_ms)
        (message,) = Inbox(cursor, lambda: 0.0).read(said)
        assert isinstance(message, ChatMessage)
        return message.backlog

    assert backlog(None, 5000)
    assert backlog("5000", 5000)
    assert not backlog("5000", 5001)
    assert not backlog("5000", 10, history=False)
    assert backlog("not a number", 5000)


def test_the_cursor_never_goes_back() -> None:
    inbox = Inbox("5000", lambda: 0.0)
    cursors = []
    for number, at_ms in enumerate((6000, 5500, 0, 10**18), start=1):
        (item,) = inbox.read(event("WebcastChatMessage", (3, "hi"), msg_id=number, at_ms=at_ms))
        assert isinstance(item, ChatMessage)
        cursors.append((item.cursor, item.sent_at is None))
    assert cursors == [("6000", False), ("6000", False), ("6000", True), ("6000", True)]


def test_messages_without_a_user_a_name_or_words_are_read() -> None:
    inbox = Inbox(None, lambda: 0.0)
    (nobody,) = inbox.read(event("WebcastChatMessage", (3, "hi"), msg_id=1))
    (handle,) = inbox.read(event("WebcastChatMessage", (2, encode((38, "ann42"))), (3, "hi"), msg_id=2))
    (emote,) = inbox.read(event("WebcastChatMessage", (2, ANN), (13, b""), msg_id=3))
    assert isinstance(nobody, ChatMessage)
    assert isinstance(handle, ChatMessage)
    assert isinstance(emote, ChatMessage)
    assert (nobody.author_id, nobody.author_name, handle.author_name) == (None, None, "ann42")
    assert emote.text == "[emote]"
    assert inbox.read(event("WebcastChatMessage", (2, ANN), msg_id=4)) == []


def test_follows_shares_and_subscriptions_are_told_and_joins_are_not() -> None:
    def said(method: str, sentence: str = "", *pairs: Field) -> list[tuple[str, str]]:
        start = (1, wire.common(method, 1, 1, 1000, sentence))
        items = Inbox(None, lambda: 0.0).read(Event(method, encode(start, (2, ANN), *pairs)))
        return [(item.kind, item.text) for item in items if isinstance(item, ChatMessage)]

    social, member = "WebcastSocialMessage", "WebcastMemberMessage"
    assert said(social, "pm_main_follow_message_viewer_2") == [("notice", "follows now")]
    assert said(social, "pm_mt_guidance_share") == [("notice", "shared the LIVE")]
    assert said(social, "something_else") == []
    assert said(member, "", (10, 3)) == [("membership", "subscribed")]
    assert said(member, "", (10, 1)) == []
    assert said("WebcastLikeMessage", "", (2, 15)) == []


def test_likes_are_one_message_every_ten_seconds_and_each_counts_once(clock: Clock) -> None:
    inbox = Inbox(None, clock.monotonic)

    def liked(number: int, count: int, *, history: bool = False) -> None:
        assert inbox.read(event("WebcastLikeMessage", (2, count), msg_id=number, history=history)) == []

    liked(1, 15)
    liked(1, 15)
    liked(2, 0)
    liked(3, 500, history=True)
    clock.seconds += LIKES_TOGETHER - 1
    assert inbox.due() == []
    clock.seconds += 1
    (likes,) = inbox.due()
    assert isinstance(likes, ChatMessage)
    assert (likes.id, likes.kind, likes.text, likes.author_id) == ("likes:1", "reaction", "16 likes", None)
    assert inbox.due() == []
    liked(4, 1)
    (last,) = inbox.due(all_of_them=True)
    assert isinstance(last, ChatMessage)
    assert (last.id, last.text) == ("likes:4", "1 like")


def test_an_author_comes_with_picture_and_badges_and_the_host_is_known() -> None:
    def badge(scene: int, level: str = "") -> bytes:
        return encode((3, scene), (12, encode((5, level))))

    picture = encode((1, "http://plain.example/a"), (1, "https://p16.example/ann.webp"))
    badges = [(64, badge(1)), (64, badge(8, "14")), (64, badge(4)), (64, badge(99)), (64, badge(8, "14"))]
    person = encode((1, 42), (3, "Ann"), (9, picture), (12, 1), (38, "Ann.Shop"), *badges)
    said = event("WebcastChatMessage", (2, person), (3, "hi"))
    (viewer,), (host,) = (
        Inbox(None, lambda: 0.0).read(said),
        Inbox(None, lambda: 0.0, host="ann.shop").read(said),
    )
    assert isinstance(viewer, ChatMessage)
    assert isinstance(host, ChatMessage)
    assert viewer.author_picture == "https://p16.example/ann.webp"
    kinds = [(one.kind, one.title) for one in viewer.badges]
    assert kinds == [
        ("moderator", "Moderator"),
        ("other", "Level 14"),
        ("member", "Subscriber"),
        ("verified", "Verified"),
    ]
    assert (viewer.ours, host.ours, host.badges[0].kind) == (False, True, "owner")


def test_emotes_links_and_names_are_fragments() -> None:
    def emote(place: int, address: str) -> tuple[int, bytes]:
        return 13, encode((1, place), (2, encode((1, "7"), (2, encode((1, address))))))

    wow = emote(3, "https://e.example/wow.webp")
    text = "ok @Bo see https://shop.example/a."
    (said,) = Inbox(None, lambda: 0.0).read(
        event("WebcastChatMessage", (2, ANN), (3, text), (12, encode((3, "Bo"))), wow, emote(999, "ftp://x"))
    )
    assert isinstance(said, ChatMessage)
    assert said.text == "ok [emote]@Bo see https://shop.example/a.[emote]"
    assert [(one.kind, one.text, one.url) for one in said.fragments] == [
        ("text", "ok ", None),
        ("emote", "[emote]", "https://e.example/wow.webp"),
        ("mention", "@Bo", None),
        ("text", " see ", None),
        ("link", "https://shop.example/a.", "https://shop.example/a."),
        ("emote", "[emote]", None),
    ]


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 80), st.none() | st.just("https://e.example/1")), max_size=4),
    st.text(max_size=3),
)
def test_pieces_put_together_are_the_words_with_the_emotes_among_them(
    text: str, emotes: list[tuple[int, str | None]], mentioned: str
) -> None:
    pieces = fragments_of(text, emotes, mentioned)
    assert "".join(one.text for one in pieces if one.kind != "emote") == text
    assert sum(one.kind == "emote" for one in pieces) == len(emotes)
    assert all(one.text for one in pieces)
