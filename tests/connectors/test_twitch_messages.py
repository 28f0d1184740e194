"""What Twitch's events say: pieces of text, badges, notices, polls, whatever is missing or new in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.twitch.chat import items_of
from connectors.twitch.events import Frame, Inbox
from connectors.twitch.fake_chat import fragments
from connectors.twitch.messages import badges_of, donated, linked, pieces_of
from connectors.types import Badge, ChatHealth, ChatMessage, Fragment, Money
from tests.connectors.twitch import MESSAGE, sample, texts

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOTICE = "channel.chat.notification"
WORDS = st.lists(
    st.sampled_from(["Kappa", "@ann", "cheer100", "https://a.example/x?y=1).", "www.a.example", "https://"])
    | st.text(max_size=8)
).map(" ".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def frame(topic: str, event: dict[str, Any], number: int = 1) -> Frame:
    return Frame("notification", f"{topic}.{number}", topic, NOON, {"event": event})


def notice(kind: str) -> ChatMessage:
    (item,) = Inbox("100").take(frame(NOTICE, sample("notices")["notices"][kind]))
    assert isinstance(item, ChatMessage)
    return item


@given(WORDS, st.booleans())
def test_the_pieces_of_a_text_put_together_are_the_text(words: str, spaces_left_out: bool) -> None:
    raw = [each for each in fragments(words) if not (spaces_left_out and each["text"].isspace())]
    pieces = pieces_of({"text": words, "fragments": raw}, {})
    assert not pieces or "".join(piece.text for piece in pieces) == words
    assert "".join(piece.text for piece in linked(words)) == words


@given(JSON)
def test_fragments_of_any_shape_are_at_worst_mere_text(raw: Any) -> None:
    pieces = pieces_of({"text": "see www.a.example!", "fragments": raw}, {})
    assert "".join(piece.text for piece in pieces) == "see www.a.example!"
    badges_of(raw)
    donated(raw)


@given(st.dictionaries(st.sampled_from(list(sample("chat_message")["payload"]["event"])), JSON))
def test_an_event_of_any_shape_is_read_or_told_as_missed(spoiled: dict[str, Any]) -> None:
    event = sample("chat_message")["payload"]["event"] | spoiled
    for item in items_of(frame(MESSAGE, event), Inbox("100")):
        assert isinstance(item, ChatMessage) or (isinstance(item, ChatHealth) and item.missed)


def test_links_are_found_without_the_sentence_around_them() -> None:
    assert linked("(see https://shop.example/a?b=c), www.shop.example. www. https://") == [
        Fragment(text="(see "),
        Fragment(kind="link", text="https://shop.example/a?b=c", url="https://shop.example/a?b=c"),
        Fragment(text="), "),
        Fragment(kind="link", text="www.shop.example", url="https://www.shop.example"),
        Fragment(text=". www. https://"),
    ]


def test_what_twitch_adds_tomorrow_is_shown_as_text_and_stops_nothing() -> None:
    event = sample("chat_message")["payload"]["event"] | {
        "message_id": "m1",
        "message_type": "power_ups_of_tomorrow",
        "cheer": None,
        "color": None,
        "badges": None,
        "message": {
            "text": "\u200bمرحبا x cat" + "y" * 488,
            "fragments": [
                {"type": "hologram", "text": "\u200bمرحبا x ", "hologram": {"id": 7}},
                {"type": "gif", "text": "cat", "gif": {"gif_id": "1", "url": "https://a.example/cat.gif"}},
                {"type": "text", "text": "y" * 488},
                "not even an object",
            ],
        },
    }
    (message,) = Inbox("100").take(frame(MESSAGE, event))
    assert isinstance(message, ChatMessage)
    assert (message.kind, message.badges, len(message.text)) == ("paid", (), 500)
    assert [(piece.kind, piece.url) for piece in message.fragments] == [
        ("text", None),
        ("emote", "https://a.example/cat.gif"),
        ("text", None),
    ]


def test_only_the_id_and_the_words_of_a_message_must_be_there() -> None:
    bare = {"message_id": "m1", "message": {"text": "hi"}}
    (message,) = Inbox("100").take(frame(MESSAGE, bare))
    assert texts([message]) == ["hi"]
    for lacking in ({"message": {"text": "hi"}}, {"message_id": "m1"}, {"message_id": "m1", "message": None}):
        (health,) = items_of(frame(MESSAGE, lacking), Inbox("100"))
        assert isinstance(health, ChatHealth)
        assert health.missed


def test_an_answer_names_what_it_answers() -> None:
    event = sample("chat_message")["payload"]["event"] | {"reply": {"parent_message_id": "m0"}}
    (message,) = Inbox("100").take(frame(MESSAGE, event))
    assert cast("ChatMessage", message).reply_to == "m0"


def test_badges_say_what_an_author_is() -> None:
    names = {
        "broadcaster": "1",
        "vip": "1",
        "founder": "",
        "subscriber": "1",
        "partner": "1",
        "sub-gifter": "5",
    }
    raw = [{"set_id": name, "id": "1", "info": info} for name, info in names.items()]
    assert badges_of(raw) == (
        Badge(kind="owner", title="Broadcaster"),
        Badge(kind="vip", title="VIP"),
        Badge(kind="member", title="Founder"),
        Badge(kind="member", title="Subscriber (1 month)"),
        Badge(kind="verified", title="Verified"),
        Badge(kind="other", title="Sub gifter"),
    )


def test_subscriptions_gifts_raids_and_announcements_are_told_apart() -> None:
    resub = notice("resub")
    assert (resub.kind, resub.author_name, resub.badges[0].title) == (
        "membership",
        "Ann",
        "Subscriber (16 months)",
    )
    assert resub.text == "Ann subscribed at Tier 1. They've subscribed for 16 months! love it Kappa"
    assert "".join(piece.text for piece in resub.fragments) == resub.text
    assert "/animated/" in str(resub.fragments[-1].url)
    raid = notice("raid")
    assert (raid.kind, raid.text, raid.author_name) == ("raid", "321 raiders from X have joined!", "X")
    assert raid.author_picture == "https://static-cdn.jtvnw.net/jtv_user_pictures/x.png"
    gift = notice("community_sub_gift")
    assert (gift.kind, gift.author_id, gift.author_name) == ("gift", None, "Anonymous")
    announced = notice("announcement")
    assert (announced.kind, announced.text, announced.ours) == (
        "announcement",
        "All at https://shop.example/live!",
        True,
    )
    assert announced.fragments[1].url == "https://shop.example/live"
    given_away = notice("charity_donation")
    assert (given_away.kind, given_away.money) == ("paid", Money(amount=550, currency="EUR"))
    assert notice("watch_streak").kind == "notice"


def test_amounts_are_exact_or_untold() -> None:
    def of(value: Any, places: Any, currency: Any, key: str = "decimal_place") -> Money | None:
        return donated({"amount": {"value": value, key: places, "currency": currency}})

    assert of(5, 2, "USD") == Money(amount=5, currency="USD")
    assert of(500, 0, "JPY", "decimal_places") == Money(amount=500, currency="JPY")
    assert [of(1, 2, "JPY"), of("x", 2, "USD"), of(1, None, "USD"), of(1, 2, None)] == [None] * 4


def test_fifty_gifts_at_once_are_one_message() -> None:
    events = sample("notices")["notices"]
    inbox = Inbox("100")
    assert len(inbox.take(frame(NOTICE, events["community_sub_gift"]))) == 1
    assert inbox.take(frame(NOTICE, events["sub_gift"], 2)) == []
    # Whoever missed the one that announces them is told of each.
    assert notice("sub_gift").kind == "gift"


def test_what_happens_in_other_channels_of_a_shared_chat_is_left_out() -> None:
    event = sample("notices")["notices"]["raid"] | {"notice_type": "shared_chat_raid"}
    assert Inbox("100").take(frame(NOTICE, event)) == []
    event = sample("notices")["notices"]["raid"] | {"source_broadcaster_user_id": "999"}
    assert Inbox("100").take(frame(NOTICE, event)) == []


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (["begin", "progress", "progress", "end", "end"], ["begin", "end"]),
        (["progress", "begin", "end"], ["begin", "end"]),
        (["end", "progress", "begin"], ["end"]),
    ],
)
def test_a_poll_is_told_when_it_begins_and_when_it_is_over(order: list[str], told: list[str]) -> None:
    inbox = Inbox("100")
    wanted = {
        "begin": "Poll: Which colour? Red · Blue",
        "end": "The poll is over: Which colour? Red 7 · Blue 12",
    }
    got = []
    for number, what in enumerate(order):
        topic = f"channel.poll.{what}"
        got += inbox.take(frame(topic, sample("notices")["polls"][topic], number))
    assert texts(got) == [wanted[what] for what in told]
    assert {item.kind for item in got if isinstance(item, ChatMessage)} == {"poll"}


def test_twitchs_own_examples_are_read_whole() -> None:
    for kind, event in sample("notices")["notices"].items():
        raw = {"metadata": {"message_id": kind, "message_type": "notification", "subscription_type": NOTICE}}
        (item,) = items_of(Frame.of(json.dumps(raw | {"payload": {"event": event}})), Inbox("100"))
        assert isinstance(item, ChatMessage), kind
