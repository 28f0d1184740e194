"""Google's side of a login: the page that asks, codes with PKCE, tokens, revocation; and the day's quota."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.youtube.fake_channel import secret
from connectors.youtube.fake_chat import Json
from connectors.youtube.fake_discovery import ApiError

CODE_LIFE = 600.0
PACIFIC = ZoneInfo("America/Los_Angeles")
ASKING = """<!doctype html><title>Sign in</title><h1>Simulcast Hub wants access to your channel</h1>
<form action="{action}" method="get">{hidden}
<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Deny</button></form>"""


@dataclass
class Code:
    """What was asked for when a code was given out."""

    redirect_uri: str
    challenge: str | None
    scope: str
    made_at: float


class Meter:
    """Units of the day, which begins at midnight in California. What is refused costs as well."""

    def __init__(self, units: int, wall: Callable[[], datetime]) -> None:
        self.units = units
        self.used = 0
        self._wall = wall
        self._day: date | None = None

    def spend(self, cost: int) -> None:
        today = self._wall().astimezone(PACIFIC).date()
        if today != self._day:
            self._day, self.used = today, 0
        self.used += cost
        if self.used > self.units:
            raise ApiError(403, "quotaExceeded", 'You have exceeded your <a href="/quota">quota</a>.')

    def leave(self, units: int) -> None:
        """So many are left of today."""
        self.spend(0)
        self.used = self.units - units


class Login:
    """One client and one owner of the channel. `wrong` is asked for an outage before anything else."""

    def __init__(self, rng: random.Random, seed: int, now: Callable[[], float]) -> None:
        self._random = rng
        self._now = now
        self.client = (f"client-{seed}.apps.googleusercontent.com", secret(rng, "GOCSPX-"))
        self.refresh = secret(rng, "1//")
        self.access: set[str] = set()
        self.revoked = False
        self.refreshes = 0
        self.answer = "allow"
        self.channels = 1
        self.scope: str | None = None
        self._codes: dict[str, Code] = {}
        self.wrong: Callable[[], int | None] = lambda: None

    def routes(self) -> list[Route]:
        return [
            Route("/o/oauth2/v2/auth", self._ask),
            Route("/token", self._token, methods=["POST"]),
            Route("/revoke", self._revoke, methods=["POST"]),
            Route("/_ctl/consent", self._ctl_consent, methods=["POST"]),
        ]

    def give(self) -> str:
        """An access token that works; linking again after a revocation gives a new login, as at Google."""
        self.access = self.access or {secret(self._random, "ya29.")}
        return next(iter(self.access))

    def expire(self) -> None:
        """No access token works any more."""
        self.access = set()

    def revoke(self) -> None:
        """As when the owner removes the app in the Google account."""
        self.access, self.refresh, self.revoked = set(), secret(self._random, "1//"), True

    async def _ask(self, request: Request) -> Response:
        query = dict(request.query_params)
        wanted = {"client_id", "redirect_uri", "response_type", "scope", "state"}
        if wanted - set(query) or query["client_id"] != self.client[0] or query["response_type"] != "code":
            return HTMLResponse("<h1>Error 400: invalid_request</h1>", 400)
        if not query["redirect_uri"].startswith(("http://", "https://")) or not query["scope"].strip():
            return HTMLResponse("<h1>Error 400: redirect_uri_mismatch</h1>", 400)
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            return HTMLResponse("<h1>Error 400: invalid_request</h1>", 400)
        answer = query.pop("answer", self.answer)
        if answer == "ask":
            fields = "".join(
                f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
                for name, value in query.items()
            )
            return HTMLResponse(ASKING.format(action=escape(request.url.path), hidden=fields))
        told = {"state": query["state"]}
        if answer == "deny":
            told["error"] = "access_denied"
        else:
            told["code"] = code = secret(self._random, "4/0A")
            scope = query["scope"] if self.scope is None else self.scope
            self._codes[code] = Code(query["redirect_uri"], query.get("code_challenge"), scope, self._now())
            told["scope"] = scope
        glue = "&" if "?" in query["redirect_uri"] else "?"
        return RedirectResponse(f"{query['redirect_uri']}{glue}{urlencode(told)}", 302)

    async def _token(self, request: Request) -> Response:
        form = _form(await request.body())
        status = self.wrong()
        if status:
            return JSONResponse({"error": "internal_failure"}, status)
        if (form.get("client_id"), form.get("client_secret")) != self.client:
            return JSONResponse({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "authorization_code":
            return self._by_code(form)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self.refresh:
            return JSONResponse({"error": "invalid_grant", "error_description": "Bad Request"}, 400)
        self.refreshes += 1
        self.access = {secret(self._random, "ya29.")}
        return JSONResponse(self._login())

    def _by_code(self, form: dict[str, str]) -> Response:
        code = self._codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        good = (
            code is not None
            and code.redirect_uri == form.get("redirect_uri")
            and self._now() - code.made_at < CODE_LIFE
            and (code.challenge is None or code.challenge == challenge_of(verifier))
        )
        if code is None or not good:
            return JSONResponse({"error": "invalid_grant", "error_description": "Malformed auth code."}, 400)
        self.revoked = False
        self.give()
        return JSONResponse({**self._login(), "refresh_token": self.refresh, "scope": code.scope})

    def _login(self) -> Json:
        return {"access_token": next(iter(self.access)), "expires_in": 3599, "token_type": "Bearer"}

    async def _revoke(self, request: Request) -> Response:
        form = _form(await request.body())
        status = self.wrong()
        if status:
            return JSONResponse({"error": "internal_failure"}, status)
        if form.get("token") not in {self.refresh, *self.access}:
            return JSONResponse(
                {"error": "invalid_token", "error_description": "Token expired or revoked"}, 400
            )
        self.revoke()
        return JSONResponse({})

    async def _ctl_consent(self, request: Request) -> Response:
        # {"answer": "allow"|"deny"|"ask", "accounts"?: n, "scope"?: what the person ticks}
        body: dict[str, Any] = await request.json()
        self.answer = body.get("answer", self.answer)
        self.channels = body.get("accounts", self.channels)
        self.scope = body.get("scope", self.scope)
        return JSONResponse({"ok": True})


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}
