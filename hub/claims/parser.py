"""Whether a comment is a claim, and of what. Pure: a comment and the catalogue in, a `Read` or None out.

A claim names one product (by its number, its own word, or its title) and says that it is wanted: by a word
such as "sold", by "+2", by the product's own word, or by a number with one of its variants ("12 red"). A
question is none, talk about selling is none, and the number alone is none.

`words.py` has the languages, `reading.py` makes the words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from uuid import UUID

from hub.claims.reading import near, words_of
from hub.claims.words import CLAIMS, NEVER, NUMBERS, PLEASANTRIES, QUANTITIES, SAME

STRAY: Final = 2
"""Words without a meaning for us that a claim with a claiming word may have."""
SHORT_WORD: Final = 4
LONG_WORD: Final = 8
"""From so many letters on one typing mistake is forgiven, and two."""


@dataclass(frozen=True)
class Choice:
    """A variant, and the words it is known by: its title, its options."""

    variant_id: UUID
    title: str
    words: frozenset[str]


@dataclass(frozen=True)
class Item:
    """A product of the show. `words`: its own, given by staff. `title`: the words of its name."""

    product_id: UUID
    name: str
    number: int
    words: frozenset[str]
    title: frozenset[str]
    choices: tuple[Choice, ...]

    @cached_property
    def all_words(self) -> frozenset[str]:
        """What its variants are told apart by."""
        return frozenset().union(*(choice.words for choice in self.choices))


@dataclass(frozen=True)
class Catalogue:
    """What is sold, by number and by word. `most`: units one claim may ask for."""

    items: tuple[Item, ...] = ()
    most: int = 10

    @cached_property
    def by_number(self) -> Mapping[int, Item]:
        """Numbers are unique."""
        return {item.number: item for item in self.items}

    @cached_property
    def by_word(self) -> Mapping[str, Item]:
        """Staff's words are unique, too."""
        return {word: item for item in self.items for word in item.words}

    @cached_property
    def by_title(self) -> Mapping[str, Item]:
        """Words that are in one product's name only, and are nobody's variant."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            for word in item.title:
                found.setdefault(word, []).append(item)
        variants = frozenset[str]().union(*(item.all_words for item in self.items))
        return {
            word: some[0]
            for word, some in found.items()
            if len(some) == 1 and not {word, same(word)} & variants and word not in self.by_word
        }


@dataclass(frozen=True)
class Read:
    """What a claim asks for. `variant_id` None: it fits none or several; `between` names them."""

    product_id: UUID
    variant_id: UUID | None
    quantity: int
    between: tuple[str, ...] = ()


@dataclass
class Said:
    """The words of a comment, sorted by what they may be. Numbers have their place in the row."""

    words: Sequence[str]
    numbers: list[tuple[int, int]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    claiming: bool = False
    plus: bool = False
    rest: list[str] = field(default_factory=list)


def parse(comment: str, catalogue: Catalogue) -> Read | None:
    """The claim in a comment, if it is one. Never raises."""
    words = words_of(comment) if catalogue.items else []
    if not words or not NEVER.isdisjoint(words):
        return None
    found = None
    for item, count, rest in readings(sorted_out(words), catalogue):
        read, strange = chosen(item, rest, catalogue)
        if read is None or not 1 <= count <= catalogue.most:
            continue
        one = Read(read.product_id, read.variant_id, count, read.between)
        if found is None or (strange, one.variant_id is None) < found[0]:
            found = (strange, one.variant_id is None), one
    return found[1] if found else None


def sorted_out(words: Sequence[str]) -> Said:
    """What each word may be."""
    said, skip = Said(words), False
    for place, word in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ""
        if skip:
            skip = False
        elif word[0] == "x" and word[1:].isdigit():
            said.counts.append(int(word[1:]))
        elif word == "+":
            said.plus = True
            if number := number_of(after):
                said.counts.append(number)
                skip = True
        elif word in QUANTITIES or (word == "x" and number_of(after)):
            if number := number_of(after):
                said.counts.append(number)
                skip = True
            elif place and said.numbers and said.numbers[-1][1] == place - 1:
                said.counts.append(said.numbers.pop()[0])
        elif number := number_of(word):
            said.numbers.append((number, place))
        elif word in CLAIMS and claims_here(words, place):
            said.claiming = True
        else:
            said.rest.append(word)
    return said


def number_of(word: str) -> int | None:
    """12, or twelve."""
    if word.isdigit():
        return int(word) if len(word) <= 6 else None
    return NUMBERS.get(word)


def claims_here(words: Sequence[str], place: int) -> bool:
    """Whether a claiming word stands where it claims: first but for pleasantries, or last after a number.

    "I sold 12" tells of a sale, "I take 12" claims: after a person's word only the present tense counts.
    """
    before = words[:place]
    if place == len(words) - 1 and before and any(number_of(word) for word in before):
        return True
    if any(word in ("i", "je", "ich", "yo", "io", "eu", "ik") for word in before):
        return words[place] in ("take", "buy", "claim", "prends", "achete", "nehme", "kaufe", "quiero") or (
            words[place] in ("compro", "prendo", "voglio", "quero", "levo", "neem", "koop", "reserve")
        )
    return all(word in PLEASANTRIES or number_of(word) or word in ("+", "x") for word in before)


def readings(said: Said, catalogue: Catalogue) -> Iterator[tuple[Item, int, list[str]]]:
    """Every way to read it: which product, how many, and what is left to name the variant."""
    if len(said.counts) > 1 or len(said.numbers) > 3:
        return
    named = [catalogue.by_word[word] for word in said.rest if word in catalogue.by_word]
    titled = [catalogue.by_title[word] for word in said.rest if word in catalogue.by_title]
    for number, place in said.numbers:
        item = catalogue.by_number.get(number)
        others = [one for one, where in said.numbers if where != place]
        if item and wanted(said, item) and all(one is item for one in named):
            yield from split(item, said, others)
    for item in dict.fromkeys(named) or dict.fromkeys(titled):
        told = said.claiming or said.plus or item in named
        if told and len({*named} or {*titled}) == 1:
            yield from split(item, said, [number for number, _ in said.numbers])


def wanted(said: Said, item: Item) -> bool:
    """Whether a number is more than a number: somebody claims, or names a variant or the product with it."""
    if said.claiming:
        return True
    return any(word in item.words or word in item.title or variant_word(word, item) for word in said.rest)


def split(item: Item, said: Said, numbers: Sequence[int]) -> Iterator[tuple[Item, int, list[str]]]:
    """Numbers that are left are a variant (size 42), or how many."""
    variant = [number for number in numbers if str(number) in item.all_words]
    free = [number for number in numbers if str(number) not in item.all_words]
    counts = [*said.counts, *free]
    own = [word for word in said.rest if word not in item.words and word not in item.title]
    own += [word for word in said.rest if word in item.title and variant_word(word, item)]
    if len(counts) <= 1:
        strange = strays(own, item)
        if strange <= (STRAY if said.claiming else 0):
            yield item, counts[0] if counts else 1, [*own, *map(str, variant)]
    if len(variant) == 1 and not counts and len(item.choices) == 1:
        yield item, variant[0], own


def strays(words: Collection[str], item: Item) -> int:
    """How many words mean nothing to us."""
    return sum(1 for word in words if word not in PLEASANTRIES and not variant_word(word, item))


def chosen(item: Item, words: Collection[str], catalogue: Catalogue) -> tuple[Read | None, int]:
    """The variant these words name, and how many of them named nothing."""
    meant = {found for word in words if (found := variant_word(word, item))}
    strange = strays(words, item)
    fits = [choice for choice in item.choices if meant <= choice.words]
    exact = [choice for choice in fits if meant == choice.words]
    if len(exact) == 1:
        fits = exact
    if len(fits) == 1:
        return Read(item.product_id, fits[0].variant_id, 1), strange
    between = tuple(choice.title for choice in fits or item.choices)
    return (Read(item.product_id, None, 1, between) if item.choices else None), strange


def variant_word(word: str, item: Item) -> str | None:
    """Which of a product's variant words this is: itself, the same elsewhere, or nearly so and no other."""
    known = item.all_words
    if word in known:
        return word
    if same(word) in known:
        return same(word)
    most = 0 if len(word) < SHORT_WORD else 1 if len(word) < LONG_WORD else 2
    if not most or word in PLEASANTRIES:
        return None
    close: dict[str, int] = {}
    for other in [*known, *(one for one, name in SAME.items() if name in known and len(one) >= SHORT_WORD)]:
        distance = near(word, other, most) if len(other) >= SHORT_WORD - 1 else None
        if distance is not None:
            name = other if other in known else same(other)
            close[name] = min(distance, close.get(name, distance))
    nearest = [name for name, distance in close.items() if distance == min(close.values())]
    return nearest[0] if len(nearest) == 1 else None


def same(word: str) -> str:
    """A colour or a size by its English name."""
    return SAME.get(word, word)


def choice_of(variant_id: UUID, title: str, options: Collection[str]) -> Choice:
    """A variant from its title and its options' values."""
    words = {same(word) for text in (title, *options) for word in words_of(text[:100]) if word not in "+?$"}
    return Choice(variant_id, title, frozenset(words - (PLEASANTRIES - {"one"})))
