"""Logins of the local Instagram: its own of sixty days, and the Page's that Facebook gives."""

from __future__ import annotations

import hashlib
import hmac
import html
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.instagram.fake_account import GraphError

CODE_LIFE = timedelta(minutes=10)
LIFE = timedelta(seconds=5183944)
A_DAY = timedelta(hours=24)
SCOPES = "instagram_business_basic,instagram_business_manage_comments,instagram_business_manage_messages"
ASKED = """<!doctype html><title>Instagram</title><p>Let the app see your live and its comments?</p>
<form method="get"><input type="hidden" name="asked" value="1">{fields}
<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Deny</button></form>"""


class Login:
    """One app, one account. `answer` is what the person does at the dialog."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self.app_id = f"{rng.randrange(10**14, 10**15)}"
        self.secret = f"{rng.getrandbits(128):032x}"
        self.verify_token = f"{rng.getrandbits(64):016x}"
        self.answer = "allow"
        self.scopes = SCOPES
        self.revoked = False
        self._dead = 0
        self._codes: dict[str, dict[str, Any]] = {}
        self._short: set[str] = set()
        self._long: dict[str, datetime] = {}
        self._page_token = self._mint("EAAG")
        self._token = ""

    # --- tokens ----------------------------------------------------------------------------------

    def linked(self) -> tuple[str, datetime]:
        """The account's login and its end; a new one, thirty hours old, after the old was killed."""
        if self._dead or not self._token:
            self._dead, self._token = 0, self._mint("IGAA")
            self._long[self._token] = datetime.now(UTC) - timedelta(hours=30)
        return self._token, self._long[self._token] + LIFE

    def through_page(self) -> str:
        """The login of the Page the account is linked to."""
        return self._page_token

    def unlink(self, subcode: int) -> None:
        """Kill all logins; the subcode says why."""
        self._dead = subcode

    def admit(self, token: str, proof: str) -> bool:
        """True for the Page's login, False for Instagram's own; an error for any other."""
        if token not in self._long and token not in self._short and token != self._page_token:
            raise GraphError(190, f"Invalid OAuth access token {token}")
        if self._dead:
            raise GraphError(190, "Error validating access token.", subcode=self._dead)
        if token != self._page_token:
            return False
        expected = hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, proof):
            raise GraphError(100, "Invalid appsecret_proof provided in the API argument")
        return True

    def refresh(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /refresh_access_token: what has expired cannot be revived, what is new need not."""
        token = args.get("access_token", "")
        if args.get("grant_type") != "ig_refresh_token" or token not in self._long:
            raise GraphError(190, f"Invalid OAuth access token {token}")
        if self._dead:
            raise GraphError(190, "Session has expired", subcode=self._dead)
        if datetime.now(UTC) - self._long[token] < A_DAY:
            raise GraphError(100, "The access token must be at least 24 hours old")
        del self._long[token]
        self._token = self._mint("IGAA")
        self._long[self._token] = datetime.now(UTC)
        return self._lasting(self._token)

    # --- the dialog and what follows ---------------------------------------------------------------

    def dialog(self, query: dict[str, str]) -> Response:
        """GET of the authorize page: what a press on "Allow" would do, unless told otherwise."""
        redirect = query.get("redirect_uri", "")
        if query.get("client_id") != self.app_id or query.get("response_type") != "code":
            return HTMLResponse("Invalid platform app", 400)
        if not redirect.startswith(("http://", "https://")) or not query.get("scope"):
            return HTMLResponse("Invalid redirect_uri or scope", 400)
        answer = query.get("answer") if query.get("asked") else self.answer
        if answer == "ask":
            fields = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in query.items()
            )
            return HTMLResponse(ASKED.format(fields=fields))
        state = {"state": query["state"]} if "state" in query else {}
        if answer == "deny":
            denied = {"error": "access_denied", "error_reason": "user_denied"}
            return RedirectResponse(f"{redirect}?{urlencode({**denied, **state})}", 302)
        code = self._mint("AQB")
        granted = ",".join(one for one in self.scopes.split(",") if one in query["scope"])
        self._codes[code] = {"redirect": redirect, "scopes": granted, "until": datetime.now(UTC) + CODE_LIFE}
        return RedirectResponse(f"{redirect}?{urlencode({'code': code, **state})}#_", 302)

    def exchange(self, form: dict[str, str], user: str) -> dict[str, Any]:
        """POST /oauth/access_token."""
        if (form.get("client_id"), form.get("client_secret")) != (self.app_id, self.secret):
            raise GraphError(101, "Error validating client secret.")
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code["until"] < datetime.now(UTC):
            raise GraphError(100, "Invalid authorization code")
        if form.get("grant_type") != "authorization_code" or code["redirect"] != form.get("redirect_uri"):
            raise GraphError(100, "Invalid redirect_uri")
        token = self._mint("IGAA")
        self._short.add(token)
        self._dead, self.revoked = 0, False
        return {"data": [{"access_token": token, "user_id": user, "permissions": code["scopes"]}]}

    def lengthen(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /access_token: an hour becomes sixty days."""
        token = args.get("access_token", "")
        if args.get("client_secret") != self.secret or args.get("grant_type") != "ig_exchange_token":
            raise GraphError(101, "Error validating client secret.")
        if token not in self._short:
            raise GraphError(190, f"Invalid OAuth access token {token}")
        long = self._mint("IGAA")
        self._long[long] = datetime.now(UTC)
        return self._lasting(long)

    def revoke(self) -> dict[str, Any]:
        """The app is removed from the account."""
        self.revoked = True
        self.unlink(458)
        return {"success": True}

    def _lasting(self, token: str) -> dict[str, Any]:
        return {"access_token": token, "token_type": "bearer", "expires_in": int(LIFE.total_seconds())}

    def _mint(self, prefix: str) -> str:
        return prefix + "".join(self._random.choices("abcdefghijkLMNOPQRSTUV0123456789", k=60))
