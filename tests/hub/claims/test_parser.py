"""The parser against labelled lines of real chats, and against anything."""

from __future__ import annotations

from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.claims.catalogue import numbered, title_words
from hub.claims.parser import Catalogue, Item, Read, choice_of, parse
from hub.claims.reading import words_of
from tests.hub.claims.lines import CLAIMS, TALK


def item(number: int, name: str, *variants: str, word: str = "") -> Item:
    choices = tuple(choice_of(uuid4(), one, ()) for one in variants)
    return Item(uuid4(), name, number, frozenset({word} - {""}), title_words(name), choices)


SHOP = Catalogue(
    (
        item(12, "Bag", "Red / S", "Red / L", "Blue / L"),
        item(2, "Scarf", "Red", "Blue"),
        item(3, "Belt", ""),
        item(7, "Shoe", "41", "42", word="comet"),
    )
)


def as_label(read: Read | None) -> str:
    if read is None:
        return "talk"
    one = next(one for one in SHOP.items if one.product_id == read.product_id)
    title = next((c.title or "-" for c in one.choices if c.variant_id == read.variant_id), "?")
    return f"{one.number} {title} {read.quantity}"


def test_labelled_lines_are_read_with_precision_and_recall() -> None:
    wanted = dict(line.split(" -> ") for line in CLAIMS)
    assert len(wanted) + len(TALK) >= 120
    read = {line: as_label(parse(line, SHOP)) for line in [*wanted, *TALK]}
    wrong = [f"{line}: {label}" for line, label in read.items() if label not in ("talk", wanted.get(line))]
    missed = [line for line, label in wanted.items() if read[line] == "talk"]
    right = sum(1 for line, label in wanted.items() if read[line] == label)
    assert not wrong, wrong
    assert right / len(wanted) >= 0.97, missed
    assert [line for line in TALK if read[line] != "talk"] == []


PIECES = st.sampled_from(
    [
        "sold",
        "12",
        "2",
        "x2",
        "+",
        "red",
        "rouge",
        "L",
        "?",
        "comet",
        "bag",
        "é",
        "😍",
        "@ana",
        "٣",
        "one",
        " ",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=9).map(" ".join)))
def test_anything_is_read_without_a_fall_and_its_words_read_the_same_again(comment: str) -> None:
    words = words_of(comment)
    again = " ".join(words)
    assert words_of(again) == words or len(again) > 160
    read = parse(comment, SHOP)
    assert read is None or 1 <= read.quantity <= SHOP.most
    if len(again) <= 160:
        assert parse(again, SHOP) == read
    assert parse(comment + "?", SHOP) is None


@given(st.lists(st.one_of(st.none(), st.integers(1, 9)), max_size=8, unique_by=lambda one: one or object()))
def test_numbers_are_unique_and_staffs_own_are_kept(given_: list[int | None]) -> None:
    found = numbered(given_)
    assert len({*found}) == len(given_)
    assert all(own is None or own == one for own, one in zip(given_, found, strict=True))
