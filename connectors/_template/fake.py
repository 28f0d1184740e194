"""A local stand-in that speaks the platform's protocol and refuses what the platform refuses.

Tests start it in process, the demo in a process of its own; both reach it over a real socket.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.types import Tokens


class Fake:
    """All fakes have this constructor, `app`, `connection` and `set_base_url`."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        # Seeded: a failing test can be repeated exactly.
        self._random = random.Random(seed)
        self._ingest_url = ingest_url or "rtmp://127.0.0.1:1935/live"
        self._client = ("client", self._secret())
        self._access, self._refresh = self._secret(), self._secret()
        self._broadcasts: dict[str, dict[str, Any]] = {}
        self._messages: list[dict[str, Any]] = []
        self._sent: dict[str, str] = {}
        self._faults: list[dict[str, Any]] = []
        api = {
            "/v1/broadcasts": (["GET", "POST"], self._collection),
            "/v1/broadcasts/{ref}": (["GET"], self._one),
            "/v1/broadcasts/{ref}/{verb}": (["POST"], self._change),
            "/v1/chats/{ref}/messages": (["GET", "POST"], self._chat),
        }
        self.app = Starlette(
            routes=[
                *(Route(path, self._guarded(do), methods=verbs) for path, (verbs, do) in api.items()),
                Route("/v1/oauth/token", self._token, methods=["POST"]),
                # Control endpoints, for tests and the demo; the platform has none of them.
                Route("/_ctl/chat", self._ctl_chat, methods=["POST"]),
                Route("/_ctl/ingest", self._ctl_ingest, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """Config as a person would enter it, and a login that works right now."""
        tokens = Tokens(access=SecretStr(self._access), refresh=SecretStr(self._refresh))
        return {"client_id": self._client[0], "client_secret": self._client[1]}, tokens

    def set_base_url(self, url: str) -> None:
        """Called with the server's address; for fakes that put absolute addresses into answers."""

    def _guarded(self, handler: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            # Faults come before everything else, as an outage does.
            for fault in self._faults:
                if fault["kind"] == "status":
                    fault["count"] = fault.get("count", 1) - 1
                    self._faults = [f for f in self._faults if f["count"] > 0]
                    wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                    return JSONResponse({"message": "simulated"}, fault["status"], wait)
            if request.headers.get("authorization") != f"Bearer {self._access}":
                return JSONResponse({"message": "bad token"}, 401)
            response: Response = await handler(request)
            return response

        return endpoint

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if (form["client_id"], form["client_secret"]) != self._client or form[
            "refresh_token"
        ] != self._refresh:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self._access = self._secret()
        return JSONResponse({"access_token": self._access, "expires_in": 3600})

    async def _collection(self, request: Request) -> Response:
        if request.method == "POST":
            body = await request.json()
            made = {"id": f"b{len(self._broadcasts) + 1}", "server": self._ingest_url, "key": self._secret()}
            self._broadcasts[made["id"]] = {**body, **made, "state": "new", "receiving": False}
            return JSONResponse(made)
        marker = request.query_params["marker"]
        return JSONResponse(
            {"broadcasts": [item for item in self._broadcasts.values() if item["marker"] == marker]}
        )

    async def _one(self, request: Request) -> Response:
        broadcast = self._broadcasts.get(request.path_params["ref"])
        return JSONResponse(broadcast) if broadcast else JSONResponse({"message": "unknown"}, 404)

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
            broadcast["state"] = "on_air"
        return JSONResponse(broadcast)

    async def _chat(self, request: Request) -> Response:
        if request.method == "POST":
            key = request.headers["idempotency-key"]
            if key not in self._sent:
                self._sent[key] = self._say((await request.json())["text"], "The channel", "owner")
            return JSONResponse({"id": self._sent[key]})
        after = int(request.query_params["after"])
        # The last message comes again on purpose: platforms do that.
        page = [message for message in self._messages if message["number"] >= after]
        ended = all(item["state"] == "done" for item in self._broadcasts.values())
        return JSONResponse({"messages": page, "ended": ended and bool(self._broadcasts)})

    def _say(self, text: str, author: str, author_id: str) -> str:
        number = len(self._messages) + 1
        message = {"id": f"m{number}", "number": number, "text": text, "author": author}
        self._messages.append({**message, "author_id": author_id, "at": datetime.now(UTC).isoformat()})
        return f"m{number}"

    async def _ctl_chat(self, request: Request) -> Response:
        body = await request.json()
        return JSONResponse({"ids": [self._say(body["text"], body["author"], body["author_id"])]})

    async def _ctl_ingest(self, request: Request) -> Response:
        # The RTMP receiver asks this before it lets a publisher in.
        body = await request.json()
        for broadcast in self._broadcasts.values():
            if broadcast["key"] == body["key"] and broadcast["state"] != "done":
                broadcast["receiving"] = body["event"] == "publish"
                return JSONResponse({"broadcast": broadcast["id"]})
        return JSONResponse({"error": "unknown stream key"}, 403)

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        if fault["kind"] == "status":
            self._faults.append(fault)
        elif fault["kind"] in {"expire_token", "revoke"}:
            self._access = self._secret()
            self._refresh = self._secret() if fault["kind"] == "revoke" else self._refresh
        else:
            return JSONResponse({"error": "unknown fault"}, 422)
        return JSONResponse({"ok": True})

    async def _ctl_state(self, request: Request) -> Response:
        return JSONResponse(
            {"broadcasts": list(self._broadcasts.values()), "sent": list(self._sent.values())}
        )

    def _secret(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


def no(code: str, message: str) -> Response:
    """This platform says no with a 200."""
    return JSONResponse({"error": {"code": code, "message": message}})
