"""Logins of the local Facebook: the app, the person, codes, and a token for each of the person's Pages."""

from __future__ import annotations

import hashlib
import hmac
import html
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.facebook.fake_page import GraphError, Page

CODE_LIFE = timedelta(minutes=10)
SCOPES = (
    "pages_show_list,pages_manage_posts,pages_read_engagement,pages_read_user_content,"
    "pages_manage_engagement,pages_messaging,pages_manage_metadata"
)
ASKED = """<!doctype html><title>Facebook</title><p>Let the app manage your Pages?</p>
<form method="get"><input type="hidden" name="asked" value="1">{fields}
<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Deny</button></form>"""


class Login:
    """One app, one person. `answer` is what the person does at the dialog."""

    def __init__(self, rng: random.Random, pages: list[Page]) -> None:
        self._random = rng
        self._pages = pages
        self.app_id = f"{rng.randrange(10**14, 10**15)}"
        self.secret = f"{rng.getrandbits(128):032x}"
        self.verify_token = f"{rng.getrandbits(64):016x}"
        self.answer = "allow"
        self.scopes = SCOPES
        self.tasks = ["CREATE_CONTENT", "MODERATE", "MESSAGING", "ANALYZE"]
        self.revoked = False
        self.page_size = 100
        self._dead = 0
        self._codes: dict[str, dict[str, Any]] = {}
        self._short: dict[str, str] = {}
        self._long: dict[str, str] = {}
        self._page_tokens = {page.id: self._mint() for page in pages}

    # --- tokens ----------------------------------------------------------------------------------

    def linked(self) -> str:
        """The first Page's token; a new one after the old was killed."""
        if self._dead:
            self._dead = 0
            self._page_tokens = {page.id: self._mint() for page in self._pages}
        return self._page_tokens[self._pages[0].id]

    def unlink(self, subcode: int) -> None:
        """Kill all tokens; the subcode says why."""
        self._dead = subcode

    def admit(self, token: str, proof: str) -> Page | None:
        """The Page whose token it is, None for the person's own. The proof is made with the app's secret."""
        page = next((page for page in self._pages if self._page_tokens[page.id] == token), None)
        if page is None and token not in self._long and token not in self._short:
            # Facebook quotes what it was sent.
            raise GraphError(190, f"Malformed access token {token}")
        if self._dead:
            raise GraphError(190, "Error validating access token.", subcode=self._dead)
        expected = hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, proof):
            raise GraphError(100, "Invalid appsecret_proof provided in the API argument")
        return page

    # --- the dialog and what follows ---------------------------------------------------------------

    def dialog(self, query: dict[str, str]) -> Response:
        """GET of the authorize page: what a press on "Allow" would do, unless told otherwise."""
        redirect = query.get("redirect_uri", "")
        if query.get("client_id") != self.app_id or query.get("response_type") != "code":
            return HTMLResponse("Invalid App ID", 400)
        if not redirect.startswith(("http://", "https://")) or not query.get("state"):
            return HTMLResponse("Can't load URL: its domain isn't included in the app's domains.", 400)
        if not (query.get("scope") or query.get("config_id")):
            return HTMLResponse("Invalid Scopes", 400)
        answer = query.get("answer") if query.get("asked") else self.answer
        if answer == "ask":
            fields = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                for name, value in query.items()
            )
            return HTMLResponse(ASKED.format(fields=fields))
        if answer == "deny":
            denied = {"error": "access_denied", "error_code": "200", "error_reason": "user_denied"}
            return RedirectResponse(f"{redirect}?{urlencode({**denied, 'state': query['state']})}#_=_", 302)
        code = self._mint()
        granted = ",".join(s for s in self.scopes.split(",") if s in query.get("scope", self.scopes))
        self._codes[code] = {"redirect": redirect, "scopes": granted, "until": datetime.now(UTC) + CODE_LIFE}
        return RedirectResponse(f"{redirect}?{urlencode({'code': code, 'state': query['state']})}#_=_", 302)

    def access_token(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /oauth/access_token: a code, or a short login for a long one."""
        if (args.get("client_id"), args.get("client_secret")) != (self.app_id, self.secret):
            raise GraphError(1, "Error validating client secret.")
        token = self._mint()
        if args.get("grant_type") == "fb_exchange_token":
            given = args.get("fb_exchange_token", "")
            if given not in self._short or self._dead:
                raise GraphError(190, f"Malformed access token {given}")
            self._long[token] = self._short[given]
            return {"access_token": token, "token_type": "bearer", "expires_in": 5184000}
        code = self._codes.pop(args.get("code", ""), None)
        if code is None or code["until"] < datetime.now(UTC):
            raise GraphError(100, "This authorization code has been used or expired.", subcode=36009)
        if code["redirect"] != args.get("redirect_uri"):
            raise GraphError(100, "Error validating verification code. redirect_uri differs", subcode=36008)
        self._short[token] = code["scopes"]
        self._dead, self.revoked = 0, False
        return {"access_token": token, "token_type": "bearer", "expires_in": 5000}

    def debug_token(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /debug_token, asked with the app's own login."""
        if args.get("access_token") != f"{self.app_id}|{self.secret}":
            raise GraphError(190, "Invalid OAuth access token signature.")
        token, now = args.get("input_token", ""), int(datetime.now(UTC).timestamp())
        person = self._long.get(token) or self._short.get(token)
        known = person is not None or token in self._page_tokens.values()
        scopes = person if person is not None else next(iter(self._long.values()), self.scopes)
        return {
            "data": {
                "app_id": self.app_id,
                "type": "USER" if person is not None else "PAGE",
                "is_valid": known and not self._dead,
                "expires_at": now + 5184000 if token in self._long else 0,
                "data_access_expires_at": now + 7776000,
                "scopes": scopes.split(",") if scopes else [],
            }
        }

    def accounts(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /me/accounts, in pages."""
        start = int(args.get("after", "0"))
        size = min(self.page_size, int(args.get("limit", "25")))
        some = self._pages[start : start + size]
        data = [
            {
                "id": page.id,
                "name": page.name,
                "access_token": self._page_tokens[page.id],
                "tasks": self.tasks,
                "category": "Clothing store",
                "picture": {"data": {"url": f"http://sim/{page.id}.jpg"}},
            }
            for page in some
        ]
        paging: dict[str, Any] = {"cursors": {"after": str(start + len(some))}}
        if start + size < len(self._pages):
            paging["next"] = "http://sim/next"
        return {"data": data, "paging": paging}

    def may_message(self) -> bool:
        """Whether the person allowed the app to write messages, and may do so themselves."""
        allowed = next(iter(self._long.values()), self.scopes).split(",")
        return "pages_messaging" in allowed and "MESSAGING" in self.tasks

    def grow(self, page: Page) -> None:
        """The person has one more Page."""
        self._pages.append(page)
        self._page_tokens[page.id] = self._mint()

    def revoke(self) -> dict[str, Any]:
        """DELETE /me/permissions: the app is removed, and every token of it dies."""
        self.revoked = True
        self.unlink(458)
        return {"success": True}

    def _mint(self) -> str:
        return "EAAG" + "".join(self._random.choices("abcdefghijkLMNOPQRSTUV0123456789", k=60))
