"""Removal effects: how much of all orders a channel is needed for, by a Markov chain of order 1.

States are START, the channels, ORDER and NOTHING; the moves between them are counted over the ways of all
people, those who ordered and those who didn't (sql/moves.sql). Taking a channel out sends whoever would come
to it to NOTHING. Once somebody has come to channel i they order with probability h(i), whatever was before:

    P(order without i) = P(order) - P(ever at i) * h(i),   P(ever at i) = N[START, i] / N[i, i]

with N = (I - Q)^-1, the expected visits. One inversion gives all effects; taking each channel out and solving
again gives the same (the tests do that).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FEWEST_WAYS: Final = 1000
"""With fewer ways the effects are noise; linear is used, and said."""
MOST_STATES: Final = 120
"""Busiest channels with a state of their own; all the rest share one. Bounds the inversion to a second."""
REST: Final = ""
"""The state of all the rest; no channel is called that."""

Move = tuple[str | None, str | None, bool | None, int]
"""From (None: START), to (None: the end), whether that was an order, how often."""


def effects(moves: Sequence[Move]) -> dict[str, float]:
    """Removal effect of each channel, 0 to 1: the part of all orders that would be lost without it."""
    if not moves:
        return {}
    state_of = states(moves)
    names = sorted({*state_of.values()})
    places = {name: place for place, name in enumerate([None, *names])}
    size = len(places)
    moved = [[0.0] * size for _ in range(size)]
    ordered, leaving = [0] * size, [0] * size
    for here, there, bought, times in moves:
        # Channels that share a state: going from one to another of them is staying.
        place = places[None if here is None else state_of[here]]
        leaving[place] += times
        if there is not None:
            moved[place][places[state_of[there]]] += times
        elif bought:
            ordered[place] += times
    chances = [count / all_of_it for count, all_of_it in zip(ordered, leaving, strict=True)]
    visits = inverse([[(i == j) - moved[i][j] / leaving[i] for j in range(size)] for i in range(size)])
    reach = [sum(a * b for a, b in zip(row, chances, strict=True)) for row in visits]
    if reach[0] <= 0:
        return dict.fromkeys(state_of, 0.0)
    by_state = {
        name: visits[0][places[name]] / visits[places[name]][places[name]] * reach[places[name]] / reach[0]
        for name in names
    }
    return {channel: by_state[state] for channel, state in state_of.items()}


def states(moves: Sequence[Move]) -> dict[str, str]:
    """The state of each channel: its own, or the one for all the rest."""
    busy: dict[str, int] = {}
    for _, there, _, times in moves:
        if there is not None:
            busy[there] = busy.get(there, 0) + times
    ranked = sorted(busy, key=lambda channel: (-busy[channel], channel))
    return {channel: channel if rank < MOST_STATES else REST for rank, channel in enumerate(ranked)}


def ways(moves: Sequence[Move]) -> int:
    """How many ways were counted."""
    return sum(times for here, _, _, times in moves if here is None)


def inverse(matrix: list[list[float]]) -> list[list[float]]:
    """By Gauss and Jordan, with the largest pivot. I - Q is never singular: every state leads to an end."""
    size = len(matrix)
    rows = [row + [1.0 if i == j else 0.0 for j in range(size)] for i, row in enumerate(matrix)]
    for column in range(size):
        best = max(range(column, size), key=lambda i: abs(rows[i][column]))
        rows[column], rows[best] = rows[best], rows[column]
        pivot = rows[column][column]
        rows[column] = chosen = [value / pivot for value in rows[column]]
        for i in range(size):
            factor = rows[i][column]
            if i != column and factor:
                rows[i] = [a - factor * b for a, b in zip(rows[i], chosen, strict=True)]
    return [row[size:] for row in rows]
