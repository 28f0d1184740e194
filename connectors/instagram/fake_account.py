"""The account behind the local Instagram: its live, comments and private replies, no HTTP."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

LARGEST = 50
LONGEST_BYTES = 1000

Tell = Callable[[dict[str, Any]], None]
"""The value of a live_comments webhook."""


class GraphError(Exception):
    """A refusal; most come with HTTP 400, whatever they mean."""

    def __init__(self, code: int, message: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode, self.status = code, message, subcode, status

    def body(self) -> dict[str, Any]:
        """`{"error": {"message", "type", "code", "error_subcode"?, "fbtrace_id"}}`."""
        error = {"message": self.message, "type": "IGApiException", "code": self.code, "fbtrace_id": "Ab2"}
        return {"error": error | ({"error_subcode": self.subcode} if self.subcode else {})}


def gone(ref: str) -> GraphError:
    """What there is to say of an object that does not exist or is invisible."""
    return GraphError(100, f"Unsupported request. Object with ID '{ref}' does not exist", subcode=33)


class Account:
    """A person has pressed Go live from the start. A live, its key and its comments end together."""

    def __init__(self, rng: random.Random, tell: Tell) -> None:
        self._random = rng
        self._tell = tell
        self.id = f"1784{rng.randrange(10**12, 10**13)}"
        self.alias = f"{rng.randrange(10**15, 10**16)}"
        self.page_id = f"{rng.randrange(10**14, 10**15)}"
        self.username = "shop"
        self.silent = False
        self.receiving: bool | None = None
        self._lag = 0
        self._shown: dict[str, Any] | None = None
        self._live: dict[str, Any] | None = None
        self._said: list[dict[str, Any]] = []
        self._answered: dict[str, str] = {}
        self._ended: list[str] = []
        self._count = 0
        self.key = ""
        self.go_live()

    # --- the live ----------------------------------------------------------------------------------

    def go_live(self, lag: int = 0) -> str:
        """Live Producer: a new key, and Go live pressed. `lag` looks later live_media shows it."""
        self._count += 1
        self.key = f"IG-{self._count}-{self._random.getrandbits(64):016x}?s_bl=1&s_ps=1"
        self._live = {
            "id": f"1790{self._count:012d}",
            "media_type": "BROADCAST",
            "media_product_type": "LIVE",
            "owner": {"id": self.id},
            "username": self.username,
            "permalink": f"http://sim/{self._count}",
            "timestamp": stamp(),
            "comments_count": 0,
            "current_live_viewer_count": 0,
            "live_reactions": {"total_reactions": 0, "reactions": []},
        }
        self._said, self.receiving, self._lag = [], None, lag
        return self.key

    def end(self, lag: int = 0) -> None:
        """The person ends it, or Instagram does: comments are gone at once, the key is dead."""
        if self._live:
            self._ended.append(self._live["id"])
        self._live, self._lag = None, lag

    def ingest(self, key: str, publishing: bool) -> bool:
        """The RTMP receiver's question."""
        if self._live is None or key not in {self.key, self.key.partition("?")[0]}:
            return False
        self.receiving = publishing
        return True

    def minute(self) -> None:
        """A minute passes: a live that has lost its stream ends."""
        if self.receiving is False:
            self.end()

    def measure(self, more: dict[str, Any]) -> None:
        """Set {"viewers"?, "reactions"?}."""
        if self._live and "viewers" in more:
            self._live["current_live_viewer_count"] = more["viewers"]
        if self._live and "reactions" in more:
            self._live["live_reactions"] = {"total_reactions": more["reactions"], "reactions": []}

    def live_media(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /{account}/live_media: what is on right now, some looks late."""
        if self._lag:
            self._lag -= 1
        else:
            self._shown = self._live
        return {"data": [with_fields(self._shown, args)] if self._shown else []}

    # --- comments ----------------------------------------------------------------------------------

    def say(self, text: str, author_id: str, name: str, *, parent: str | None = None) -> str | None:
        """Somebody comments; the comment's id, or None when there is no live."""
        if self._live is None:
            return None
        self._count += 1
        comment: dict[str, Any] = {
            "id": f"1785{self._count:012d}",
            "text": text,
            "timestamp": stamp(),
            "username": name,
            "from": {"id": author_id, "username": name},
            "hidden": False,
        }
        if parent:
            comment["parent_id"] = parent
        self._live["comments_count"] += 1
        if not self.silent:
            self._said.append(comment)
            media = {"id": self._live["id"], "media_product_type": "LIVE"}
            told = {name: comment[name] for name in ("id", "text", "from", "parent_id") if name in comment}
            self._tell(told | {"media": media})
        return str(comment["id"])

    def comments(self, media: str, args: dict[str, str]) -> dict[str, Any]:
        """GET /{media}/comments, newest first, only while it is on."""
        if self._live is None or self._live["id"] != media:
            raise gone(media)
        newest = self._said[::-1]
        start, size = int(args.get("after", "0")), min(LARGEST, int(args.get("limit", "25")))
        page = newest[start : start + size]
        answer: dict[str, Any] = {"data": [with_fields(one, args) for one in page]}
        if page:
            answer["paging"] = {"cursors": {"after": str(start + len(page))}}
            if start + size < len(newest):
                answer["paging"]["next"] = "http://sim/next"
        return answer

    def change(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        """POST /{comment} hide=true|false."""
        if args.get("hide") not in {"true", "false"}:
            raise GraphError(100, "Param hide is required")
        self._comment(ref)["hidden"] = args["hide"] == "true"
        return {"success": True}

    def remove(self, ref: str) -> dict[str, Any]:
        """DELETE /{comment}."""
        self._said.remove(self._comment(ref))
        return {"success": True}

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /{account}/messages: one private reply per comment, and only while the live is on."""
        comment, text = body["recipient"]["comment_id"], body["message"]["text"]
        if comment in self._answered:
            raise GraphError(100, "A private reply was sent to this comment already", subcode=2534014)
        if self._live is None:
            raise GraphError(10, "This message is sent outside of allowed window.", subcode=2534022)
        if not text or len(text.encode()) > LONGEST_BYTES:
            raise GraphError(100, "Length of param message[text] must be 1 to 1000 bytes")
        author = self._comment(comment)["from"]["id"]
        self._answered[comment] = text
        return {"recipient_id": author, "message_id": f"mid.{len(self._answered)}"}

    def state(self) -> dict[str, Any]:
        """For assertions."""
        return {
            "live": self._live,
            "ended": self._ended,
            "comments": [comment["text"] for comment in self._said],
            "hidden": [comment["text"] for comment in self._said if comment["hidden"]],
            "answered": self._answered,
        }

    def _comment(self, ref: str) -> dict[str, Any]:
        for comment in self._said:
            if comment["id"] == ref and self._live:
                return comment
        raise gone(ref)


def stamp() -> str:
    """Now, in Graph's way to write a time."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def with_fields(item: dict[str, Any], args: dict[str, str]) -> dict[str, Any]:
    """The fields asked for, and the id, which always comes."""
    names = [name.partition("{")[0] for name in args.get("fields", "id,timestamp,text").split(",")]
    return {"id": item["id"], **{name: item[name] for name in names if name in item}}
