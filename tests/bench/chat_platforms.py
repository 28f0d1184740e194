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
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from hub.demo.fakes import Standing
from tests.hub.platforms import platform_with

Doors = dict[str, tuple[Standing, Starlette]]


@asynccontextmanager
async def doors(names: tuple[str, ...]) -> AsyncIterator[Doors]:
    """All fakes, running here."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(platform_with(name)) for name in names}


def door(app: Starlette) -> Callable[[Request], Awaitable[Response]]:
    """Where the fake is told what a viewer says. Called without router and middlewares: what is measured is
    not the cost of the platforms, which share our cores only here."""
    return next(one.endpoint for one in app.routes if isinstance(one, Route) and one.path == "/_ctl/chat")


async def say(tell: Callable[[Request], Awaitable[Response]], said: dict[str, Any]) -> None:
    """Have a viewer say something."""
    body = json.dumps(said).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    answer = await tell(Request({"type": "http", "method": "POST", "headers": []}, receive))
    if answer.status_code >= 400:
        raise RuntimeError(f"the fake answered {bytes(answer.body)!r}")


async def talk(name: str, app: Starlette, rate: float, seconds: float, run: int) -> int:
    """`rate` messages a second, whether or not anybody keeps up."""
    tell, count, began = door(app), int(rate * seconds), time.monotonic()
    for number in range(count):
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        author = number % 97
        # The time is no number: with the one before it, it could be a card's, which nobody gets to see.
        text = f"{run} {name} {number} x{time.monotonic_ns():x}"
        await say(tell, {"author": f"Ana {author}", "author_id": f"ana{author}", "text": text})
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
    uvloop.run(main(tuple(sys.argv[1:])))
