"""Who is one person: a pure function over nodes and evidence. No database, no clock, no chance.

The same evidence gives the same people, in whatever order and however often it arrived: every choice below is
made by what the evidence says of itself (its kind, when it happened, where it comes from), never by when we
heard of it. The rules in words: `docs/identity.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

MOST_ACCOUNTS: Final = 5
"""A key that more accounts use than this is a role's, a reseller's or a shop counter's, and nobody's own."""
MOST_STRANGERS: Final = 20
"""So many accounts under other names can be kept away from a key whose owner has signed in with it. More of
them use it like a reseller's."""
RANKS: Final = {"sign_in": 0, "oauth": 1, "import": 2, "order": 3, "claim": 4, "cookie": 5}
"""Stronger kinds of evidence join first; where two can't both be true, the weaker waits for a person."""
KEYS: Final = frozenset({"email", "phone", "payment", "visitor"})
"""Handles that can be lent or shared. Accounts belong to one person."""
OWN: Final = "own"
"""The label of people who have signed in with us."""


@dataclass(frozen=True)
class Node:
    """A handle. `key`: kind and hash, the same wherever it is stored. `platform`: whose account it is.

    `ignored`: joins nobody by its nature. `verified`: its owner has signed in with it. `name`: the words of
    the name its owner gave last. `fixed`: the state it has, where not all that speaks of it is given.
    """

    id: UUID
    key: str
    kind: str
    home: UUID
    platform: str | None = None
    met: bool = True
    ignored: bool = False
    verified: bool = False
    name: frozenset[str] = frozenset()
    fixed: str | None = None


@dataclass(frozen=True)
class Link:
    """One piece of evidence. `revoked`: a person said no to it."""

    id: UUID
    a: UUID
    b: UUID
    kind: str
    proof: bool
    at: datetime
    source: tuple[str, str]
    revoked: bool = False

    @property
    def pair(self) -> frozenset[UUID]:
        """The two nodes, whichever way round."""
        return frozenset((self.a, self.b))


@dataclass(frozen=True)
class Graph:
    """`parts`: the people, as sets of nodes. `states`: of every node. `held`: proof that waits for staff."""

    parts: tuple[frozenset[UUID], ...]
    states: Mapping[UUID, str]
    held: tuple[Link, ...] = ()

    def part_of(self) -> dict[UUID, frozenset[UUID]]:
        """By node."""
        return {node: part for part in self.parts for node in part}


@dataclass
class Groups:
    """Union-find, with what each group has: accounts by platform, and `own` for who signed in."""

    labels: dict[UUID, frozenset[str]]
    parents: dict[UUID, UUID] = field(default_factory=dict)

    def root(self, node: UUID) -> UUID:
        """The group's first node."""
        while (up := self.parents.get(node, node)) != node:
            self.parents[node] = self.parents.get(up, up)
            node = up
        return node

    def clash(self, a: UUID, b: UUID) -> frozenset[str]:
        """What both groups have, and one person has once."""
        return self.labels[self.root(a)] & self.labels[self.root(b)]

    def join(self, a: UUID, b: UUID) -> None:
        """One group from now on."""
        first, second = self.root(a), self.root(b)
        if first != second:
            self.parents[second] = first
            self.labels[first] = self.labels[first] | self.labels[second]


def people(nodes: Iterable[Node], links: Iterable[Link]) -> Graph:
    """The people among `nodes`. Links to nodes that are not given are left out."""
    known = {node.id: node for node in nodes}
    given = [link for link in links if link.a in known and link.b in known and link.a != link.b]
    said = [link for link in given if link.kind == "staff" and not link.revoked]
    found = [link for link in given if link.kind != "staff"]
    no = {link.pair for link in found if link.revoked}
    found = sorted((link for link in found if link.pair not in no), key=lambda link: order_of(link, known))
    groups = Groups({node.id: labels_of(node) for node in known.values()})
    for link in said:
        groups.join(link.a, link.b)
    states, typed = states_of(known, found, groups)
    held = []
    for link in found:
        if not link.proof or states[link.a] != "ok" or states[link.b] != "ok":
            continue
        if groups.root(link.a) != groups.root(link.b):
            if link.pair in typed or excluded(link, groups.clash(link.a, link.b)):
                held.append(link)
            else:
                groups.join(link.a, link.b)
    attach(known, found, states, groups)
    parts: dict[UUID, set[UUID]] = {}
    for node_id in known:
        parts.setdefault(groups.root(node_id), set()).add(node_id)
    people_found = tuple(sorted((frozenset(part) for part in parts.values()), key=min))
    apart = tuple(link for link in held if groups.root(link.a) != groups.root(link.b))
    return Graph(people_found, states, apart)


def order_of(link: Link, known: Mapping[UUID, Node]) -> tuple[object, ...]:
    """Strongest and oldest first. Only what the evidence itself says: ids of ours depend on its arrival."""
    ends = sorted((known[link.a].key, known[link.b].key))
    return (not link.proof, RANKS[link.kind], link.at, link.source, ends)


def labels_of(node: Node) -> frozenset[str]:
    """Of what one person has one, until a person says otherwise."""
    if node.kind == "platform_user" and node.platform and node.met:
        return frozenset({node.platform})
    if node.verified and not node.ignored:
        return frozenset({OWN})
    return frozenset()


