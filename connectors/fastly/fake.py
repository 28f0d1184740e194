"""A local Fastly: the purge API, and an edge that checks tokens as the VCL in the README does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.fakes import Faults
from connectors.types import Tokens


class Fake:
    """One account with one service."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._token = f"{self._random.getrandbits(128):032x}"
        self._secret = base64.b64encode(self._random.randbytes(32)).decode()
        self._service = "4UiI4ODITcAJv2z4ezJTFC"
        self._domain = "cdn.example.com"
        self._purged: list[str] = []
        self._faults = Faults()
        self.app = Starlette(
            routes=[
                Route("/service/{service}/purge", self._by_keys, methods=["POST"]),
                Route("/purge/{host}/{path:path}", self._by_url, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/edge", self._ctl_edge, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a person would enter; there is no login beside it."""
        return {
            "service_id": self._service,
            "api_token": self._token,
            "domain": self._domain,
            "signing_secret": self._secret,
        }, None

    def set_base_url(self, url: str) -> None:
        """Nothing here builds absolute addresses."""

    def _refusal(self, request: Request, service: str) -> Response | None:
        if fault := self._faults.next("status"):
            wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            return JSONResponse({"msg": "simulated", "detail": ""}, fault["status"], wait)
        if request.headers.get("fastly-key") != self._token:
            return JSONResponse({"msg": "Provided credentials are missing or invalid"}, 401)
        if service != self._service:
            return JSONResponse({"msg": "Record not found", "detail": "Cannot load service"}, 404)
        return None

    async def _by_keys(self, request: Request) -> Response:
        refusal = self._refusal(request, request.path_params["service"])
        if refusal:
            return refusal
        keys = (await request.json()).get("surrogate_keys", [])
        if not 0 < len(keys) <= 256 or any(re.search(r"\s", key) for key in keys):
            return JSONResponse({"msg": "Bad request", "detail": "surrogate keys"}, 400)
        self._purged += keys
        return JSONResponse({key: self._id() for key in keys})

    async def _by_url(self, request: Request) -> Response:
        refusal = self._refusal(request, self._service)
        if refusal:
            return refusal
        if request.path_params["host"] != self._domain:
            return JSONResponse({"msg": "Record not found", "detail": "Cannot load domain"}, 404)
        self._purged.append(f"/{request.path_params['path']}")
        return JSONResponse({"status": "ok", "id": self._id()})

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        if fault["kind"] != "status":
            return JSONResponse({"error": "unknown fault"}, 422)
        self._faults.ask(fault)
        return JSONResponse({"ok": True})

    async def _ctl_edge(self, request: Request) -> Response:
        # What the VCL does: signed is the path itself, or the show.
        body = await request.json()
        parts = urlsplit(body["url"])
        found = re.fullmatch(r"(\d{10,11})_([0-9a-f]{64})", parse_qs(parts.query).get("edge_token", [""])[0])
        show = re.match(r"/live/[^/]+/", parts.path)
        secret = base64.b64decode(self._secret)
        good = found is not None and any(
            hmac.compare_digest(
                hmac.new(secret, f"{scope}{found[1]}".encode(), hashlib.sha256).hexdigest(), found[2]
            )
            for scope in (parts.path, show[0] if show else parts.path)
        )
        fresh = found is not None and body["at"] < int(found[1])
        return JSONResponse({"status": 200 if good and fresh else 403})

    async def _ctl_state(self, request: Request) -> Response:
        return JSONResponse({"purged": sorted(set(self._purged))})

    def _id(self) -> str:
        return f"{self._random.getrandbits(32)}-{self._random.getrandbits(40)}"
