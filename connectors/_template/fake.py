"""A local stand-in that speaks the platform's protocol and refuses what the platform refuses.

Tests start it in process, the demo in a process of its own; both reach it over a real socket.
"""

from __future__ import annotations

import random
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors._template.fake_chat import Room
from connectors._template.fake_login import Door
from connectors.types import Tokens

TITLE = 100
DAY = 10_000


class Fake:
    """All fakes have this constructor, `app`, `connection` and `set_base_url`."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._ingest_url = ingest_url or "rtmp://127.0.0.1:1935/live"
        self._door = Door(random.Random(seed))
        self._room = Room()
        self._broadcasts: dict[str, dict[str, Any]] = {}
        self._faults: list[dict[str, Any]] = []
        self._units = 0
        chat = "/v1/chats/{ref}"
        api = {
            "/v1/broadcasts": (["GET", "POST"], self._collection),
            "/v1/broadcasts/{ref}": (["GET", "PATCH"], self._one),
            "/v1/broadcasts/{ref}/{verb}": (["POST"], self._change),
            f"{chat}/messages": (["GET", "POST"], self._chat),
            f"{chat}/messages/{{id}}": (["DELETE"], self._remove),
            f"{chat}/messages/{{id}}/hide": (["POST"], self._remove),
            f"{chat}/bans/{{author}}": (["PUT", "DELETE"], self._bans),
        }
        self.app = Starlette(
            routes=[
                *(Route(path, self._guarded(do), methods=verbs) for path, (verbs, do) in api.items()),
                *self._door.routes,
                # Control endpoints, for tests and the demo; the platform has none of them.
                Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
                Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """Config as a person would enter it, and a login that works right now."""
        tokens = Tokens(access=SecretStr(self._door.access), refresh=SecretStr(self._door.refresh))
        return {"client_id": self._door.client[0], "client_secret": self._door.client[1]}, tokens

    def set_base_url(self, url: str) -> None:
        """Called with the server's address; for fakes that put absolute addresses into answers."""

    def _guarded(self, handler: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            # Faults come before everything else, as an outage does.
            for fault in self._faults:
                fault["count"] = fault.get("count", 1) - 1
                self._faults = [f for f in self._faults if f["count"] > 0]
                wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                return JSONResponse({"message": "simulated"}, fault["status"], wait)
            if not self._door.admits(request):
                return JSONResponse({"message": "bad token"}, 401)
            # The day's units: creating costs 50, everything else one.
            self._units += 50 if (request.method, request.url.path) == ("POST", "/v1/broadcasts") else 1
            if self._units > DAY:
                return no("slow_down", "The day's units are used up.", seconds=3600)
            response: Response = await handler(request)
            return response

        return endpoint

    async def _collection(self, request: Request) -> Response:
        if request.method == "POST":
            body = await request.json()
            if too_long(body):
                return no("too_long", "The title is too long.")
            made = {"id": f"b{len(self._broadcasts) + 1}", "server": self._ingest_url}
            secret = {"key": self._door.fresh()}
            figures = {"quality": {"mark": "none", "issues": []}, "likes": 0}
            self._broadcasts[made["id"]] = {
                **body, **made, **secret, **figures, "state": "new", "receiving": False
            }  # fmt: skip
            return JSONResponse(self._broadcasts[made["id"]])
        marker = request.query_params["marker"]
        return JSONResponse(
            {"broadcasts": [item for item in self._broadcasts.values() if item["marker"] == marker]}
        )

    async def _one(self, request: Request) -> Response:
        broadcast = self._broadcasts.get(request.path_params["ref"])
        if broadcast is None:
            return JSONResponse({"message": "unknown"}, 404)
        if request.method == "PATCH":
            body = await request.json()
            if too_long(body):
                return no("too_long", "The title is too long.")
            broadcast |= {name: body[name] for name in ("title", "description", "privacy", "tags")}
        return JSONResponse(broadcast)

    async def _change(self, request: Request) -> Response:
        # A fake that accepts every transition proves nothing.
        broadcast = self._broadcasts.get(request.path_params["ref"])
        if broadcast is None:
            return JSONResponse({"message": "unknown"}, 404)
        if request.path_params["verb"] == "end":
            if broadcast["state"] == "done":
                return no("already_ended", "It has ended.")
            broadcast["state"] = "done"
        elif broadcast["state"] != "new" or not broadcast["receiving"]:
            return no("not_ready", "Nothing is received.")
        else:
            broadcast |= {"state": "on_air", "viewers": 3}
        return JSONResponse(broadcast)

    async def _chat(self, request: Request) -> Response:
        if request.method == "POST":
            said = self._room.ours(await request.json(), request.headers["idempotency-key"])
            return JSONResponse({"id": said}) if isinstance(said, str) else no(*said)
        after = int(request.query_params["after"])
        # The last entry comes again on purpose: platforms do that.
        page = [entry for entry in self._room.entries if entry["number"] >= after]
        ended = all(item["state"] == "done" for item in self._broadcasts.values())
        return JSONResponse({"entries": page, "ended": ended and bool(self._broadcasts)})

    async def _remove(self, request: Request) -> Response:
        there = self._room.remove(request.path_params["id"])
        return JSONResponse({} if there else {"message": "unknown"}, 200 if there else 404)

    async def _bans(self, request: Request) -> Response:
        author = request.path_params["author"]
        if request.method == "PUT":
            self._room.ban(author, (await request.json()).get("seconds"))
        elif author not in self._room.bans:
            return JSONResponse({"message": "not banned"}, 404)
        else:
            del self._room.bans[author]
        return JSONResponse({})

    async def _ctl_chat(self, request: Request) -> Response:
        body = await request.json()
        said = self._room.say(body["text"], body["author"], body["author_id"])
        return JSONResponse({"ids": [said] if said else []})

    async def _ctl_ingest(self, request: Request) -> Response:
        # The RTMP receiver asks this before it lets a publisher in.
        body = await request.json()
        for broadcast in self._broadcasts.values():
            if broadcast["key"] == body["key"] and broadcast["state"] != "done":
                broadcast["receiving"] = body["event"] == "publish"
                broadcast["quality"]["mark"] = "green" if broadcast["receiving"] else "none"
                return JSONResponse({"broadcast": broadcast["id"]})
        return JSONResponse({"error": "unknown stream key"}, 403)

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        if fault["kind"] == "status":
            self._faults.append(fault)
        elif fault["kind"] == "expire_token":
            self._door.expire()
        elif fault["kind"] == "revoke":
            self._door.revoke()
        elif fault["kind"] == "quality":
            for broadcast in self._broadcasts.values():
                broadcast["quality"] = {"mark": fault["mark"], "issues": fault["issues"]}
        else:
            return JSONResponse({"error": "unknown fault"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, request: Request) -> Response:
        state = {"broadcasts": list(self._broadcasts.values()), "texts": self._room.texts}
        return JSONResponse(
            {**state, "bans": self._room.bans, "units": self._units, "revoked": self._door.revoked}
        )


def too_long(body: dict[str, Any]) -> bool:
    """Whether the title is more than the platform takes."""
    return len(body["title"]) > TITLE


def no(code: str, message: str, **more: Any) -> Response:
    """This platform says no with a 200."""
    return JSONResponse({"error": {"code": code, "message": message, **more}})
