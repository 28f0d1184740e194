"""A local YouTube: the live part of the Data API v3, its chat stream and Google's login, over HTTP.

Every request and every answer is held against the API's own description, which Google's client ships. It
checks tokens, parts, filters, states, page tokens and polling intervals, and counts the day's units.

Trouble is asked for at /_ctl/fault: see `fake_faults`.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.types import Tokens
from connectors.youtube.fake_channel import Channel
from connectors.youtube.fake_chat import OWNER, Chats, Json, Query, parts_of
from connectors.youtube.fake_discovery import ApiError, Discovery
from connectors.youtube.fake_faults import Faults
from connectors.youtube.fake_login import Login, Meter

QUOTA_UNITS = 10_000_000
"""A thousand real days: a demo polls far faster than a brand would. The fault `quota` uses it up."""
Handler = Callable[[Query, Json | None], Json | None]
STREAM = "liveChatMessages.stream"
DAY = timedelta(days=1)


def real_time() -> datetime:
    """The wall clock; tests pass their own."""
    return datetime.now(UTC)


class Fake:
    """One channel with its broadcasts, streams and chats."""

    def __init__(
        self,
        *,
        seed: int = 0,
        ingest_url: str | None = None,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = real_time,
    ) -> None:
        self._random = random.Random(seed)
        self._later = timedelta()
        self._real_wall = wall
        address = ingest_url or "rtmps://a.rtmps.youtube.com:443/live2"
        self._chats = Chats(now, self._wall)
        self._channel = Channel(address, self._chats, self._wall, self._random)
        self._login = Login(self._random, seed, now)
        self._login.wrong = lambda: (self._faults.take("status", "POST /token") or {}).get("status")
        self._meter = Meter(QUOTA_UNITS, self._wall)
        self._discovery = Discovery()
        self._faults = Faults(self._channel, self._chats, self._login, self._meter, self._tomorrow)
        self._calls: list[str] = []
        self._strict = True
        self.app = Starlette(routes=self._routes())

    def connection(self) -> tuple[Json, Tokens | None]:
        """Credentials of the channel's owner; polling at the pace of the fake."""
        client_id, client_secret = self._login.client
        config = {
            "client_id": client_id,
            "client_secret": client_secret,
            "chat_poll_seconds": 0,
            "daily_units": QUOTA_UNITS,
        }
        access, refresh = SecretStr(self._login.give()), SecretStr(self._login.refresh)
        return config, Tokens(access=access, refresh=refresh)

    def set_base_url(self, url: str) -> None:
        """Nothing here builds absolute addresses."""

    def _wall(self) -> datetime:
        return self._real_wall() + self._later

    def _tomorrow(self) -> None:
        self._later += DAY

    def _routes(self) -> list[Route]:
        channel, chats = self._channel, self._chats
        methods: dict[str, tuple[int, Handler]] = {
            "channels.list": (1, self._list_channels),
            "liveBroadcasts.list": (1, channel.list_broadcasts),
            "liveBroadcasts.insert": (50, channel.insert_broadcast),
            "liveBroadcasts.update": (50, channel.update_broadcast),
            "liveBroadcasts.delete": (50, channel.delete_broadcast),
            "liveBroadcasts.bind": (50, channel.bind),
            "liveBroadcasts.transition": (50, channel.transition),
            "liveStreams.list": (1, channel.list_streams),
            "liveStreams.insert": (50, channel.insert_stream),
            "videos.list": (1, channel.list_videos),
            "videos.update": (50, channel.update_video),
            "liveChatMessages.list": (5, chats.list),
            "liveChatMessages.insert": (20, chats.insert),
            "liveChatMessages.delete": (20, chats.delete),
            "liveChatBans.insert": (50, chats.ban),
            "liveChatBans.delete": (50, chats.unban),
        }
        served = {name: self._serve(name, cost, do) for name, (cost, do) in methods.items()}
        served[STREAM] = self._guard(STREAM, 5, self._stream)
        served["thumbnails.set"] = self._guard("thumbnails.set", 50, self._thumbnail)
        known = self._discovery.methods
        return [
            *(
                Route(self._path(known[name]), end, methods=[known[name]["httpMethod"]])
                for name, end in served.items()
            ),
            *self._login.routes(),
            Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
            Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
            Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
            Route("/_ctl/state", self._ctl_state),
        ]

    @staticmethod
    def _path(method: Json) -> str:
        upload = method.get("mediaUpload")
        return str(upload["protocols"]["simple"]["path"] if upload else f"/{method['path']}")

    # --- every API call --------------------------------------------------------------------------

    def _serve(self, name: str, cost: int, handler: Handler) -> Callable[[Request], Any]:
        async def answer(query: Query, request: Request) -> Response:
            raw = await request.body()
            body = json.loads(raw) if raw else None
            self._discovery.check_request(name, request.query_params.multi_items(), body)
            made = handler(query, body)
            self._discovery.check_answer(name, made, strict=self._strict)
            if self._faults.take("lose", f"{request.method} {request.url.path}"):
                return broken_off()
            return Response(status_code=204) if made is None else JSONResponse(made)

        return self._guard(name, cost, answer)

    def _guard(
        self, name: str, cost: int, answer: Callable[[Query, Request], Any]
    ) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            path = f"{request.method} {request.url.path}"
            self._calls.append(path)
            slow = self._faults.take("slow", path)
            if slow:
                await asyncio.sleep(slow["seconds"])
            try:
                trouble = self._trouble(path)
                if trouble is not None:
                    return trouble
                self._admit(request, cost)
                query = dict(request.query_params)
                # The client sends part=a,b or part=a&part=b.
                query["part"] = ",".join(request.query_params.getlist("part"))
                response: Response = await answer(query, request)
            except ApiError as error:
                return refusal(error)
            return response

        return endpoint

    def _trouble(self, path: str) -> Response | None:
        fault = self._faults.take("status", path)
        if fault is None:
            return None
        if fault.get("empty"):
            return Response(status_code=fault["status"])
        if fault.get("html"):
            return HTMLResponse("<html><title>Error 502</title></html>", fault["status"])
        reason = {429: "rateLimitExceeded"}.get(fault["status"], "backendError")
        raise ApiError(fault["status"], fault.get("reason", reason), retry_after=fault.get("retry_after"))

    def _admit(self, request: Request, cost: int) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._login.access:
            raise ApiError(401, "authError", "Invalid Credentials")
        self._meter.spend(cost)

    def _list_channels(self, query: Query, _: Json | None) -> Json:
        parts_of(query, frozenset({"id", "snippet"}))
        if query.get("mine") != "true":
            raise ApiError(400, "incompatibleParameters")
        items = [_channel(number) for number in range(self._login.channels)]
        info = {"totalResults": len(items), "resultsPerPage": 5}
        return {"kind": "youtube#channelListResponse", "etag": "e", "pageInfo": info, "items": items}

    async def _thumbnail(self, query: Query, request: Request) -> Response:
        params = [pair for pair in request.query_params.multi_items() if pair[0] != "part"]
        self._discovery.check_request("thumbnails.set", params, None)
        media_type = request.headers.get("content-type", "")
        made = self._channel.set_thumbnail(query["videoId"], media_type, await request.body())
        self._discovery.check_answer("thumbnails.set", made)
        return JSONResponse(made)

    async def _stream(self, query: Query, request: Request) -> Response:
        self._discovery.check_request(STREAM, request.query_params.multi_items(), None)
        if self._faults.holds("no_stream"):
            return HTMLResponse("<html><title>Error 404</title></html>", 404)
        pages = self._chats.stream(query)
        # The first answer decides about the status; only then is anything sent.
        first = await anext(pages)
        return StreamingResponse(self._array(first, pages), media_type="application/json")

    async def _array(self, first: Json, pages: AsyncIterator[Json]) -> AsyncIterator[bytes]:
        cuts = self._chats.cuts
        for chunk in self._chunks("[", first):
            yield chunk
        async for page in pages:
            for chunk in self._chunks("\n,", page):
                yield chunk
        if self._chats.cuts == cuts:
            yield b"]"
        elif self._chats.last_words is not None:
            yield f"\n,{json.dumps({'error': self._chats.last_words})}]".encode()

    def _chunks(self, glue: str, page: Json) -> list[bytes]:
        """An element cut where nobody would cut it: inside strings, and inside characters."""
        self._discovery.check_answer(STREAM, page, strict=self._strict)
        data = (glue + json.dumps(page, ensure_ascii=False)).encode()
        step = self._random.randint(97, 1999)
        return [data[at : at + step] for at in range(0, len(data), step)]

    # --- control ---------------------------------------------------------------------------------

    async def _ctl_chat(self, request: Request) -> Response:
        # {"author", "author_id", "text", "snippet"?, "details"?, "chat_ref"?, "tomorrow"?}; without chat_ref:
        # every open chat. Whoever is banned says nothing. `tomorrow` lets unknown types pass.
        body = await request.json()
        author = (body.get("author_id", "UC_viewer"), body.get("author", "Viewer"))
        chats = self._chats.by_ref
        refs = [body["chat_ref"]] if "chat_ref" in body else [r for r, c in chats.items() if not c.ended]
        snippet = {"type": "textMessageEvent", **body.get("snippet", {})}
        self._strict = self._strict and not body.get("tomorrow", False)
        said = [
            self._chats.say(
                ref, snippet, text=body.get("text", ""), author=author, details=body.get("details")
            )
            for ref in refs
            if author[0] not in chats[ref].bans
        ]
        return JSONResponse({"ids": [item["id"] for item in said]}, 200 if refs else 409)

    async def _ctl_ingest(self, request: Request) -> Response:
        body = await request.json()
        for stream in self._channel.streams.values():
            if stream["cdn"]["ingestionInfo"]["streamName"] == body.get("key"):
                self._channel.ingest(stream, body.get("event") == "publish")
                return JSONResponse({"stream": stream["id"]})
        return JSONResponse({"error": "no such stream key"}, 403)

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        if not self._faults.switch(fault):
            return JSONResponse({"error": f"unknown fault {fault['kind']}"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, request: Request) -> Response:
        channel, chats = self._channel, self._chats
        sent = [
            item["snippet"].get("displayMessage", "")
            for chat in chats.by_ref.values()
            for item in chat.items
            if item.get("authorDetails", {}).get("isChatOwner")
        ]
        return JSONResponse(
            {
                "units": self._meter.used,
                "refreshes": self._login.refreshes,
                "revoked": self._login.revoked,
                "broadcasts": list(channel.broadcasts.values()),
                "videos": channel.videos,
                "thumbnails": channel.thumbnails,
                "streams": len(channel.streams),
                "bans": {ref: chat.bans for ref, chat in chats.by_ref.items()},
                "deleted": chats.deleted,
                "calls": self._calls,
                "sent": sent,
            }
        )


def refusal(error: ApiError) -> Response:
    """`{"error": {"code", "message", "errors": [{"message", "domain", "reason"}]}}`."""
    text = error.message or f"Simulated: {error.reason}."
    detail = {"message": text, "domain": "youtube.sim", "reason": error.reason}
    headers = {} if error.retry_after is None else {"Retry-After": f"{error.retry_after:g}"}
    body = {"error": {"code": error.status, "message": text, "errors": [detail]}}
    return JSONResponse(body, error.status, headers)


def broken_off() -> Response:
    """An answer that ends in the middle, as when a connection is lost after the work was done."""

    async def half() -> AsyncIterator[bytes]:
        yield b'{"kind": '

    return StreamingResponse(half(), headers={"content-length": "400"}, media_type="application/json")


def _channel(number: int) -> Json:
    """The owner's channel; further ones as a content owner has them."""
    ref = OWNER if number == 0 else f"{OWNER}_{number + 1}"
    picture = {"url": f"https://yt3.ggpht.com/{ref}", "width": 88, "height": 88}
    snippet = {
        "title": "The channel" if number == 0 else f"The channel {number + 1}",
        "customUrl": f"@channel{number + 1}",
        "thumbnails": {"default": picture},
    }
    return {"kind": "youtube#channel", "etag": "e", "id": ref, "snippet": snippet}
