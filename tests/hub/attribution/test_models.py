"""Every model against a slow second opinion; and what must hold whatever the story."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.attribution import markov
from hub.attribution.reckoning import Reckoning, connect
from hub.attribution.words import MODELS, WINDOWS, Query, Window
from tests.hub.attribution import oracle
from tests.hub.attribution.oracle import Order, Story, Touch
from tests.hub.attribution.stories import BEGIN, SHOWS, stories, told
from tests.hub.attribution.stories import given as credited

EFFECTS = {"tiktok": 700_000_000, "youtube": 300_000_001, "mail": 3}
"""As if learned; "(direct)" was never seen."""
LIMITS = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        opened.execute("SET threads = 1")  # a few rows each time: a second thread only costs
        yield opened


@LIMITS
@given(story=stories(), window=st.sampled_from(WINDOWS), seed=st.integers(0, 9))
def test_credits_are_what_a_slow_reckoning_says_and_sum_to_each_step(
    con: duckdb.DuckDBPyConnection, story: Story, window: Window, seed: int
) -> None:
    shuffled = replace(story, touches=[*story.touches], orders=[*story.orders])
    random.Random(seed).shuffle(shuffled.touches)
    random.Random(seed).shuffle(shuffled.orders)
    reckoning = told(con, shuffled)
    reckoning.effects = {(window, "source"): EFFECTS}
    reckoning.look_back(window, ["source"])
    for model in MODELS:
        assert reckoning.split(model, "source") == model
        found = credited(reckoning)
        assert found == oracle.shares(story, model, window, EFFECTS)
        for order in story.orders:
            for number, (entry, _, amount) in enumerate(order.steps, 1):
                place = (order.id, entry, number)
                assert sum(part for where, part in found.items() if where[:3] == place) == amount
    assert summed(reckoning, window) == money_of(story)


def summed(reckoning: Reckoning, window: Window) -> dict[str, tuple[int, int]]:
    """Of the answer's rows: (money, millionths) by currency."""
    query = Query(window=window, model="linear")
    sums: dict[str, tuple[int, int]] = {}
    _, rows = reckoning.answer(query)
    for row in rows:
        if row["currency"] is not None:
            before = sums.get(row["currency"], (0, 0))
            sums[row["currency"]] = (before[0] + row["credit_minor"], before[1] + row["millionths"])
    return sums


def money_of(story: Story) -> dict[str, tuple[int, int]]:
    """Of the orders: the same."""
    sums: dict[str, tuple[int, int]] = {}
    for order in story.orders:
        before = sums.get(order.currency, (0, 0))
        left = sum(amount for _, _, amount in order.steps)
        sums[order.currency] = (before[0] + left, before[1] + 1_000_000)
    return sums


@settings(LIMITS, max_examples=4)
@given(story=stories(), window=st.sampled_from(WINDOWS))
def test_what_comes_later_never_changes_the_first_and_what_was_given_back_leaves_nothing(
    con: duckdb.DuckDBPyConnection, story: Story, window: Window
) -> None:
    order = story.orders[0]
    later = Touch(UUID(int=2**100), order.person, order.at, "late", SHOWS[0], order.at + timedelta(hours=1))
    firsts = []
    for touches in (story.touches, [*story.touches, later]):
        reckoning = told(con, replace(story, touches=touches))
        reckoning.look_back(window, ["source"])
        reckoning.split("first", "source")
        firsts.append({place: part for place, part in credited(reckoning).items() if place[3] != later.id})
    # Where nobody led to the order, the late touch is the first; else it changes nothing.
    assert all(firsts[1].get(place) == part for place, part in firsts[0].items() if place[3])

    back = [
        replace(one, steps=(*one.steps, ("refund", one.at + timedelta(days=9), -left(one))))
        for one in story.orders
    ]
    reckoning = told(con, replace(story, orders=back))
    reckoning.look_back(window, ["source"])
    for model in ("linear", "time_decay"):
        reckoning.split(model, "source")
        sums: Counter[tuple[UUID, UUID | None]] = Counter()
        for (one, entry, _, touch), part in credited(reckoning).items():
            if entry != "order":
                sums[one, touch] += part
        assert not any(sums.values())


