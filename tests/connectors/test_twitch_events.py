"""What EventSub's frames say, whatever comes twice, late or in the wrong order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConnectorError, Reconnect, Refused
from connectors.twitch.chat import items_of
from connectors.twitch.events import MOST_IDS, UNREADABLE, Frame, Inbox, mendable, moment
from connectors.types import Badge, ChatDeletion, ChatHealth, ChatMessage, Fragment
from tests.connectors.twitch import CLEAR, CLEAR_USER, DELETE, MESSAGE, sample, texts

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def said(
    number: int, *, copy: int = 0, author: str = "200", after: float = 0.0, shared_from: str | None = None
) -> Frame:
    """A chat message as one socket brings it."""
    event = {
        "message_id": f"m{number}",
        "chatter_user_id": author,
        "chatter_user_name": "Ann",
        "message": {"text": f"text {number}", "fragments": []},
        "source_broadcaster_user_id": shared_from,
    }
    at = NOON + timedelta(seconds=after)
    return Frame("notification", f"f{number}.{copy}", MESSAGE, at, {"event": event})


def happened(topic: str, *, after: float = 0.0, frame_id: str = "e1", **event: str) -> Frame:
    return Frame("notification", frame_id, topic, NOON + timedelta(seconds=after), {"event": event})


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1))))
def test_whatever_two_sockets_bring_is_shown_once_in_the_order_it_came(
    arrivals: list[tuple[int, int]],
) -> None:
    inbox = Inbox("100")
    got = [text for number, copy in arrivals for text in texts(inbox.take(said(number, copy=copy)))]
    assert got == [f"text {number}" for number in dict.fromkeys(number for number, _ in arrivals)]


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_a_frame(text: str) -> None:
    assert Frame.of(text).kind == UNREADABLE


@given(st.permutations([0, 1, 2, 3]), st.integers(0, 3))
def test_a_deleted_message_is_gone_at_the_end_whatever_comes_first(order: list[int], victim: int) -> None:
    inbox, shown = Inbox("100"), set[str]()
    frames = [said(number) for number in range(4)]
    frames[victim] = happened(DELETE, message_id=f"m{(victim + 1) % 4}")
    for place in order:
        for item in inbox.take(frames[place]):
            if isinstance(item, ChatMessage):
                shown.add(item.id)
            elif isinstance(item, ChatDeletion):
                shown -= set(item.message_ids)
    assert shown == {f"m{number}" for number in range(4)} - {f"m{victim}", f"m{(victim + 1) % 4}"}


def test_a_message_is_read_from_twitchs_own_example() -> None:
    frame = Frame.of(json.dumps(sample("chat_message")))
    (message,) = Inbox("100", {("cheer", 100): "https://a.example/100.gif"}).take(frame)
    assert message == ChatMessage(
        id="cc106a89-0000-4000-8000-000000000001",
        text="hi @Shop Kappa cheer100",
        author_id="200",
        author_name="Ann",
        kind="paid",
        badges=(Badge(kind="moderator", title="Moderator"),),
        fragments=(
            Fragment(text="hi "),
            Fragment(kind="mention", text="@Shop"),
            Fragment(text=" "),
            Fragment(
                kind="emote",
                text="Kappa",
                url="https://static-cdn.jtvnw.net/emoticons/v2/25/static/dark/2.0",
            ),
            Fragment(text=" "),
            Fragment(kind="emote", text="cheer100", url="https://a.example/100.gif"),
        ),
        sent_at=datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC),
        cursor="cc106a89-0000-4000-8000-000000000001",
    )


def test_every_sample_is_understood() -> None:
    assert [Frame.of(json.dumps(raw)).kind for raw in sample("session")["frames"]] == [
        "session_welcome",
        "session_keepalive",
        "session_reconnect",
        "revocation",
    ]
    removed = [
        item
        for topic, event in sample("removals")["events"].items()
        for item in Inbox("100").take(Frame("notification", topic, topic, NOON, {"event": event}))
    ]
    assert removed == [
        ChatDeletion(message_ids=("cc106a89-0000-4000-8000-000000000001",)),
        ChatDeletion(author_id="200"),
        ChatDeletion(),
    ]


def test_a_message_older_than_its_authors_silencing_is_not_shown() -> None:
    inbox = Inbox("100")
    inbox.take(happened(CLEAR_USER, after=5, target_user_id="200"))
    assert texts(inbox.take(said(1, after=4.9))) == []
    assert texts(inbox.take(said(2, after=4.9, author="300"))) == ["text 2"]
    assert texts(inbox.take(said(3, after=5.1))) == ["text 3"]


def test_a_clearing_takes_all_there_is_and_nothing_that_came_since() -> None:
    inbox = Inbox("100")
    inbox.take(said(1, after=1))
    assert inbox.take(happened(CLEAR, after=2)) == [ChatDeletion()]
    assert texts(inbox.take(said(5000, after=1.5))) == []
    assert texts(inbox.take(said(5001, after=3))) == ["text 5001"]
    # The same clearing once more, through another socket.
    assert inbox.take(happened(CLEAR, after=2, frame_id="e2")) == []


def test_a_clearing_that_comes_late_names_what_it_takes() -> None:
    inbox = Inbox("100")
    for number in range(MOST_IDS + 1):
        inbox.take(said(number, after=1))
    inbox.take(said(5001, after=3))
    inbox.take(happened(DELETE, frame_id="e0", message_id="m0"))
    assert inbox.take(happened(CLEAR, after=2)) == [
        ChatDeletion(message_ids=tuple(f"m{number}" for number in range(1, MOST_IDS + 1)))
    ]
    inbox.take(said(6001, author="300", after=4))
    inbox.take(said(6002, author="300", after=6))
    late = inbox.take(happened(CLEAR_USER, after=5, frame_id="e2", target_user_id="300"))
    assert late == [ChatDeletion(message_ids=("m6001",))]
    assert inbox.take(happened(CLEAR_USER, after=5, frame_id="e3", target_user_id="300")) == []


def test_what_was_said_in_another_channel_of_a_shared_chat_is_left_out() -> None:
    inbox = Inbox("100")
    assert texts(inbox.take(said(1, shared_from="999"))) == []
    assert texts(inbox.take(said(2, shared_from="100"))) == ["text 2"]


def test_a_notification_that_lacks_something_is_told_as_missed() -> None:
    frame = Frame("notification", "f1", MESSAGE, NOON, {"event": {"message_id": "m1"}})
    (health,) = items_of(frame, Inbox("100"))
    assert isinstance(health, ChatHealth)
    assert (health.state, health.missed) == ("connected", True)
    unknown = Frame("notification", "f2", "channel.of.tomorrow", NOON, {"event": {}})
    assert items_of(unknown, Inbox("100")) == items_of(Frame("tomorrow"), Inbox("100")) == []


@pytest.mark.parametrize(
    ("topic", "status", "wanted"),
    [
        (MESSAGE, "authorization_revoked", Reconnect),
        (CLEAR, "authorization_revoked", Reconnect),
        (MESSAGE, "user_removed", Refused),
        (MESSAGE, "chat_user_banned", Refused),
        (MESSAGE, "moderator_removed", Refused),
        (MESSAGE, "version_removed", Refused),
    ],
)
def test_a_final_revocation_ends_the_chat_with_a_sentence(
    topic: str, status: str, wanted: type[ConnectorError]
) -> None:
    frame = Frame("revocation", "r1", topic, NOON, {"subscription": {"type": topic, "status": status}})
    assert mendable(frame) is None
    with pytest.raises(wanted, match=r"^[A-Z].{20,}\.$"):
        items_of(frame, Inbox("100"))


def test_any_other_revocation_is_worth_another_try() -> None:
    for about in ({"status": "websocket_network_error"}, {"status": 7}, {}):
        why = mendable(Frame("revocation", "r1", MESSAGE, NOON, {"subscription": about}))
        assert why is not None
        assert why.startswith("Twitch stopped telling us about this chat (")
    assert (
        mendable(Frame("revocation", "r1", CLEAR, NOON, {"subscription": {"status": "user_removed"}})) is None
    )


def test_times_are_read_with_nine_decimals_or_not_at_all() -> None:
    assert moment("2026-11-24T10:00:00.123456789Z") == datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)
    assert [moment(stamp) for stamp in (None, 5, "soon", "2026-11-24T10:00:00")] == [None] * 4
