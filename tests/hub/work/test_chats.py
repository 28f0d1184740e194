"""Chats of live shows: merged once, answered truthfully, and alive through expired logins."""

from __future__ import annotations

from tests.hub.platforms import until
from tests.hub.work.conftest import Begin, Evening


async def test_messages_of_two_platforms_arrive_once_in_one_feed(begin: Begin) -> None:
    evening = await begin("youtube", "facebook")
    await evening.go_live()
    await until(lambda: chats_are(evening, "connected"))
    for name in ("youtube", "facebook"):
        said = {"author": "Ana", "author_id": f"{name}-ana", "text": f"hello from {name}"}
        await evening.fakes[name].control("chat", said)
    await evening.fakes["youtube"].control("fault", {"kind": "repeat"})
    await evening.fakes["youtube"].control("chat", {"author": "Bo", "author_id": "bo", "text": "more"})

    async def all_here() -> bool:
        return len(await evening.words()) >= 3

    await until(all_here)
    assert sorted(await evening.words()) == [
        ("facebook", "hello from facebook"),
        ("youtube", "hello from youtube"),
        ("youtube", "more"),
    ]


async def test_a_reply_reaches_each_platform_once_and_is_confirmed_by_its_echo(begin: Begin) -> None:
    evening = await begin("youtube", "facebook")
    await evening.go_live()
    await until(lambda: chats_are(evening, "connected"))
    path = f"/api/v1/shows/{evening.show_id}/messages"
    sent = await evening.owner.call("POST", path, {"text": "Yes, real leather.", "to": "all"}, ok=202)

    async def arrived() -> bool:
        messages = (await evening.snapshot())["messages"]
        [reply] = [m for m in messages if m["id"] == sent["id"]]
        states = {d["platform"]: d["state"] for d in reply["deliveries"]}
        return states == {"own": "confirmed", "youtube": "confirmed", "facebook": "confirmed"}

    await until(arrived)
    assert await evening.words() == [("own", "Yes, real leather.")]


async def test_an_expired_token_is_refreshed_and_no_message_is_lost(begin: Begin) -> None:
    evening = await begin("youtube")
    await evening.go_live()
    await until(lambda: chats_are(evening, "connected"))
    await evening.fakes["youtube"].control("fault", {"kind": "expire_token"})
    await evening.fakes["youtube"].control("chat", {"author": "Bo", "author_id": "bo", "text": "still here"})

    async def heard() -> bool:
        return ("youtube", "still here") in await evening.words()

    await until(heard)
    [connection] = await evening.owner.call("GET", "/api/v1/connections")
    assert connection["state"] == "ok"


async def test_a_dead_login_is_said_and_linking_again_brings_the_chat_back(begin: Begin) -> None:
    evening = await begin("youtube", "facebook")
    await evening.go_live()
    await until(lambda: chats_are(evening, "connected"))
    await evening.fakes["youtube"].control("fault", {"kind": "revoke"})

    async def complained() -> bool:
        states = {c["connector"]: c["state"] for c in await evening.owner.call("GET", "/api/v1/connections")}
        return states == {"youtube": "reconnect", "facebook": "ok"}

    await until(complained)
    chats = {chat["platform"]: chat["state"] for chat in (await evening.snapshot())["chats"]}
    assert chats["facebook"] == "connected"


async def chats_are(evening: Evening, state: str) -> bool:
    chats = (await evening.snapshot())["chats"]
    return bool(chats) and all(chat["state"] == state for chat in chats)
