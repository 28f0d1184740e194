"""What fakes of several platforms share: webhooks that go wrong on demand, and books of what they heard.

Part of the boundary, for `connectors/<name>/fake*.py` alone. How a platform signs and words is its own.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.errors import ConnectorError
from connectors.http import Http

PAUSES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Seconds between attempts; the real ones stretch over a day and more."""
STALE_SECONDS: Final = 1.0
"""How much later a stale delivery comes again; the real ones, up to days."""


class Sender:
    """Sends webhooks in tasks of its own, a few at a time, over one client that is kept.

    A client for each delivery would cost more than the delivery. Whoever starts it closes it.
    """

    def __init__(self, at_once: int = 8) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(at_once)
        self._http: Http | None = None

    @property
    def waiting(self) -> int:
        """How many are on their way, or wait for their next try."""
        return len(self._tasks)

    @property
    def http(self) -> Http:
        """The client, made when it is first needed."""
        self._http = self._http or Http("")
        return self._http

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Some time soon; nothing waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], seconds: float | None = None
    ) -> None:
        """One try. Raises what `Http.request` raises."""
        async with self._gate:
            await self.http.request("POST", url, content=body, headers=headers, timeout=seconds)

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()


class Deliveries(Sender):
    """A subscription's webhooks, again until they arrive.

    `headers_of` gives the headers of a body, its signature among them. `trouble` counts the next deliveries
    that go wrong, and how: `lost`, `duplicate`, `reorder`, `stale`. Nothing is sent before there is a `url`.
    """

    def __init__(self, headers_of: Callable[[str], dict[str, str]]) -> None:
        super().__init__()
        self.url: str | None = None
        self.trouble = dict.fromkeys(("lost", "duplicate", "reorder", "stale"), 0)
        self.recorded: list[str] = []
        self._headers_of = headers_of
        self._held: list[str] = []
        self._delivered = 0
        self._failed = 0

    def send(self, body: str) -> None:
        """Some time soon; nothing waits for it. A retry hours later still says what was true at the time."""
        if self._now("lost"):
            return
        if self._now("reorder"):
            self._held.append(body)
            return
        copies = 2 if self._now("duplicate") else 1
        held, self._held = self._held, []
        for one in (*[body] * copies, *held):
            self._begin(one)
        if self._now("stale"):
            self._begin(body, STALE_SECONDS)

    def deliveries(self) -> list[dict[str, Any]]:
        """Everything sent or to be sent, oldest first."""
        return [{"headers": self._headers_of(body), "body": body} for body in (*self.recorded, *self._held)]

    def state(self) -> dict[str, Any]:
        """How many arrived, never did, or wait."""
        waiting = self.waiting + len(self._held)
        return {"delivered": self._delivered, "failed": self._failed, "waiting": waiting}

    def _now(self, kind: str) -> bool:
        happens = self.trouble[kind] > 0
        self.trouble[kind] -= happens
        return happens

    def _begin(self, body: str, pause: float = 0.0) -> None:
        self.recorded.append(body)
        if self.url:
            self.start(self._deliver(self.url, body, pause))

    async def _deliver(self, url: str, body: str, pause: float) -> None:
        for wait in (pause, *PAUSES):
            await asyncio.sleep(wait)
            try:
                await self.post(url, body.encode(), self._headers_of(body))
                self._delivered += 1
                return
            except ConnectorError:
                continue
        self._failed += 1


class Faults:
    """Trouble that was asked for at `/_ctl/fault`: each happens `count` times, or once."""

    def __init__(self) -> None:
        self._waiting: list[dict[str, Any]] = []

    def ask(self, fault: dict[str, Any]) -> None:
        """From now on."""
        self._waiting.append(fault)

    def next(
        self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any] | None:
        """The next trouble of this kind that fits, counted down; None when there is none."""
        for fault in self._waiting:
            if fault["kind"] == kind and fits(fault):
                fault["count"] = fault.get("count", 1) - 1
                self._waiting = [left for left in self._waiting if left.get("count", 1) > 0]
                return fault
        return None

    def clear(self) -> None:
        """No trouble any more."""
        self._waiting.clear()


class Heard:
    """The books of a fake that is told of conversions, from servers and from pages.

    An event counts once per name and id, whoever tells it first; what comes again is noted. Its clock may be
    set, because how old an event is decides whether it is taken.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.again: list[dict[str, Any]] = []
        self.dropped: list[dict[str, Any]] = []
        self.tests: list[dict[str, Any]] = []
        self.bodies: deque[str] = deque(maxlen=500)
        self.revoked = False
        self._faults: list[dict[str, Any]] = []
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970, by this platform's clock."""
        return time.time() + self._ahead

    def count(self, name: str, event_id: str, *, by: str = "server", **about: Any) -> None:
        """One that was taken."""
        event = {"name": name, "id": event_id, "by": by, **about}
        known = any((one["name"], one["id"]) == (name, event_id) for one in self.events)
        (self.again if known else self.events).append(event)

    def fault(self, kind: str) -> dict[str, Any] | None:
        """The next trouble of this kind, used up; one with `after` lets so many calls pass first."""
        for fault in self._faults:
            if fault["kind"] == kind and fault.get("after", 0) > 0:
                fault["after"] -= 1
            elif fault["kind"] == kind:
                fault["count"] -= 1
                if fault["count"] <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    def rejected(self, ids: Iterable[str]) -> str | None:
        """The first of these that a test wants refused. It stays refused."""
        unwanted = {fault["event_id"] for fault in self._faults if fault["kind"] == "reject"}
        return next((one for one in ids if one in unwanted), None)

    def routes(self, *kinds: str) -> list[Route]:
        """Control endpoints; `kinds` of trouble beside those every such fake has."""
        known = {"status", "lose", "clear", *kinds}

        async def fault(request: Request) -> Response:
            body = {"count": 1, **(await request.json())}
            if body["kind"] not in known:
                return JSONResponse({"error": "unknown fault"}, 422)
            if body["kind"] == "clear":
                self._faults, self.revoked = [], False
            elif body["kind"] == "revoke":
                self.revoked = True
            else:
                self._faults.append(body)
            return JSONResponse({"ok": True})

        async def clock(request: Request) -> Response:
            self._ahead = datetime.fromisoformat((await request.json())["now"]).timestamp() - time.time()
            return JSONResponse({"ok": True})

        async def state(_: Request) -> Response:
            return JSONResponse(
                {
                    "events": self.events,
                    "again": self.again,
                    "dropped": self.dropped,
                    "tests": self.tests,
                    "bodies": [*self.bodies],
                }
            )

        return [
            Route("/_ctl/fault", fault, methods=["POST"]),
            Route("/_ctl/clock", clock, methods=["POST"]),
            Route("/_ctl/state", state),
        ]

    def page(self, script: str) -> list[Route]:
        """The script that a page loads from here, and where it reports: `HERE` in it is that address."""

        async def load(request: Request) -> Response:
            here = f"{request.base_url}_page"
            return Response(script.replace("HERE", here), media_type="text/javascript")

        async def report(request: Request) -> Response:
            said = json.loads(await request.body())
            self.count(str(said["name"]), str(said["id"]), by="page", **said.get("about", {}))
            return Response(status_code=204)

        return [Route("/script.js", load), Route("/_page", report, methods=["POST"])]


def simulated(fault: Mapping[str, Any]) -> Response:
    """The answer of a platform in trouble."""
    wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
    return JSONResponse({"message": "simulated"}, fault["status"], wait)


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"code":'

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")
