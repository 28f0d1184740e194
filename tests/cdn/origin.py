"""A media worker's playback, fed in real time, that counts what it is asked.

`python -m tests.cdn.origin PART_MS SECONDS`: prints its port. Two shows of one feed: `evening` is for
everybody, but plays on https://shop.example alone, and `private` needs a token. `GET /counts` says what was
asked so far and when each part was there; `GET /token?jti=NAME` gives a token
for `private`, with these claims.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Final
from urllib.parse import parse_qs

from pydantic import SecretStr

from restream.api import PlaybackSpec
from restream.hls import asgi
from restream.hls.bell import Waiting
from restream.hls.origin import Origin
from restream.hls.respond import Answer, Receive, Request, Scope, Send, respond
from restream.playback.doorkeeper import Doorkeeper
from restream.serving import serving
from tests.restream.hls.feed import Shape, Studio, synthetic
from tests.restream.playback.passes import Signer

SECRET: Final = "q7" * 10
FPS: Final = 30


class House:
    """Both shows."""

    def __init__(self, part_ms: int) -> None:
        self.signer = Signer()
        self.studios = {slug: Studio(part_ms) for slug in ("evening", "private")}
        self.studios["private"].renditions.door = f"{SECRET}/"
        self._rules = {
            "evening": PlaybackSpec(origins=["https://shop.example"]),
            "private": PlaybackSpec(
                policy="signed", keys=[self.signer.public], path_secret=SecretStr(SECRET)
            ),
        }
        self._door = Doorkeeper(self._rules.get)
        self._origin = Origin(lambda slug: s.renditions if (s := self.studios.get(slug)) else None)
        self.asked: Counter[str] = Counter()
        self.there: dict[str, float] = {}

    def resolve(self, request: Request) -> Answer | Waiting | None:
        """As `restream.public` does it."""
        return self.playback(request) if request.path.startswith("/live/") else None

    def playback(self, request: Request) -> Answer | Waiting:
        """A GET or HEAD."""
        self.asked[f"{request.method} {request.path}?{request.query.decode()}"] += 1
        return self._door.refusal(request) or self._origin.resolve(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The test's own questions, and what does not come by GET."""
        if scope["path"].startswith("/live/") and scope["method"] in ("GET", "HEAD"):
            await asgi.serve(self.playback, scope, receive, send)
            return
        if scope["path"] == "/counts":
            said = json.dumps({"asked": self.asked, "there": self.there})
        elif scope["path"] == "/token":
            now = time.time()
            wanted = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
            said = self.signer.token(sub="private", iat=now, exp=now + 600, **wanted)
        else:
            headers = [f"{name.decode()}: {value.decode('latin-1')}" for name, value in scope["headers"]]
            said = json.dumps({"path": scope["path"], "method": scope["method"], "headers": headers})
        await respond(send, Answer(200, "application/json", "no-store", (said.encode(),)), with_body=True)

    async def feed(self, seconds: float) -> None:
        """Publish to both, in real time."""
        began = time.monotonic()
        frames = tuple(synthetic(Shape(), 48_000, FPS, seconds))
        shows = {slug: studio.publish(frames) for slug, studio in self.studios.items()}
        for frame in frames:
            await asyncio.sleep(began + frame.dts / 1000 - time.monotonic())
            for slug, steps in shows.items():
                next(steps)
                number, part = self.studios[slug].timeline.newest
                self.there.setdefault(f"{slug} {number}.{part}", time.time())


async def run(part_ms: int, seconds: float) -> None:
    """Until the feed is over."""
    house = House(part_ms)
    async with serving(house, "127.0.0.1", 0, house.resolve) as port:
        print(port, flush=True)
        await house.feed(seconds)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), float(sys.argv[2])))
