"""The fake's account and its Helix calls: one channel, its login, its key, its stream, its chat."""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import UTC, datetime
from typing import Any

from connectors.types import Tokens

STREAM_KEY = "channel:read:stream_key"
BROADCAST = "channel:manage:broadcast"
READ_CHAT = "user:read:chat"
WRITE_CHAT = "user:write:chat"
DUPLICATE_SECONDS = 30.0
LIFE_SECONDS = 14_400
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


class Channel:
    """One channel of one user. Every method answers as Helix does, or raises HelixError."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self.id, self.login, self.name = "141981764", "simulated_shop", "Simulated_Shop"
        self.client_id, self.client_secret = self.secret(), self.secret()
        self.key = f"live_{self.id}_{self.secret()}"
        self.title = ""
        self.access, self.refresh = self.secret(), self.secret()
        self.scopes = [BROADCAST, STREAM_KEY, READ_CHAT, WRITE_CHAT]
        self.refreshes = 0
        self.validations = 0
        self.stream: dict[str, Any] | None = None
        self.sent: list[dict[str, str]] = []
        self.dropping: list[dict[str, str]] = []
        self._said: dict[str, float] = {}

    def secret(self) -> str:
        """The same for the same seed."""
        return f"{self._random.getrandbits(128):032x}"

    def new_id(self) -> str:
        """A UUID, as all of Twitch's messages have."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    # --- logins -----------------------------------------------------------------------------------

    def admit(self, client_id: str, authorization: str) -> None:
        """Let a Helix call in."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            raise HelixError(401, "OAuth token is missing")
        if token != self.access:
            raise HelixError(401, "Invalid OAuth token")
        if client_id != self.client_id:
            raise HelixError(401, "Client ID and OAuth token do not match")

    def need(self, scope: str, owner: str | None) -> None:
        """The scope, and that the call is about the token's own channel."""
        if scope not in self.scopes:
            raise HelixError(401, f"Missing scope: {scope}")
        if owner != self.id:
            raise HelixError(
                403, "The ID in broadcaster_id must match the user ID found in the access token."
            )

    def validate(self, authorization: str) -> dict[str, Any]:
        """GET /oauth2/validate."""
        if authorization != f"OAuth {self.access}":
            raise HelixError(401, "invalid access token")
        self.validations += 1
        about = {"client_id": self.client_id, "login": self.login, "user_id": self.id}
        return {**about, "scopes": list(self.scopes), "expires_in": LIFE_SECONDS}

    def renew(self, form: dict[str, str]) -> dict[str, Any]:
        """POST /oauth2/token. The refresh token works once, as a public client's does."""
        if form.get("client_id") != self.client_id:
            raise HelixError(400, "invalid client")
        if form.get("client_secret") != self.client_secret:
            raise HelixError(403, "invalid client secret")
        if form.get("grant_type") != "refresh_token":
            raise HelixError(400, "missing grant type")
        if form.get("refresh_token") != self.refresh:
            raise HelixError(400, "Invalid refresh token")
        self.access, self.refresh = self.secret(), self.secret()
        self.refreshes += 1
        tokens = {"access_token": self.access, "refresh_token": self.refresh}
        return {**tokens, "expires_in": LIFE_SECONDS, "scope": list(self.scopes), "token_type": "bearer"}

    def tokens(self) -> Tokens:
        """A login that works right now."""
        return Tokens.model_validate({"access": self.access, "refresh": self.refresh})

    # --- the stream -------------------------------------------------------------------------------

    def stream_key(self, owner: str | None) -> dict[str, Any]:
        """GET /helix/streams/key."""
        self.need(STREAM_KEY, owner)
        return {"data": [{"stream_key": self.key}]}

    def modify(self, owner: str | None, body: dict[str, Any]) -> None:
        """PATCH /helix/channels."""
        self.need(BROADCAST, owner)
        title = body.get("title")
        if title is not None and not 0 < len(title) <= 140:
            raise HelixError(400, "The title must be between 1 and 140 characters long.")
        if not body:
            raise HelixError(400, "At least one parameter must be provided.")
        self.title = title if title is not None else self.title

    def streams(self, wanted: list[str]) -> dict[str, Any]:
        """GET /helix/streams: nothing for a channel that is not live."""
        live = [self.stream] if self.stream is not None and self.id in wanted else []
        return {"data": live, "pagination": {}}

    def ingest(self, key: str, *, publishing: bool) -> bool:
        """What Twitch's ingest does with a publisher; a bandwidth test is taken but never shown."""
        name, _, query = key.partition("?")
        if name != self.key:
            return False
        if not publishing:
            self.stream = None
        elif "bandwidthtest=true" not in query:
            self.stream = self._live()
        return True

    def _live(self) -> dict[str, Any]:
        return {
            "id": str(self._random.randrange(10**10, 10**11)),
            "user_id": self.id,
            "user_login": self.login,
            "user_name": self.name,
            "game_id": "509658",
            "game_name": "Just Chatting",
            "type": "live",
            "title": self.title,
            "tags": ["Shopping"],
            "viewer_count": 77,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "language": "en",
            "thumbnail_url": "https://static-cdn.jtvnw.net/previews-ttv/live_user-{width}x{height}.jpg",
            "tag_ids": [],
            "is_mature": False,
        }

    # --- writing in the chat ----------------------------------------------------------------------

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /helix/chat/messages. What is dropped is told under HTTP 200."""
        if WRITE_CHAT not in self.scopes:
            raise HelixError(401, f"Missing scope: {WRITE_CHAT}")
        if body.get("sender_id") != self.id or body.get("broadcaster_id") != self.id:
            raise HelixError(
                403, "The sender is not permitted to send chat messages to the broadcaster's chat."
            )
        text = body.get("message", "")
        if not 0 < len(text) <= 500:
            raise HelixError(400, "The message must be between 1 and 500 characters long.")
        reason = self.dropping.pop(0) if self.dropping else self._repeated(text)
        if reason:
            return {"data": [{"message_id": "", "is_sent": False, "drop_reason": reason}]}
        self.sent.append({"id": self.new_id(), "text": text})
        return {"data": [{"message_id": self.sent[-1]["id"], "is_sent": True, "drop_reason": None}]}

    def _repeated(self, text: str) -> dict[str, str] | None:
        now = asyncio.get_running_loop().time()
        before, self._said[text] = self._said.get(text), now
        if before is None or now - before > DUPLICATE_SECONDS:
            return None
        said = "Your message is identical to the one you sent less than 30 seconds ago."
        return {"code": "msg_duplicate", "message": said}