def left(order: Order) -> int:
    return sum(amount for _, _, amount in order.steps)


SETS = st.dictionaries(
    st.frozensets(st.sampled_from("abcde"), min_size=1), st.integers(1, 4), min_size=1, max_size=6
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets=SETS)
def test_shapley_is_the_value_by_its_definition(
    con: duckdb.DuckDBPyConnection, sets: dict[frozenset[str], int]
) -> None:
    """Efficiency, symmetry and the null player follow; the definition says nothing of touches or of money."""
    story = Story()
    for channels, times in sorted(sets.items(), key=lambda item: sorted(item[0])):
        for _ in range(times):
            n = len(story.orders)
            # The first channel is touched twice: a channel counts once, however often it was touched.
            for place, key in enumerate([*sorted(channels), min(channels)]):
                at = BEGIN + timedelta(minutes=place)
                story.touches.append(Touch(UUID(int=n * 10 + place), f"p{n}", at, key, SHOWS[0], at))
            at = BEGIN + timedelta(hours=1)
            story.orders.append(Order(UUID(int=n), f"p{n}", at, SHOWS[0], None, "EUR", (("sale", at, 1),)))
    _, rows = told(con, story).answer(Query(model="shapley", window="24h"))
    wanted = oracle.shapley(sets)
    assert {row["key"] for row in rows} == set(wanted)
    for row in rows:
        assert abs(Fraction(row["millionths"], 1_000_000) - wanted[row["key"]]) <= Fraction(
            len(story.orders), 10**6
        )
    assert sum(row["millionths"] for row in rows) == len(story.orders) * 1_000_000


