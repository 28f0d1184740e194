"""The fake's login server: the page where a person allows it, codes, tokens, their end."""

from __future__ import annotations

import html
import random
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from twitchio.authentication.scopes import Scopes

from connectors.types import Tokens

LIFE_SECONDS = 14_400
CODE_SECONDS = 600.0
KNOWN = frozenset(unquote(str(Scopes.all())).split("+"))
REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
REASONS |= {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class HelixError(Exception):
    """An answer in Helix's error form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        """As Helix writes it."""
        reason = REASONS.get(self.status, "Error")
        return {"error": reason, "status": self.status, "message": self.message}


@dataclass
class Pair:
    """One login that was given out."""

    access: str
    refresh: str


@dataclass
class Code:
    """What a person has allowed and nobody has fetched yet."""

    redirect_uri: str
    scopes: list[str]
    until: float


class Logins:
    """One application, and the logins one account has given it."""

    def __init__(self, rng: random.Random, user_id: str, login: str, scopes: list[str]) -> None:
        self._random = rng
        self._user_id, self._login = user_id, login
        self.client_id, self.client_secret = self.secret(), self.secret()
        self.scopes = scopes
        self.answer = "allow"
        """What the person does on the page: "allow", "deny", or "ask" a real one."""
        self.refreshes = 0
        self.validations = 0
        self.revoked = False
        self._pairs = [Pair(self.secret(), self.secret())]
        self._codes: dict[str, Code] = {}

    def secret(self) -> str:
        """The same for the same seed."""
        return f"{self._random.getrandbits(128):032x}"

    def tokens(self) -> Tokens:
        """A login that works right now."""
        pair = self._pairs[-1] if self._pairs else Pair(self.secret(), self.secret())
        return Tokens.model_validate({"access": pair.access, "refresh": pair.refresh})

    def expire(self) -> None:
        """Every access token has run out."""
        for pair in self._pairs:
            pair.access = self.secret()

    def disconnect(self) -> None:
        """The person has thrown the application out of their account."""
        self._pairs.clear()

    def admit(self, client_id: str, authorization: str) -> None:
        """Let a Helix call in."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            raise HelixError(401, "OAuth token is missing")
        if not self._knows(token):
            raise HelixError(401, "Invalid OAuth token")
        if client_id != self.client_id:
            raise HelixError(401, "Client ID and OAuth token do not match")

    def need(self, scope: str) -> None:
        """The scope a call asks for."""
        if scope not in self.scopes:
            raise HelixError(401, f"Missing scope: {scope}")

    def _knows(self, token: str) -> bool:
        return any(pair.access == token for pair in self._pairs)

    # --- what the login server answers ------------------------------------------------------------

    def validate(self, authorization: str) -> dict[str, Any]:
        """GET /oauth2/validate."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "OAuth" or not self._knows(token):
            raise HelixError(401, "invalid access token")
        self.validations += 1
        about = {"client_id": self.client_id, "login": self._login, "user_id": self._user_id}
        return {**about, "scopes": list(self.scopes), "expires_in": LIFE_SECONDS}

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """POST /oauth2/token."""
        if form.get("client_id") != self.client_id:
            raise HelixError(400, "invalid client")
        if form.get("client_secret") != self.client_secret:
            raise HelixError(403, "invalid client secret")
        match form.get("grant_type"):
            case "refresh_token":
                pair = self._renewed(form.get("refresh_token", ""))
            case "authorization_code":
                pair = self._fetched(form.get("code", ""), form.get("redirect_uri", ""))
            case _:
                raise HelixError(400, "missing grant type")
        tokens = {"access_token": pair.access, "refresh_token": pair.refresh}
        return {**tokens, "expires_in": LIFE_SECONDS, "scope": list(self.scopes), "token_type": "bearer"}

    def _renewed(self, refresh: str) -> Pair:
        """A refresh token works once, as a public client's does."""
        for pair in self._pairs:
            if pair.refresh == refresh:
                pair.access, pair.refresh = self.secret(), self.secret()
                self.refreshes += 1
                return pair
        raise HelixError(400, "Invalid refresh token")

    def _fetched(self, code: str, redirect_uri: str) -> Pair:
        allowed = self._codes.pop(code, None)
        if allowed is None or time.monotonic() > allowed.until:
            raise HelixError(400, "Invalid authorization code")
        if redirect_uri != allowed.redirect_uri:
            raise HelixError(400, "Parameter redirect_uri does not match registered URI")
        self.scopes, self.revoked = allowed.scopes, False
        self._pairs.append(Pair(self.secret(), self.secret()))
        return self._pairs[-1]

    def revoke(self, form: dict[str, str]) -> None:
        """POST /oauth2/revoke: the login is gone with both its tokens."""
        if form.get("client_id") != self.client_id:
            raise HelixError(404, "client does not exist")
        if not self._knows(form.get("token", "")):
            raise HelixError(400, "Invalid token")
        self._pairs = [pair for pair in self._pairs if pair.access != form["token"]]
        self.revoked = True

    # --- the page ---------------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """GET /oauth2/authorize. Any web address counts as registered; Twitch wants https or localhost."""
        query = request.query_params
        scopes, back = query.get("scope", "").split(), query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id:
            return refusal("invalid client")
        if urlsplit(back).scheme not in {"http", "https"}:
            return refusal("Parameter redirect_uri does not match registered URI")
        if query.get("response_type") != "code":
            return refusal("unsupported response type")
        if not scopes or not KNOWN.issuperset(scopes):
            return refusal("invalid scope requested")
        answer = query.get("answer") or self.answer
        if answer == "ask":
            return page(dict(query), scopes)
        said = {"error": "access_denied", "error_description": "The user denied you access"}
        if answer == "allow":
            code = self.secret()[:30]
            self._codes[code] = Code(back, scopes, time.monotonic() + CODE_SECONDS)
            said = {"code": code, "scope": " ".join(scopes)}
        joint = "&" if urlsplit(back).query else "?"
        return RedirectResponse(f"{back}{joint}{urlencode(said | {'state': query.get('state', '')})}", 302)


def refusal(message: str) -> Response:
    """What the page says to an application that does not know how to ask."""
    return JSONResponse({"status": 400, "message": message}, 400)


def page(query: dict[str, str], scopes: list[str]) -> Response:
    """The page as a person sees it."""
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in query.items()
    )
    asked = "".join(f"<li>{html.escape(scope)}</li>" for scope in scopes)
    buttons = "".join(
        f'<button name="answer" value="{value}">{label}</button>'
        for value, label in (("allow", "Allow"), ("deny", "Deny"))
    )
    form = f'<form method="get" action="authorize">{hidden}<ul>{asked}</ul>{buttons}</form>'
    return HTMLResponse(f"<!doctype html><title>Twitch (simulated)</title><h1>Authorize</h1>{form}")
