"""Who is one person: the same evidence gives the same people, however it came; every join can be undone."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.customers.graph import MOST_ACCOUNTS, MOST_STRANGERS, Graph, Link, Node, people, persons

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
KINDS = ("email", "phone", "platform_user", "visitor", "account", "payment")


def node(n: int, kind: str = "email", **more: object) -> Node:
    platform = more.pop("platform", "tiktok_shop") if kind == "platform_user" else None
    made = Node(id=UUID(int=n), key=f"{kind}:{n}", kind=kind, home=UUID(int=1000 + n), platform=platform)  # type: ignore[arg-type]
    return replace(made, **more)  # type: ignore[arg-type]


def link(a: int, b: int, kind: str = "order", *, proof: bool = True, day: int = 0, n: int = 0) -> Link:
    first, second = sorted((a, b))
    return Link(
        id=UUID(int=n or (first * 100 + second)),
        a=UUID(int=first),
        b=UUID(int=second),
        kind=kind,
        proof=proof,
        at=BEGAN + timedelta(days=day),
        source=(kind, f"{first}-{second}-{n}"),
    )


def parts(graph: Graph) -> set[frozenset[int]]:
    return {frozenset(one.int for one in part) for part in graph.parts}


NAMES: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"ana", "lind"}),
    frozenset({"bo", "lind"}),
    frozenset({"ana"}),
)


World = tuple[list[Node], list[Link]]


def world_of(seed: int) -> World:
    """A dozen handles and whatever was ever said about them. Made by hand: hundreds of them cost little."""
    chance = random.Random(seed)
    count = chance.randint(2, 12)
    nodes = []
    for n in range(1, count + 1):
        kind = chance.choice(KINDS)
        made = node(n, kind, platform=chance.choice(("tiktok_shop", "shopify")))
        nodes.append(
            replace(
                made,
                met=chance.random() < 0.6,
                ignored=chance.random() < 0.1,
                verified=kind == "email" and chance.random() < 0.3,
                name=chance.choice(NAMES),
            )
        )
    links = []
    for n in range(1, chance.randint(0, 18) + 1):
        a, b = chance.sample(range(1, count + 1), 2)
        kind = chance.choice(("order", "order", "sign_in", "claim", "cookie", "staff"))
        proof = kind == "staff" or (kind != "cookie" and chance.random() < 0.7)
        made_link = link(a, b, kind, proof=proof, day=chance.randint(0, 3), n=n)
        links.append(replace(made_link, revoked=chance.random() < 0.2))
    return nodes, links


worlds = st.integers(0, 2**32).map(world_of)


def renamed(nodes: list[Node], links: list[Link], chance: random.Random) -> World:
    """The same world as another database would hold it: other ids, another order, evidence said twice."""
    ids = {one.id: UUID(int=n) for n, one in enumerate(chance.sample(nodes, len(nodes)), 5000)}
    there = [replace(one, id=ids[one.id], home=ids[one.id]) for one in nodes]
    said = [
        replace(one, id=UUID(int=n), a=min(ids[one.a], ids[one.b]), b=max(ids[one.a], ids[one.b]))
        for n, one in enumerate([*links, *chance.sample(links, len(links) // 2)], 9000)
    ]
    chance.shuffle(said)
    chance.shuffle(there)
    return there, said


def by_key(graph: Graph, nodes: list[Node]) -> set[frozenset[str]]:
    keys = {one.id: one.key for one in nodes}
    return {frozenset(keys[one] for one in part) for part in graph.parts}


@settings(max_examples=200, deadline=None)
@given(worlds, st.integers(0, 2**32).map(random.Random))
def test_order_of_arrival_and_repetition_do_not_matter(world: World, chance: random.Random) -> None:
    nodes, links = world
    found = people(nodes, links)
    there, said = renamed(nodes, links, chance)
    again = people(there, said)
    assert by_key(found, nodes) == by_key(again, there)
    states = {one.key: found.states[one.id] for one in nodes}
    assert states == {one.key: again.states[one.id] for one in there}


@settings(max_examples=200, deadline=None)
@given(worlds, st.integers(1, 12), st.integers(1, 12))
def test_joining_and_taking_it_back_returns_the_same_people(world: World, a: int, b: int) -> None:
    nodes, links = world
    a, b = (a - 1) % len(nodes) + 1, (b - 1) % len(nodes) + 1
    before = people(nodes, links)
    if a == b:
        return
    joined = link(a, b, "staff", n=777)
    together = people(nodes, [*links, joined]).part_of()
    assert together[UUID(int=a)] == together[UUID(int=b)]
    assert people(nodes, [*links, replace(joined, revoked=True)]) == before


@settings(max_examples=100, deadline=None)
@given(worlds)
def test_everybody_is_exactly_one_person_and_no_two_are_the_same(
    world: World,
) -> None:
    nodes, links = world
    found = people(nodes, links)
    assert sorted(one for part in found.parts for one in part) == sorted(one.id for one in nodes)
    who = [one for one in persons(found.parts, {one.id: one for one in nodes}) if one]
    assert len(who) == len(set(who))
    homes = {one.home: one.id for one in nodes}
    part_of = found.part_of()
    for part, person in zip(found.parts, persons(found.parts, {one.id: one for one in nodes}), strict=True):
        # The oldest is kept, and nobody is called by a stranger's id.
        assert person == min(one.home for one in nodes if one.id in part)
        assert part_of[homes[person]] == part


def test_parted_people_of_one_home_get_a_second_one() -> None:
    one, two = node(1), replace(node(2), home=UUID(int=1001))
    parted = [frozenset({one.id}), frozenset({two.id})]
    assert persons(parted, {one.id: one, two.id: two}) == [UUID(int=1001), None]


def test_a_shops_order_ties_account_and_address_and_a_second_shop_joins() -> None:
    nodes = [node(1, "platform_user"), node(2, met=False), node(3, "platform_user", platform="shopify")]
    assert parts(people(nodes, [link(1, 2), link(2, 3)])) == {frozenset({1, 2, 3})}


def test_a_browser_lends_its_visits_and_joins_no_two_people() -> None:
    nodes = [node(1), node(2), node(3, "visitor", met=False)]
    links = [link(1, 3, "cookie", proof=False, day=1), link(2, 3, "cookie", proof=False)]
    assert parts(people(nodes, links)) == {frozenset({1}), frozenset({2, 3})}


def test_two_accounts_on_one_platform_wait_for_a_person() -> None:
    nodes = [node(1, "platform_user"), node(2, "platform_user"), node(3)]
    links = [link(1, 3, day=1), link(2, 3)]
    found = people(nodes, links)
    assert parts(found) == {frozenset({2, 3}), frozenset({1})}
    assert [(one.a.int, one.b.int) for one in found.held] == [(1, 3)]
    confirmed = people(nodes, [*links, link(1, 2, "staff")])
    assert parts(confirmed) == {frozenset({1, 2, 3})}
    assert not confirmed.held


@pytest.mark.parametrize(
    ("names", "platforms", "state"),
    [
        (({"ana", "lind"}, {"bo", "lind"}), ("tiktok_shop", "tiktok_shop"), "shared"),
        (({"ana", "lind"}, {"ana"}), ("tiktok_shop", "tiktok_shop"), "ok"),
        (({"ana", "lind"}, {"bo", "lind"}), ("tiktok_shop", "shopify"), "ok"),
        (({"ana"}, {"bo"}, {"cy"}), ("tiktok_shop", "shopify", "woocommerce"), "shared"),
    ],
)
def test_an_address_several_names_use_is_shared(
    names: tuple[set[str], ...], platforms: tuple[str, ...], state: str
) -> None:
    accounts = [
        node(n, "platform_user", platform=where, name=frozenset(name))
        for n, (name, where) in enumerate(zip(names, platforms, strict=True), 1)
    ]
    found = people([*accounts, node(9, met=False)], [link(n, 9) for n in range(1, len(accounts) + 1)])
    assert found.states[UUID(int=9)] == state
    if state == "shared":
        assert all(len(part) == 1 for part in found.parts)


@pytest.mark.parametrize("kind", ["email", "phone", "payment", "visitor", "platform_user"])
def test_a_key_of_more_than_five_is_nobodys(kind: str) -> None:
    others = "email" if kind == "platform_user" else "platform_user"
    for count, state in ((MOST_ACCOUNTS, "ok"), (MOST_ACCOUNTS + 1, "shared")):
        around = [
            node(n, others, **({"platform": f"shop{n}"} if others == "platform_user" else {}))
            for n in range(1, count + 1)
        ]
        links = [link(n, 50, proof=kind in ("email", "platform_user")) for n in range(1, count + 1)]
        assert people([*around, node(50, kind)], links).states[UUID(int=50)] == state


def test_a_typed_address_opens_nobodys_account() -> None:
    """Somebody orders in a shop with their own account and a stranger's address: both have signed in here."""
    nodes = [node(1, verified=True), node(2, verified=True), node(3, "platform_user")]
    found = people(nodes, [link(1, 3), link(2, 3, day=1)])
    assert parts(found) == {frozenset({1, 3}), frozenset({2})}
    assert len(found.held) == 1
    assert len(parts(people(nodes, [link(1, 3), link(1, 2, "sign_in")]))) == 1