def excluded(link: Link, clash: frozenset[str]) -> bool:
    """Whether evidence must wait for a person.

    Two accounts on one platform may be two people. Two who signed in with us may be as well: anybody can type
    another's address into a shop, and must not get at their cards by it.
    """
    if link.kind == "import":
        return False
    return bool(clash - {OWN}) or (OWN in clash and link.kind not in ("sign_in", "oauth"))


def states_of(
    known: Mapping[UUID, Node], links: Sequence[Link], groups: Groups
) -> tuple[dict[UUID, str], set[frozenset[UUID]]]:
    """Which nodes are somebody's own, which are shared, and which are nobody's by their nature; and which
    pairs stay apart because one only typed what is the other's.

    A key that its owner has signed in with can't be made everybody's by strangers who type it: whoever did so
    under another name is kept away from it instead.
    """
    around: dict[UUID, dict[UUID, Node]] = {node_id: {} for node_id in known}
    for link in links:
        for one, other in ((link.a, link.b), (link.b, link.a)):
            weak = known[one].kind in ("visitor", "payment")
            if link.proof or weak or (known[one].kind == "phone" and known[other].kind != "visitor"):
                around[one][other] = known[other]
    found: dict[UUID, str] = {}
    typed: set[frozenset[UUID]] = set()
    for node_id, node in known.items():
        others = [*around[node_id].values()]
        shared = crowded(node, others, groups)
        strangers = [other for other in others if contradicts(node, other)]
        if shared and not node.fixed and 0 < len(strangers) <= MOST_STRANGERS:
            shared = crowded(node, [other for other in others if other not in strangers], groups)
            typed |= set() if shared else {frozenset((node_id, other.id)) for other in strangers}
        found[node_id] = node.fixed or ("ignored" if node.ignored else "shared" if shared else "ok")
    return found, typed


def crowded(node: Node, others: Sequence[Node], groups: Groups) -> bool:
    """Whether those who use a node are too many, or too different, to be one person."""
    by_person: dict[UUID, list[Node]] = {}
    for other in others:
        # What staff have confirmed to be one counts once.
        by_person.setdefault(groups.root(other.id), []).append(other)
    return len(by_person) > MOST_ACCOUNTS or (node.kind in KEYS and several([*by_person.values()]))


def contradicts(key: Node, account: Node) -> bool:
    """Whether an account has another name than who signed in with a key."""
    proved = key.verified and key.kind in KEYS and bool(key.name)
    return proved and bool(account.platform and account.name) and len(distinct([key.name, account.name])) > 1


def several(accounts: Sequence[Sequence[Node]]) -> bool:
    """Whether different names say that a key is used by several people.

    Two accounts on one platform with two names, or three accounts with three names anywhere. A name that is
    a part of another ("Ana", "Ana Lind") is no second one.
    """
    named = [(node.platform, node.name) for group in accounts for node in group if node.platform]
    if len(accounts) >= 3 and len(distinct([name for _, name in named])) >= 3:
        return True
    platforms = {platform for platform, _ in named}
    return any(len(distinct([name for where, name in named if where == one])) >= 2 for one in platforms)


def distinct(names: Sequence[frozenset[str]]) -> set[frozenset[str]]:
    """Names that are no part of another."""
    return {name for name in names if name and not any(name < other for other in names)}


def attach(
    known: Mapping[UUID, Node], links: Sequence[Link], states: Mapping[UUID, str], groups: Groups
) -> None:
    """What was only mentioned belongs to whom it was mentioned by first. It never joins two people.

    A browser, a card, a phone that nobody signed in with: they lead to one person and lend them their visits.
    """
    size: dict[UUID, int] = {}
    for node_id in known:
        size[groups.root(node_id)] = size.get(groups.root(node_id), 0) + 1
    loose = {
        node.id
        for node in known.values()
        if not node.met and states[node.id] == "ok" and size[groups.root(node.id)] == 1
    }
    chosen: dict[UUID, UUID] = {}
    for link in links:
        for one, other in ((link.a, link.b), (link.b, link.a)):
            if one in loose and other not in loose and known[other].kind != "visitor":
                chosen.setdefault(one, other)
    for one, other in chosen.items():
        groups.join(other, one)


def persons(parts: Sequence[frozenset[UUID]], nodes: Mapping[UUID, Node]) -> list[UUID | None]:
    """Which person each part is: the oldest its nodes were made with. None where a new one has to be made.

    A person that was two before is the older one; who is parted again is who they were.
    """
    homes = [sorted({nodes[node].home for node in part}) for part in parts]
    firsts = [min(node for node in part if nodes[node].home == homes[i][0]) for i, part in enumerate(parts)]
    taken: dict[UUID, int] = {}
    # Of two who were one, the one who has no other home keeps it.
    for i in sorted(range(len(parts)), key=lambda i: (homes[i][0], len(homes[i]), firsts[i])):
        taken.setdefault(homes[i][0], i)
    for i in range(len(parts)):
        if i not in taken.values():
            free = next((home for home in homes[i] if home not in taken), None)
            if free:
                taken[free] = i
    by_part = {i: home for home, i in taken.items()}
    return [by_part.get(i) for i in range(len(parts))]
