"""Chats of live shows: merged once, answered truthfully, and alive through expired logins."""

from __future__ import annotations

import asyncio
import time

from hub.engines.process import Child
from hub.engines.supervisor import Service, Supervisor
from tests.hub.platforms import until
from tests.hub.work.conftest import Begin, Evening
from tests.hub.work.process import work_process


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
    wish = {"text": "Yes, real leather.", "to": "all", "key": "one-click-or-two"}
    sent, again = await asyncio.gather(*(evening.owner.call("POST", path, wish, ok=202) for _ in range(2)))
    assert sent["id"] == again["id"]

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


async def test_a_killed_workers_chats_resume_within_15_seconds_with_nothing_twice_and_every_gap_told(
    begin: Begin,
) -> None:
    """YouTube's chat says where to go on; Twitch's tells only what is said from now on, so that has a gap."""
    evening = await begin("youtube", "twitch", work=False)
    talk = Talk(evening)
    async with Supervisor() as up:
        work = await up.add(Service("work", lambda: work_process(evening.settings, evening.environ)))
        await until(lambda: is_working(work), 60)
        await evening.go_live()
        await until(lambda: chats_are(evening, "connected"), 40)
        await talk.say("before")
        await until(lambda: talk.heard("before"))
        work.kill()
        died = time.monotonic()
        await work.wait()
        await talk.say("meanwhile")
        await until(lambda: is_working(work, 2), 90)
        restarted = time.monotonic() - died
        await until(lambda: talk.said_and_heard("after"), 60)
        took = time.monotonic() - died
    words = [
        (m["platform"], m["text"]) for m in (await evening.snapshot())["messages"] if m["kind"] == "text"
    ]
    youtube = [text for platform, text in words if platform == "youtube"]
    twitch = [text for platform, text in words if platform == "twitch"]
    assert youtube[:2] == ["before", "meanwhile"]
    assert "meanwhile" not in twitch
    assert len(set(words)) == len(words)
    [gap] = [m for m in (await evening.snapshot())["messages"] if m["kind"] == "gap"]
    assert gap["platform"] == "twitch"
    assert gap["at"] < gap["received_at"]
    # Where a process starts within three seconds, as on a machine that does nothing else.
    assert took < 15 + max(0.0, restarted - 3)


async def is_working(child: Child, starts: int = 1) -> bool:
    return child.log.read_text().count("work.ready") == starts


class Talk:
    """Says things on every platform, each once."""

    def __init__(self, evening: Evening) -> None:
        self._evening = evening
        self._count = 0

    async def say(self, words: str) -> None:
        for fake in self._evening.fakes.values():
            await fake.control("chat", {"author": "Ana", "author_id": "ana", "text": words})

    async def heard(self, words: str) -> bool:
        said = await self._evening.words()
        return all((name, words) in said for name in self._evening.fakes)

    async def said_and_heard(self, words: str) -> bool:
        """Whoever is not listening yet hears nothing, so it is said again in other words until all do."""
        self._count += 1
        await self.say(f"{words} {self._count}")
        said = await self._evening.words()
        return all(any(p == name and words in text for p, text in said) for name in self._evening.fakes)
