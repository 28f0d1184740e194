"""Says things in a show at a fixed rate, whatever becomes of them.

`python -m tests.bench.gateway_publisher WHERE SHOW FIRST COUNT RATE`; WHERE is nats://… or http://…/pub. A
publisher that waited for answers would slow down with its server, and hide what the server does to people.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import nats

from hub.bus import Event

VOCABULARY: Final = (
    "is the blue one still there in size would take two and my sister asks for green thanks what about "
    "delivery to Spain how long does it need please show lining again love that colour wow mine just came "
    "yesterday perfect bag price after code works not me sold out already when back stock anyone else sees "
    "no sound here hello from Lisbon Berlin Paris tonight great Maria leather strap pocket phone fits really"
)
WORDS: Final = tuple(VOCABULARY.split())
TEXT: Final = 26
"""Words of a message, on average."""


def text(number: int) -> str:
    """What somebody says: others each time, or deflating it would be too easy."""
    chance = random.Random(number)
    return " ".join(chance.choices(WORDS, k=chance.randint(TEXT - 14, TEXT + 14)))


def event(show: UUID, number: int, due: int) -> Event:
    """One message of some 300 bytes, with the moment it was due (monotonic nanoseconds)."""
    chance = random.Random(-number)
    author = {
        "id": f"UC{chance.getrandbits(88):022x}",
        "name": f"{chance.choice(WORDS)}{chance.randrange(1000)}",
    }
    said = {"t": due, "id": str(UUID(int=chance.getrandbits(128))), "author": author, "text": text(number)}
    return Event(show_id=show, kind="message.added", seq=number, data=said)


async def keep_time(first: int, count: int, rate: float, say: Callable[[int, int], None]) -> None:
    """Call `say` with each number when it is due."""
    began = time.monotonic_ns() + 100_000_000
    for number in range(count):
        due = began + int(number / rate * 1e9)
        wait = (due - time.monotonic_ns()) / 1e9
        if wait > 0:
            await asyncio.sleep(wait)
        say(first + number, due)


async def over_nats(where: str, show: UUID, first: int, count: int, rate: float) -> None:
    """As the hub's own processes do."""
    client = await nats.connect(where)
    loop, saying = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def say(number: int, due: int) -> None:
        news = event(show, number, due)
        task = loop.create_task(client.publish(news.subject(), news.model_dump_json().encode()))
        saying.add(task)
        task.add_done_callback(saying.discard)

    await keep_time(first, count, rate, say)
    await client.drain()


async def over_http(where: str, show: UUID, first: int, count: int, rate: float) -> None:
    """One request after the other on one connection, without waiting for answers."""
    parts = urlsplit(where)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

    async def read_answers() -> None:
        answered = 0
        while answered < count and (line := await reader.readline()):
            answered += line.startswith(b"HTTP/1.1 ")

    answers = asyncio.create_task(read_answers())

    def say(number: int, due: int) -> None:
        body = event(show, number, due).model_dump_json().encode()
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)

    await keep_time(first, count, rate, say)
    await answers
    writer.close()


def main() -> None:
    """Say it."""
    where, show, first, count, rate = sys.argv[1:]
    publish = over_nats if where.startswith("nats") else over_http
    asyncio.run(publish(where, UUID(show), int(first), int(count), float(rate)))


if __name__ == "__main__":
    main()
