"""The platforms of the chat benchmark: fakes on real sockets, and viewers who talk in all of them at once.

`python -m tests.bench.chat_platforms` prints how to reach the fakes as one line of JSON; then each line on
standard input, {"rates": {platform: per second}, "seconds", "run"}, makes viewers talk at an even pace, open
loop, and is answered by {platform: how many were said}. Each message says when it was said, by the clock that
all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from hub.demo.fakes import Standing
from tests.hub.platforms import platform_with

Doors = dict[str, tuple[Standing, ASGIApp]]


@asynccontextmanager
async def doors(names: tuple[str, ...]) -> AsyncIterator[Doors]:
    """All fakes, running here."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(platform_with(name)) for name in names}


async def say(app: ASGIApp, said: dict[str, Any]) -> None:
    """Have a viewer say something, without the cost of a connection of their own."""
    body = json.dumps(said).encode()
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/_ctl/chat",
        "raw_path": b"/_ctl/chat",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json")],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    answer: dict[str, Any] = {}

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answer.update(message)

    await app(scope, receive, send)
    if answer.get("status", 500) >= 400:
        raise RuntimeError(f"the fake answered {answer}")


async def talk(name: str, app: ASGIApp, rate: float, seconds: float, run: int) -> int:
    """`rate` messages a second, whether or not anybody keeps up."""
    count, began = int(rate * seconds), time.monotonic()
    for number in range(count):
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        author = number % 97
        text = f"{run} {name} {number} {time.monotonic_ns()}"
        await say(app, {"author": f"Ana {author}", "author_id": f"ana{author}", "text": text})
    return count


async def main(names: tuple[str, ...]) -> None:
    """Until standard input ends."""
    async with doors(names) as opened:
        told = {
            name: {"base_url": one.base_url, "config": one.config, "tokens": one.tokens}
            for name, (one, _) in opened.items()
        }
        print(json.dumps(told), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            wish = json.loads(line)
            counts = await asyncio.gather(
                *(
                    talk(name, opened[name][1], rate, wish["seconds"], wish["run"])
                    for name, rate in wish["rates"].items()
                )
            )
            print(json.dumps(dict(zip(wish["rates"], counts, strict=True))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(tuple(sys.argv[1:])))
