"""The fake's front door: the page where a person presses Allow, and the tokens that come of it."""

from __future__ import annotations

import base64
import hashlib
import random
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CODE_SECONDS = 600
PAGE = """<!doctype html><title>Example</title><h1>Let this app in?</h1>
<form><button name="press" value="allow">Allow</button> <button name="press" value="deny">Deny</button>
{hidden}</form>"""


@dataclass
class Code:
    """One press on Allow; good once, for ten minutes, for the app and the address it was made for."""

    redirect_uri: str
    challenge: str
    scope: str
    until: float


class Door:
    """Everything about logins. `fresh()` makes secrets."""

    def __init__(self, seeded: random.Random) -> None:
        self._random = seeded
        self.client = ("client", self.fresh())
        self.access, self.refresh = self.fresh(), self.fresh()
        self.revoked = False
        self._answer = "allow"
        self._channels = 1
        self._codes: dict[str, Code] = {}
        self.routes = [
            Route("/login/authorize", self._authorize),
            Route("/v1/oauth/token", self._token, methods=["POST"]),
            Route("/v1/oauth/revoke", self._revoke, methods=["POST"]),
            Route("/v1/me/channels", self._mine),
            Route("/_ctl/consent", self._ctl_consent, methods=["POST"]),
        ]

    def fresh(self) -> str:
        """A secret nobody guesses; seeded, so that a failing test can be repeated exactly."""
        return f"{self._random.getrandbits(128):032x}"

    def admits(self, request: Request) -> bool:
        """Whether a call carries today's token."""
        return request.headers.get("authorization") == f"Bearer {self.access}"

    def expire(self) -> None:
        """The access token is dead until it is renewed."""
        self.access = self.fresh()

    def revoke(self) -> None:
        """Renewing is refused as well."""
        self.access, self.refresh, self.revoked = self.fresh(), self.fresh(), True

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        back = asked.get("redirect_uri", "")
        # What the platform cannot trust is answered here, never sent to an address it does not know.
        if asked.get("client_id") != self.client[0] or urlsplit(back).scheme not in ("http", "https"):
            return HTMLResponse("This app is not known.", 400)
        if asked.get("response_type") != "code" or not asked.get("scope"):
            return sent_back(back, error="invalid_request", state=asked.get("state", ""))
        press = asked.get("press") or self._answer
        if press == "ask":
            kept = "".join(
                f'<input type="hidden" name="{name}" value="{quoted(value)}">'
                for name, value in asked.items()
            )
            return HTMLResponse(PAGE.format(hidden=kept))
        if press == "deny":
            return sent_back(back, error="access_denied", state=asked.get("state", ""))
        code = self.fresh()
        self._codes[code] = Code(
            back, asked.get("code_challenge", ""), asked["scope"], time.monotonic() + CODE_SECONDS
        )
        return sent_back(back, code=code, state=asked.get("state", ""))

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != self.client:
            return JSONResponse({"error": "invalid_client"}, 400)
        if form["grant_type"] == "authorization_code":
            # Taken out whatever comes of it: a code that was tried is used up.
            code = self._codes.pop(form.get("code", ""), None)
            if code is None or not fits(code, form):
                return JSONResponse({"error": "invalid_grant"}, 400)
            self.access, self.refresh, self.revoked = self.fresh(), self.fresh(), False
            return JSONResponse({**self._given(), "refresh_token": self.refresh, "scope": code.scope})
        if form.get("refresh_token") != self.refresh:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.access = self.fresh()
        return JSONResponse(self._given())

    async def _revoke(self, request: Request) -> Response:
        if not self.admits(request):
            return JSONResponse({"message": "bad token"}, 401)
        self.revoke()
        return JSONResponse({})

    async def _mine(self, request: Request) -> Response:
        if not self.admits(request):
            return JSONResponse({"message": "bad token"}, 401)
        mine = [
            {"id": f"ch{number}", "name": f"Channel {number}", "followers": number * 100}
            for number in range(1, self._channels + 1)
        ]
        return JSONResponse({"channels": mine})

    async def _ctl_consent(self, request: Request) -> Response:
        wanted = await request.json()
        self._answer = wanted.get("answer", self._answer)
        self._channels = wanted.get("accounts", self._channels)
        return JSONResponse({"ok": True})

    def _given(self) -> dict[str, Any]:
        return {"access_token": self.access, "expires_in": 3600}


def fits(code: Code, form: dict[str, str]) -> bool:
    """The same app came back to the same address, in time, and it is the one that began (RFC 7636, 4.6)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    proved = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == code.challenge
    return proved and form.get("redirect_uri") == code.redirect_uri and time.monotonic() < code.until


def sent_back(to: str, **query: str) -> Response:
    """The person's browser, on its way home."""
    return RedirectResponse(f"{to}{'&' if urlsplit(to).query else '?'}{urlencode(query)}", 302)


def quoted(text: str) -> str:
    """Safe between quotation marks in HTML."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