@settings(max_examples=40, deadline=None)
@given(
    ways=st.lists(
        st.tuples(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_removal_effects_are_those_of_taking_each_channel_out(ways: list[tuple[list[str], bool]]) -> None:
    counts = oracle.moves(ways)
    whole = oracle.chance(counts)
    found = markov.effects([(*move, times) for move, times in counts.items()])
    assert found.keys() == {key for keys, _ in ways for key in keys}
    for channel, effect in found.items():
        wanted = 1 - oracle.chance(counts, without=channel) / whole if whole else 0.0
        assert effect == pytest.approx(wanted, abs=1e-9)


def crowd() -> Story:
    """1,200 people on their way, a third of whom order; enough to learn from."""
    dice = random.Random(7)
    story = Story()
    for n in range(1200):
        person = f"p{n}"
        keys = [dice.choice(["tiktok", "tiktok", "youtube", "mail"]) for _ in range(dice.randint(1, 4))]
        for place, key in enumerate(keys):
            at = BEGIN + timedelta(hours=place)
            story.touches.append(Touch(UUID(int=n * 10 + place), person, at, key, SHOWS[0], at))
        if dice.random() < (0.6 if "mail" in keys else 0.2):
            at = BEGIN + timedelta(hours=9)
            steps = (("sale", at, dice.randint(1, 9999)),)
            story.orders.append(Order(UUID(int=n), person, at, SHOWS[0], None, "EUR", steps))
    return story


def test_markov_learns_from_those_who_ordered_and_those_who_did_not(con: duckdb.DuckDBPyConnection) -> None:
    story = crowd()
    reckoning = told(con, story)
    used, _ = reckoning.answer(Query(model="markov", window="30d"))
    assert (used, reckoning.notes) == ("markov", [])
    buyers = {order.person for order in story.orders}
    ways: dict[str, list[str]] = defaultdict(list)
    for touch in story.touches:
        ways[touch.person].append(touch.key)
    counts = oracle.moves([(keys, person in buyers) for person, keys in ways.items()])
    whole = oracle.chance(counts)
    effects = reckoning.effects["30d", "source"]
    assert effects["mail"] > effects["youtube"]
    for channel, effect in effects.items():
        assert effect / 1e9 == pytest.approx(1 - oracle.chance(counts, without=channel) / whole, abs=1e-8)
    reckoning.split("markov", "source")
    assert credited(reckoning) == oracle.shares(story, "markov", "30d", effects)


def test_markov_says_when_there_is_too_little_to_learn_from(con: duckdb.DuckDBPyConnection) -> None:
    many = crowd()
    story = Story(many.touches[:30], many.orders[:30])
    reckoning = told(con, story)
    used, rows = reckoning.answer(Query(model="markov", window="30d"))
    assert used == "linear"
    [note] = reckoning.notes
    assert "1,000" in note
    assert rows == told(con, story).answer(Query(model="linear", window="30d"))[1]


def test_a_thousand_channels_share_their_rarest_in_one_state() -> None:
    moves: list[markov.Move] = [(None, f"link-{n}", None, 1000 - n) for n in range(1000)]
    moves += [(f"link-{n}", None, n % 3 == 0, 1000 - n) for n in range(1000)]
    effects = markov.effects(moves)
    assert len(effects) == 1000
    assert effects["link-0"] > effects["link-3"] > effects["link-1"] == 0
    assert effects["link-500"] == effects["link-999"] > 0


def test_the_example_of_the_docs_is_what_comes_out(con: duckdb.DuckDBPyConnection) -> None:
    page = (Path(__file__).parents[3] / "docs" / "attribution.md").read_text()
    lines = page.split("### An example")[1].splitlines()
    places = [("sale", 1, 1), ("sale", 1, 2), ("refund", 2, 1), ("refund", 2, 2)]
    bought = BEGIN + timedelta(days=4, hours=1)
    touches = [
        Touch(UUID(int=1), "ana", BEGIN, "tiktok", SHOWS[0], BEGIN),
        Touch(UUID(int=2), "ana", bought - timedelta(hours=1), "mail", SHOWS[0], bought),
    ]
    steps = (("sale", bought, 1000), ("refund", bought + timedelta(days=1), -300))
    reckoning = told(con, Story(touches, [Order(UUID(int=9), "ana", bought, SHOWS[0], None, "EUR", steps)]))
    reckoning.look_back("7d", ["source"])
    said = 0
    for line in lines:
        cells = line.split("|")[1:-1]
        for model in re.findall(r"`(\w+)`", cells[0]) if len(cells) == 6 else []:
            reckoning.split(model, "source")
            found = credited(reckoning)
            for cell, (entry, step, touch) in zip(cells[1:5], places, strict=True):
                cents = round(float(cell.replace("−", "-")) * 100)
                assert found.get((UUID(int=9), entry, step, UUID(int=touch)), 0) == cents
                said += 1
    assert said == 7 * 4


def test_influenced_money_overlaps_and_credited_money_does_not(con: duckdb.DuckDBPyConnection) -> None:
    at = BEGIN + timedelta(days=2)
    touches = [
        Touch(UUID(int=n), "ana", BEGIN + timedelta(hours=n), key, SHOWS[0], BEGIN)
        for n, key in enumerate(["tiktok", "tiktok", "mail"])
    ]
    steps = (("sale", at, 1000), ("refund", at + timedelta(days=1), -100))
    order = Order(UUID(int=1), "ana", at, SHOWS[0], None, "EUR", steps)
    alone = Order(UUID(int=2), "bo", at, SHOWS[1], None, "USD", (("sale", at, 5),))
    reckoning = told(con, Story(touches, [order, alone]))
    con.execute(
        "CREATE TABLE events AS"
        " SELECT 'bo' AS viewer_id, $1::UUID AS show_id, unnest($2::TIMESTAMP[]) AS \"at\"",
        [SHOWS[1], [at, at + timedelta(seconds=3)]],
    )
    reckoning.watch("events")
    _, rows = reckoning.answer(Query(model="last", window="7d"))
    found = {
        (row["key"], row["currency"]): (
            row["credit_minor"],
            row["influenced_minor"],
            row["touches"],
            row["persons"],
        )
        for row in rows
    }
    assert found == {
        ("mail", "EUR"): (900, 900, 1, 1),
        ("tiktok", "EUR"): (0, 900, 2, 1),
        ("direct / unknown", "USD"): (5, 5, 0, 0),
        ("watched on our page", "USD"): (0, 5, 0, 0),
    }
