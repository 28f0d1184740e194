"""Accounts and shows whose connector is gone; and how often the database is asked for what a page shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.engine import Engine

from connectors.types import ChatMessage
from hub.connections.gone import WORDS
from tests.hub.connections.conftest import NAME, Bench
from tests.hub.site import Client


async def keyed(who: Client, number: int) -> str:
    """A place with a stream key."""
    config = {"url": f"rtmps://live{number}.example.com/app", "key": f"key-{number}"}
    body = {"connector": "keyed", "name": f"Keyed {number}", "config": config}
    return str((await who.call("POST", "/api/v1/connections", body, ok=201))["id"])


async def test_an_account_of_a_connector_that_is_gone_is_listed_and_can_be_removed(bench: Bench) -> None:
    owner = await bench.member()
    row = await bench.linked(owner)
    other = await keyed(owner, 1)
    show = await bench.show(owner, row["id"], None)
    await owner.call("POST", f"/api/v1/shows/{show}/targets", {"connection_id": other}, ok=201)
    targets = (await owner.call("GET", f"/api/v1/shows/{show}"))["targets"]
    ids = {one["connector"]: one["id"] for one in targets}
    pair = {"pairs": [{"source": "own", "into": ids[NAME]}]}
    await owner.call("PUT", f"/api/v1/shows/{show}/relay", pair, ok=204)

    links = bench.hub.connections
    links.connectors = {name: one for name, one in links.connectors.items() if name != NAME}
    bench.hub.relay.connectors = links.connectors
    shown = await bench.shown(owner, row["id"])
    assert (shown["state"], shown["reason"], shown["title"]) == ("gone", WORDS, "Template")
    assert (shown["capabilities"], shown["app_known"], shown["settings"]) == ([], False, {})
    # What else is there goes on: shows that were sent there, their chats, alarms, and other accounts.
    for path in ("", "/voices", "/relay"):
        await owner.call("GET", f"/api/v1/shows/{show}{path}")
    await owner.call("POST", f"/api/v1/shows/{show}/preview", {"title": "Another"})
    said = {UUID(ids["keyed"]): [ChatMessage(id="m1", text="hello")]}
    async with bench.hub.db.session() as session:
        await bench.hub.chat.receive_all(session, UUID(show), said)
    assert await owner.call("GET", "/api/v1/alarms") == []
    await links.renew_due()
    await owner.call("DELETE", f"/api/v1/connections/{other}", ok=204)
    again = {"connector": NAME, "name": "Again", "config": bench.app}
    refused = await owner.call("POST", "/api/v1/connections", again, ok=422)
    assert refused["code"] == "connector_unknown"

    await owner.call("DELETE", f"/api/v1/connections/{row['id']}", ok=204)
    assert await owner.call("GET", "/api/v1/connections") == []
    rows = await bench.market.sql("SELECT config_sealed, tokens_sealed FROM connection")
    assert [(bytes(one["config_sealed"]), one["tokens_sealed"]) for one in rows] == [(b"", None)] * 2


@contextmanager
def questions() -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_a_show_with_many_targets_asks_the_database_no_more_than_one_with_one(bench: Bench) -> None:
    owner = await bench.member()
    show = await bench.show(owner, await keyed(owner, 0), None)
    counts = []
    for more in (0, 4):
        for number in range(1, more + 1):
            body = {"connection_id": await keyed(owner, number)}
            await owner.call("POST", f"/api/v1/shows/{show}/targets", body, ok=201)
        with questions() as asked:
            targets = (await owner.call("GET", f"/api/v1/shows/{show}"))["targets"]
        assert [bool(one["key_expires_at"]) for one in targets] == [True] * (more + 1)
        counts.append(len(asked))
    assert counts[0] == counts[1] > 5
