"""The fake's account: one channel, its key, its stream, what it says about itself."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.twitch.fake_logins import HelixError, Logins

STREAM_KEY = "channel:read:stream_key"
BROADCAST = "channel:manage:broadcast"
READ_CHAT = "user:read:chat"
WRITE_CHAT = "user:write:chat"
DELETE_MESSAGES = "moderator:manage:chat_messages"
BAN = "moderator:manage:banned_users"
ANNOUNCE = "moderator:manage:announcements"
READ_POLLS = "channel:read:polls"
SCOPES = [BROADCAST, STREAM_KEY, READ_CHAT, WRITE_CHAT, DELETE_MESSAGES, BAN, ANNOUNCE, READ_POLLS]
CATEGORIES = {
    "509658": "Just Chatting",
    "509660": "Art",
    "26936": "Music",
    "116747788": "Pools, Hot Tubs, and Beaches",
}
CATEGORIES |= {
    "509673": "Makers & Crafting",
    "518184": "Sports",
    "1469308723": "Software and Game Development",
}
LANGUAGES = frozenset(["en", "de", "fr", "es", "it", "nl", "pl", "pt", "ja", "ko", "zh", "ru", "sv", "other"])
CDN = "https://static-cdn.jtvnw.net"


class Channel:
    """One channel of one user. Every method answers as Helix does, or raises HelixError."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self.id, self.login, self.name = "141981764", "simulated_shop", "Simulated_Shop"
        self.logins = Logins(rng, self.id, self.login, list(SCOPES))
        self.key = f"live_{self.id}_{self.logins.secret()}"
        self.info: dict[str, Any] = {"title": "", "game_id": "", "broadcaster_language": "en", "tags": []}
        self.stream: dict[str, Any] | None = None
        self.viewers = 77

    def new_id(self) -> str:
        """A UUID, as all of Twitch's messages have."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def need(self, scope: str, owner: str | None) -> None:
        """The scope, and that the call is about the token's own channel."""
        self.logins.need(scope)
        if owner != self.id:
            raise HelixError(
                403, "The ID in broadcaster_id must match the user ID found in the access token."
            )

    # --- the stream -------------------------------------------------------------------------------

    def stream_key(self, owner: str | None) -> dict[str, Any]:
        """GET /helix/streams/key."""
        self.need(STREAM_KEY, owner)
        return {"data": [{"stream_key": self.key}]}

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
            "game_id": self.info["game_id"],
            "game_name": CATEGORIES.get(self.info["game_id"], ""),
            "type": "live",
            "title": self.info["title"],
            "tags": list(self.info["tags"]),
            "viewer_count": self.viewers,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "language": self.info["broadcaster_language"],
            "thumbnail_url": f"{CDN}/previews-ttv/live_user-{{width}}x{{height}}.jpg",
            "tag_ids": [],
            "is_mature": False,
        }

    # --- what it says about itself ----------------------------------------------------------------

    def modify(self, owner: str | None, body: dict[str, Any]) -> None:
        """PATCH /helix/channels."""
        self.need(BROADCAST, owner)
        if not body:
            raise HelixError(400, "At least one parameter must be provided.")
        if "title" in body and not 0 < len(body["title"]) <= 140:
            raise HelixError(400, "The title must be between 1 and 140 characters long.")
        if body.get("game_id") not in {None, "", "0", *CATEGORIES}:
            raise HelixError(400, "The ID in game_id is not valid.")
        if body.get("broadcaster_language", "en") not in LANGUAGES:
            raise HelixError(400, "The specified broadcaster_language is not supported.")
        tags = body.get("tags") or []
        if len(tags) > 10 or not all(tag.isalnum() and len(tag) <= 25 for tag in tags):
            raise HelixError(400, "Each channel can have up to 10 tags of 25 letters and digits.")
        self.info.update({name: value for name, value in body.items() if name in self.info})

    def games(self, names: list[str]) -> dict[str, Any]:
        """GET /helix/games: names must be exact."""
        return {"data": [game(key) for key, name in CATEGORIES.items() if name in names]}

    def search(self, query: str) -> dict[str, Any]:
        """GET /helix/search/categories: any word that is alike."""
        if not query:
            raise HelixError(400, "The query parameter is required.")
        words = query.casefold().split()
        alike = [key for key, name in CATEGORIES.items() if any(word in name.casefold() for word in words)]
        return {"data": [game(key) for key in alike], "pagination": {}}

    # --- others -----------------------------------------------------------------------------------

    def users(self, wanted: list[str]) -> dict[str, Any]:
        """GET /helix/users; without an id, whose token it is. Whoever has only digits is somebody."""
        if len(wanted) > 100:
            raise HelixError(400, "The total number of id and login query parameters is limited to 100.")
        return {"data": [self._user(key) for key in wanted or [self.id] if key.isdecimal()]}

    def _user(self, key: str) -> dict[str, Any]:
        login, name = (self.login, self.name) if key == self.id else (f"viewer_{key}", f"Viewer_{key}")
        return {
            "id": key,
            "login": login,
            "display_name": name,
            "type": "",
            "broadcaster_type": "affiliate" if key == self.id else "",
            "description": "",
            "profile_image_url": f"{CDN}/jtv_user_pictures/{key}-profile_image-300x300.png",
            "offline_image_url": "",
            "created_at": "2020-11-24T10:00:00Z",
        }

    def ingests(self, base_url: str, ingest_url: str | None) -> dict[str, Any]:
        """GET /ingests: a server that is near, one that nobody answers at, and one out of use."""
        # Nobody publishes at this server's own port; it only has to let itself be reached.
        near = ingest_url or f"rtmp://127.0.0.1:{urlsplit(base_url).port}/app"
        servers = [("EU: Nowhere", "rtmp://127.0.0.1:9/app"), ("EU: Frankfurt", near)]
        servers.append(("EU: Old (deprecated)", near.replace("/app", "/old")))
        return {"ingests": [ingest(order, *server) for order, server in enumerate(servers)]}


def game(key: str) -> dict[str, str]:
    """A category as Helix tells it."""
    art = f"{CDN}/ttv-boxart/{key}-{{width}}x{{height}}.jpg"
    return {"id": key, "name": CATEGORIES[key], "box_art_url": art, "igdb_id": ""}


def ingest(order: int, name: str, url: str) -> dict[str, Any]:
    """A server as Twitch's list tells it."""
    template = f"{url}/{{stream_key}}"
    about = {"_id": order, "availability": 1.0, "default": False, "name": name, "priority": order}
    return {**about, "url_template": template, "url_template_secure": template}
