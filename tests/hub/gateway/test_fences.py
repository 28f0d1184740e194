"""Who hears what, for every kind of news in the code: found there, so that none is forgotten."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hub
from hub.bus import Audience, Event
from hub.gateway.room import Room
from tests.hub.gateway.test_room import inside

FOR_EVERYBODY = {
    "message.added",
    "message.deleted",
    "message.hidden",
    "message.shown",
    "messages.skipped",
    "offer.changed",
    "offer.counted",
    "playback.changed",
    "product.changed",
    "product.highlighted",
    "show.changed",
    "stock.changed",
}
"""Before a kind is added here: may each viewer of a show read all of its data?"""
FOR_ONE = {"claim.answered", "order.changed", "waitlist.offered"}
"""Their data name the viewer."""


PAST = re.compile(r"[a-z]+\.([a-z]+ed|hidden|shown)")
"""What kinds look like; jobs are imperative."""


def announced() -> Iterator[tuple[str, Audience]]:
    """(kind, audience) of every event that is made anywhere in the hub, and perhaps some more."""
    for path in Path(hub.__file__).parent.rglob("*.py"):
        if {"demo", "gateway"} & {*path.parts}:
            continue
        module = ast.parse(path.read_text())
        for said in (fields(node) for node in ast.walk(module)):
            if {"kind", "show_id"} <= said.keys():
                kinds = texts(said["kind"]) or assigned(module, said["kind"]) or texts(module)
                audiences = (
                    texts(said["audience"]) or {"viewer", "staff"} if "audience" in said else {"viewer"}
                )
                for kind in filter(PAST.fullmatch, kinds):
                    yield from ((kind, "staff" if one == "staff" else "viewer") for one in audiences)


def fields(node: ast.AST) -> dict[str, ast.expr]:
    """What `Event(…)`, or `Event.model_validate({…})`, is given."""
    match node:
        case ast.Call(func=ast.Name(id="Event"), keywords=words):
            return {word.arg: word.value for word in words if word.arg}
        case ast.Call(func=ast.Attribute(value=ast.Name(id="Event")), args=[ast.Dict() as given]):
            pairs = zip(given.keys, given.values, strict=True)
            return {str(ast.literal_eval(key)): value for key, value in pairs if key}
    return {}


def assigned(module: ast.Module, name: ast.expr) -> set[str]:
    """The texts a variable may be."""
    return {
        text
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        and ast.dump(node.targets[0]).startswith(ast.dump(name).split(", ctx")[0])
        for text in texts(node.value)
    }


def texts(value: ast.AST) -> set[str]:
    """Every text in there."""
    return {
        node.value for node in ast.walk(value) if isinstance(node, ast.Constant) and type(node.value) is str
    }


async def test_viewers_hear_what_is_for_them_and_staff_hear_everything() -> None:
    found = set(announced())
    assert {("message.added", "viewer"), ("message.added", "staff"), ("order.changed", "viewer")} <= found
    public = {kind for kind, audience in found if audience == "viewer"}
    assert public <= FOR_EVERYBODY | FOR_ONE, "Is this for viewers? Then say so in this test."
    room, show = Room(seq=0), uuid4()
    (_, ana), (_, bo), (_, staff) = inside(room, "ana"), inside(room, "bo"), inside(room, None)
    # Both audiences for each kind: a publisher that gets it wrong is no reason to tell.
    for kind, audience in sorted(found):
        data = {"whose": audience} | ({"viewer_id": "ana"} if kind in FOR_ONE else {})
        room.hear(Event(show_id=show, kind=kind, audience=audience, data=data))
    room.hear(Event(show_id=show, kind="last.word"))
    await asyncio.gather(*(screen.hears("last.word") for screen in (ana, bo, staff)))
    heard = {
        name: {(one["kind"], one["data"].get("whose")) for frame in screen.frames[1:] for one in frame}
        for name, screen in (("ana", ana), ("bo", bo), ("staff", staff))
    }
    last = {("last.word", None)}
    assert heard["staff"] == found | last
    assert heard["ana"] == {(kind, "viewer") for kind in public} | last
    assert heard["bo"] == {(kind, "viewer") for kind in public - FOR_ONE} | last


async def test_news_that_name_a_viewer_are_never_for_all_whatever_their_kind() -> None:
    room, show = Room(seq=0), uuid4()
    (_, ana), (_, bo) = inside(room, "ana"), inside(room, "bo")
    room.hear(Event(show_id=show, kind="brand.new", seq=1, data={"viewer_id": "ana"}))
    room.hear(Event(show_id=show, kind="message.added", seq=2))
    await asyncio.gather(ana.hears("message.added"), bo.hears("message.added"))
    assert (ana.seqs(), bo.seqs()) == ([1, 2], [2])
    # Neither live nor afterwards.
    assert inside(room, "bo", after=0)[1].seqs() == [2]
    assert inside(room, "ana", after=0)[1].seqs() == [1, 2]


async def test_staff_news_that_name_a_viewer_stay_with_staff() -> None:
    room, show = Room(seq=0), uuid4()
    (_, ana), (_, staff) = inside(room, "ana"), inside(room, None)
    room.hear(Event(show_id=show, kind="order.changed", audience="staff", data={"viewer_id": "ana"}))
    room.hear(Event(show_id=show, kind="last.word"))
    await asyncio.gather(ana.hears("last.word"), staff.hears("last.word"))
    assert "order.changed" in staff.kinds()
    assert "order.changed" not in ana.kinds()
