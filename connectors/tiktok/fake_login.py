"""TikTok's Login Kit on the fake's port: the page with Allow, tokens, and who somebody is."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CODE_SECONDS = 600
PAGE = """<!doctype html><title>TikTok</title><h1>Authorize this app?</h1>
<form>{hidden}<button name="press" value="allow">Allow</button>
<button name="press" value="deny">Deny</button></form>"""


@dataclass(frozen=True)
class Code:
    """One press on Allow."""

    redirect_uri: str
    challenge: str
    scope: str
    until: float


class Door:
    """The logins of one account at one app."""

    def __init__(self, seeded: random.Random, handle: str) -> None:
        self._random = seeded
        self._handle = handle
        self.client = (f"aw{seeded.getrandbits(64):016x}", self._fresh())
        self.revoked = False
        self._access: set[str] = set()
        self._refresh: set[str] = set()
        self._codes: dict[str, Code] = {}
        self._answer = "allow"
        self.routes = [
            Route("/v2/auth/authorize/", self._authorize),
            Route("/v2/oauth/token/", self._token, methods=["POST"]),
            Route("/v2/oauth/revoke/", self._revoke, methods=["POST"]),
            Route("/v2/user/info/", self._user),
            Route("/_ctl/consent", self._ctl_consent, methods=["POST"]),
        ]

    def expire(self) -> None:
        """Every access token is dead; what was given to renew them is not."""
        self._access.clear()

    def revoke(self) -> None:
        """Nothing works any more: the person took it back in TikTok."""
        self._access.clear()
        self._refresh.clear()
        self.revoked = True

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        back = asked.get("redirect_uri", "")
        if asked.get("client_key") != self.client[0] or urlsplit(back).scheme not in ("http", "https"):
            return HTMLResponse("Something went wrong: client_key", 400)
        state = asked.get("state", "")
        if asked.get("response_type") != "code" or not asked.get("scope"):
            return sent_back(back, error="invalid_request", error_description="", state=state)
        press = asked.get("press") or self._answer
        if press == "ask":
            hidden = "".join(
                f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
                for name, value in asked.items()
            )
            return HTMLResponse(PAGE.format(hidden=hidden))
        if press == "deny":
            return sent_back(back, error="access_denied", error_description="", state=state)
        code = self._fresh()
        until = time.monotonic() + CODE_SECONDS
        self._codes[code] = Code(back, asked.get("code_challenge", ""), asked["scope"], until)
        return sent_back(back, code=code, scopes=asked["scope"], state=state)

    async def _token(self, request: Request) -> Response:
        form = await form_of(request)
        if (form.get("client_key"), form.get("client_secret")) != self.client:
            return refused("invalid_client")
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self._refresh:
                return refused("invalid_grant")
            # Renewed tokens are rotated: the old one is dead.
            self._refresh.discard(form["refresh_token"])
            return self._issued("user.info.basic,user.info.profile")
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.until < time.monotonic() or form.get("redirect_uri") != code.redirect_uri:
            return refused("invalid_grant")
        # In hexadecimal, unlike everybody else's.
        if hashlib.sha256(form.get("code_verifier", "").encode()).hexdigest() != code.challenge:
            return refused("invalid_request")
        return self._issued(code.scope)

    async def _revoke(self, request: Request) -> Response:
        form = await form_of(request)
        if (form.get("client_key"), form.get("client_secret")) != self.client:
            return refused("invalid_client")
        if form.get("token") not in self._access:
            return refused("invalid_request")
        self.revoke()
        return Response(status_code=200)

    async def _user(self, request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._access:
            return JSONResponse(said("access_token_invalid"), 401)
        known = {
            "open_id": "723f24d7-e717-40f8-a2b6-cb8464cd23b4",
            "avatar_url": "https://p16-sign.tiktokcdn.com/avatar.jpeg",
            "display_name": "Simulated Shop",
            "username": self._handle,
        }
        asked = request.query_params.get("fields", "").split(",")
        user = {name: value for name, value in known.items() if name in asked}
        return JSONResponse({"data": {"user": user}, **said("ok")})

    async def _ctl_consent(self, request: Request) -> Response:
        self._answer = (await request.json()).get("answer", self._answer)
        return JSONResponse({"ok": True})

    def _issued(self, scope: str) -> Response:
        access, refresh = f"act.{self._fresh()}", f"rft.{self._fresh()}"
        self._access.add(access)
        self._refresh.add(refresh)
        self.revoked = False
        life = {"expires_in": 7200, "refresh_expires_in": 15_552_000, "token_type": "Bearer"}
        given = {"access_token": access, "refresh_token": refresh, "scope": scope, "open_id": "723f24d7"}
        return JSONResponse(given | life)

    def _fresh(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


async def form_of(request: Request) -> dict[str, str]:
    """A form's first values."""
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


def sent_back(to: str, **query: str) -> Response:
    """The person's browser, on its way home."""
    return RedirectResponse(f"{to}?{urlencode(query)}", 302)


def refused(code: str) -> Response:
    """A no about tokens. Source: "Error handling" of the Login Kit."""
    return JSONResponse({"error": code, "error_description": "simulated", "log_id": "202611240000"}, 400)


def said(code: str) -> dict[str, Any]:
    """How the rest of the API ends its answers."""
    return {"error": {"code": code, "message": "", "log_id": "202611240000"}}