def test_a_no_is_remembered_when_the_same_is_said_again() -> None:
    nodes = [node(1, "platform_user"), node(2)]
    no = replace(link(1, 2), revoked=True)
    assert len(people(nodes, [no, link(1, 2, day=5, n=55)]).parts) == 2
    assert len(people(nodes, [no, link(1, 2, "staff", n=56)]).parts) == 1


@pytest.mark.parametrize("strangers", [1, 2, 3, 6, MOST_STRANGERS, MOST_STRANGERS + 1])
@pytest.mark.parametrize("platforms", [1, 3])
def test_strangers_who_type_a_proved_address_take_nothing_of_its_owner(
    strangers: int, platforms: int
) -> None:
    """Two orders under two names made it everybody's, and parted the owner from what they had bought."""
    ana = frozenset({"ana", "lind"})
    own = [
        node(1, verified=True, name=ana),
        node(2, "platform_user", platform="shopify", name=ana),
        node(3, "platform_user", platform="tiktok_shop", name=frozenset({"ana"})),
    ]
    ties = [link(1, 2), link(1, 3, day=1)]
    for n in range(strangers):
        name = frozenset({f"somebody{n}", "else"})
        own.append(node(10 + n, "platform_user", platform=f"shop{n % platforms}", name=name))
        ties.append(link(1, 10 + n, day=2 + n))
    graph = people(own, ties)
    theirs = graph.part_of()[UUID(int=1)]
    if strangers > MOST_STRANGERS:
        assert graph.states[UUID(int=1)] == "shared"  # a reseller's own
        return
    assert graph.states[UUID(int=1)] == "ok"
    assert {UUID(int=n) for n in (1, 2, 3)} <= theirs
    if strangers > 1:  # staff are asked about each
        assert (len(theirs), len(graph.held)) == (3, strangers)
    # Nobody has proved it: it is as much the one's as the other's.
    unproved = people([replace(own[0], verified=False), *own[1:]], ties)
    assert (unproved.states[UUID(int=1)] == "shared") == (strangers > 1)
