"""A Page behind the local Facebook: live videos and comments with Facebook's rules, no HTTP."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

OVER = frozenset({"LIVE_STOPPED", "PROCESSING", "VOD", "SCHEDULED_EXPIRED", "SCHEDULED_CANCELED"})
WRITTEN = frozenset({"LIVE_NOW", "UNPUBLISHED", "SCHEDULED_UNPUBLISHED", "SCHEDULED_LIVE"})
LONGEST_TITLE, LONGEST_COMMENT, LONGEST_MESSAGE = 254, 8000, 2000
ANSWERABLE = timedelta(days=7)

Tell = Callable[[str, str, dict[str, Any]], None]
"""(Page, webhook field, value)."""


class GraphError(Exception):
    """A refusal; most come with HTTP 400, whatever they mean."""

    def __init__(self, code: int, message: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode, self.status = code, message, subcode, status

    def body(self) -> dict[str, Any]:
        """`{"error": {"message", "type", "code", "error_subcode"?, "fbtrace_id"}}`."""
        error = {"message": self.message, "type": "OAuthException", "code": self.code, "fbtrace_id": "Ab1"}
        return {"error": error | ({"error_subcode": self.subcode} if self.subcode else {})}


def gone(ref: str) -> GraphError:
    """What there is to say of an object that does not exist or is invisible."""
    return GraphError(100, f"Unsupported request. Object with ID '{ref}' does not exist", subcode=33)


class Page:
    """Methods take the call's arguments as they come (all strings) and give what Graph would answer."""

    def __init__(self, number: int, ingest_url: str, rng: random.Random, tell: Tell) -> None:
        self._ingest_url = ingest_url
        self._random = rng
        self._number = number
        self._tell = tell
        self.base_url = "http://127.0.0.1/"
        self.id = f"{rng.randrange(10**14, 10**15)}"
        self.name = "The Page" if number == 1 else f"Page {number}"
        self.generation = 1
        self.slow_stop = False
        self.subscribed: set[str] = set()
        self.blocked: set[str] = set()
        self._videos: dict[str, dict[str, Any]] = {}
        self._said: dict[str, list[dict[str, Any]]] = {}
        self._answered: dict[str, str] = {}
        self._count = 0

    # --- live videos -----------------------------------------------------------------------------

    def create(self, args: dict[str, str]) -> dict[str, Any]:
        """POST /{page}/live_videos."""
        status = args.get("status", "UNPUBLISHED")
        if status not in WRITTEN or (status == "SCHEDULED_LIVE"):
            raise GraphError(100, "Param status must be one of the allowed values")
        if "planned_start_time" in args:
            raise GraphError(100, "Scheduling with planned_start_time is deprecated, use event_params")
        start = self._start(args) if status == "SCHEDULED_UNPUBLISHED" else None
        self._check(args)
        number = len(self._videos) + 1
        ref, video, post = (f"{kind}{self._number}{number:012d}" for kind in (12, 22, 33))
        key = f"FB-{ref}-0-{self._random.getrandbits(64):016x}?s_bl=1&s_ps=1"
        shown = status != "UNPUBLISHED"
        self._videos[ref] = {
            "id": ref,
            "status": status if start else "UNPUBLISHED",
            "publish": status == "LIVE_NOW",
            "title": args.get("title", ""),
            "description": args.get("description", ""),
            "creation_time": stamp(datetime.now(UTC)),
            "secure_stream_url": f"{self._ingest_url}/{key}",
            "stream_url": f"{self._ingest_url}/{key}",
            "permalink_url": f"/{self.id}/videos/{video}/",
            "video": {"id": video} | ({"post_id": f"{self.id}_{post}"} if shown else {}),
            "post": f"{self.id}_{post}",
            "live_views": 0,
            "reactions": {"data": [], "summary": {"total_count": 0}},
            "ingest_streams": [{"id": f"in_{ref}", "stream_id": "0", "is_master": True}],
            "errors": [],
        } | ({"planned_start_time": stamp(start)} if start else {})
        if args.get("enable_backup_ingest") == "true":
            self._videos[ref]["secure_stream_secondary_urls"] = [f"{self._ingest_url}/{key}&s_backup=1"]
        self._said[ref] = []
        return {name: self._videos[ref][name] for name in ("id", "stream_url", "secure_stream_url")}

    def list_videos(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /{page}/live_videos, newest first."""
        newest = list(reversed(self._videos.values()))
        return self._paged(newest, args, f"{self.id}/live_videos")

    def video(self, ref: str) -> dict[str, Any]:
        """The live video by its own id or its post's, or the error for one that is gone or invisible."""
        for video in self._videos.values():
            if ref in (video["id"], video["post"]):
                return video
        raise gone(ref)

    def get(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        """GET of an object; a stopped live video turns into a recording after it was seen stopped."""
        if ref not in self._videos:
            return with_fields(self._comment(ref), args)
        video = self._videos[ref]
        answer = with_fields(video, args)
        if video["status"] == "LIVE_STOPPED":
            video["status"] = "PROCESSING" if self.slow_stop else "VOD"
        return answer

    def update(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        """POST to a live video. Ending twice is an error here, as it is there."""
        if ref not in self._videos:
            return self._hide(ref, args)
        video = self._videos[ref]
        wanted, announced = args.get("status"), video["status"].startswith("SCHEDULED")
        self._check(args)
        if args.get("end_live_video") == "true":
            if video["status"] in OVER:
                raise GraphError(100, "The live video has already ended")
            video["status"] = "LIVE_STOPPED"
            self._tell(self.id, "live_videos", {"id": video["video"]["id"], "status": "live_stopped"})
        elif wanted == "LIVE_NOW" and video["status"] in {"UNPUBLISHED", "SCHEDULED_UNPUBLISHED"}:
            video["publish"] = True
            video["video"]["post_id"] = video["post"]
            self._go_live(video)
        elif wanted == "SCHEDULED_CANCELED" and announced:
            video["status"] = "SCHEDULED_CANCELED"
        elif wanted or not {"title", "description", "event_params"} & set(args):
            raise GraphError(100, "Nothing to update, or not in this state")
        if "event_params" in args:
            if not announced:
                raise GraphError(100, "Only a scheduled live video has a start time")
            video["planned_start_time"] = stamp(self._start(args))
        video.update({name: args[name] for name in ("title", "description") if name in args})
        return {"id": ref, "success": True}

    def ingest(self, key: str, publishing: bool) -> str | None:
        """The RTMP receiver's question; the key may come with or without its query."""
        for ref, video in self._videos.items():
            whole = video["secure_stream_url"].removeprefix(f"{self._ingest_url}/")
            known = {whole, whole.partition("?")[0], f"{whole}&s_backup=1"}
            if key in known and video["status"] not in OVER:
                measured = {"video_bitrate": 3500000.0, "video_framerate": 30.0, "audio_bitrate": 128000.0}
                video["ingest_streams"][0]["stream_health"] = measured if publishing else {}
                self._go_live(video)
                return ref
        return None

    def measure(self, more: dict[str, Any]) -> None:
        """Set what is counted and measured: {"live_views"?, "reactions"?, "health"?, "error"?}."""
        for video in self._videos.values():
            video["live_views"] = more.get("live_views", video["live_views"])
            if "reactions" in more:
                video["reactions"]["summary"]["total_count"] = more["reactions"]
            if "health" in more:
                video["ingest_streams"][0]["stream_health"] = more["health"]
            if "error" in more:
                error = {"id": "e1", "creation_time": stamp(datetime.now(UTC)), "error_code": 1}
                video["errors"].append(error | {"error_message": more["error"]})

    def expire(self) -> None:
        """Facebook gives up what was announced and never began."""
        for video in self._videos.values():
            if video["status"].startswith("SCHEDULED"):
                video["status"] = "SCHEDULED_EXPIRED"

    # --- comments --------------------------------------------------------------------------------

    def running(self) -> list[str]:
        """The live videos that take comments."""
        return [ref for ref, video in self._videos.items() if video["status"] not in OVER]

    def say(
        self,
        ref: str,
        text: str,
        author: tuple[str, str] | None,
        *,
        low_quality: bool = False,
        parent: str | None = None,
    ) -> dict[str, Any]:
        """A new comment. Without the right permission there is no `from`."""
        video = self.video(ref)
        said = self._said[video["id"]]
        if not text or len(text) > LONGEST_COMMENT:
            raise GraphError(100, "Parameter message must have 1 to 8000 characters")
        if author and author[0] in self.blocked:
            raise GraphError(200, "The user is blocked from this Page")
        self._count += 1
        last = said[-1] if said else {}
        if author and last.get("message") == text and last.get("from", {}).get("id") == author[0] == self.id:
            raise GraphError(506, "Duplicate status message")
        comment = {
            "id": f"{video['post']}_{self._number}{10**15 + self._count}",
            "live": video["id"],
            "message": text,
            "created_time": stamp(datetime.now(UTC)),
            "is_hidden": False,
            "low_quality": low_quality,
        }
        if author:
            comment["from"] = {"id": author[0], "name": author[1]}
        if parent:
            comment["parent"] = {"id": parent}
        said.append(comment)
        self._news(comment, "add")
        return comment

    def reply(self, ref: str, text: str, author: tuple[str, str]) -> dict[str, Any]:
        """POST /{comment}/comments."""
        above = self._comment(ref)
        return self.say(above["live"], text, author, parent=above["id"])

    def answer_privately(self, args: dict[str, str], *, allowed: bool) -> dict[str, Any]:
        """POST /{page}/messages to whoever wrote a comment: once, within seven days, to no Page."""
        if not allowed:
            raise GraphError(230, "(#230) Requires pages_messaging permission to manage the object")
        recipient, message = (json.loads(args.get(name, "{}")) for name in ("recipient", "message"))
        text = message.get("text", "")
        if not text or len(text) > LONGEST_MESSAGE:
            raise GraphError(100, "Length of param message[text] must be 1 to 2000 characters")
        try:
            comment = self._comment(recipient.get("comment_id", ""))
        except GraphError:
            raise GraphError(100, "(#100) Invalid comment_id parameter", subcode=2018292) from None
        author = comment.get("from", {}).get("id")
        if author in {None, self.id} or author in self.blocked:
            raise GraphError(10903, "(#10903) This user can't reply to this activity", subcode=1893049)
        if comment["id"] in self._answered:
            raise GraphError(10900, "(#10900) Activity already replied to")
        if datetime.now(UTC) - datetime.fromisoformat(comment["created_time"]) > ANSWERABLE:
            raise GraphError(10, "(#10) This message is sent outside of allowed window.", subcode=2018278)
        self._answered[comment["id"]] = text
        return {"recipient_id": author, "message_id": f"m_{self._number}_{len(self._answered)}"}

    def grow_old(self, by: timedelta) -> None:
        """Every comment was written so much earlier."""
        for comment in (one for said in self._said.values() for one in said):
            comment["created_time"] = stamp(datetime.fromisoformat(comment["created_time"]) - by)

    def list_comments(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        """GET /{live-video or post}/comments; hides low quality unless told not to."""
        every = args.get("live_filter") == "no_filter"
        said = self._said[self.video(ref)["id"]]
        found = [
            comment
            for comment in said
            if (every or not comment["low_quality"])
            and (args.get("filter") == "stream" or "parent" not in comment)
        ]
        return self._paged(found, args, f"{ref}/comments")

    def list_errors(self, ref: str) -> dict[str, Any]:
        """GET /{live-video}/errors."""
        return {"data": self.video(ref)["errors"]}

    def remove(self, ref: str) -> dict[str, Any]:
        """DELETE /{comment}."""
        comment = self._comment(ref)
        # It leaves a hole: pages keep their places and become short.
        comment["gone"] = True
        self._news(comment, "remove")
        return {"success": True}

    def block(self, args: dict[str, str], *, lift: bool) -> dict[str, Any]:
        """POST and DELETE /{page}/blocked with page-scoped ids."""
        given = args.get("psid", "")
        people = json.loads(given) if given.startswith("[") else [given]
        everyone = {said["from"]["id"] for many in self._said.values() for said in many if "from" in said}
        if not set(people) <= everyone | self.blocked:
            raise GraphError(210, "User not visible")
        if lift:
            self.blocked -= set(people)
            return {"success": True}
        self.blocked |= set(people)
        return dict.fromkeys(people, True)

    def state(self) -> dict[str, Any]:
        """For assertions."""
        every = [comment for said in self._said.values() for comment in said]
        comments = [comment for comment in every if "gone" not in comment]
        return {
            "broadcasts": list(self._videos.values()),
            "comments": len(comments),
            "sent": [c["message"] for c in comments if c.get("from", {}).get("id") == self.id],
            "hidden": [comment["message"] for comment in comments if comment["is_hidden"]],
            "blocked": sorted(self.blocked),
            "answered": [*self._answered.values()],
            "subscribed": sorted(self.subscribed),
        }

    def _hide(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        comment = self._comment(ref)
        if args.get("is_hidden") not in {"true", "false"}:
            raise GraphError(100, "Nothing to update")
        comment["is_hidden"] = args["is_hidden"] == "true"
        self._news(comment, "hide" if comment["is_hidden"] else "unhide")
        return {"success": True}

    def _comment(self, ref: str) -> dict[str, Any]:
        before, _, last = ref.rpartition("_")
        for said in self._said.values():
            for comment in said:
                post = comment["id"].rpartition("_")[0]
                known = {"", post, post.partition("_")[2], comment["live"]}
                if comment["id"].rpartition("_")[2] == last and before in known and "gone" not in comment:
                    return comment
        raise gone(ref)

    def _news(self, comment: dict[str, Any], verb: str) -> None:
        post, _, last = comment["id"].rpartition("_")
        tail = post.partition("_")[2]
        parent = comment.get("parent", {}).get("id")
        value = {"item": "comment", "verb": verb, "comment_id": f"{tail}_{last}", "post_id": post}
        value["parent_id"] = f"{tail}_{parent.rpartition('_')[2]}" if parent else post
        more: dict[str, Any] = {"created_time": int(datetime.now(UTC).timestamp())}
        more["post"] = {"id": post, "status_type": "added_video", "is_published": True}
        if "from" in comment:
            more["from"] = comment["from"]
        if verb != "remove":
            more["message"] = comment["message"]
        self._tell(self.id, "feed", value | more)

    def _go_live(self, video: dict[str, Any]) -> None:
        received = bool(video["ingest_streams"][0].get("stream_health"))
        if received and video["publish"] and video["status"] not in OVER | {"LIVE"}:
            video["status"] = "LIVE"
            self._tell(self.id, "live_videos", {"id": video["video"]["id"], "status": "live"})

    def _start(self, args: dict[str, str]) -> datetime:
        given = args.get("event_params", "")
        asked = json.loads(given).get("start_time", "") if given.startswith("{") else given
        if not str(asked).isdecimal():
            raise GraphError(100, "Param event_params must have a start_time")
        start = datetime.fromtimestamp(int(asked), UTC)
        ahead = start - datetime.now(UTC)
        if not timedelta(minutes=9) < ahead <= timedelta(days=7):
            raise GraphError(100, "The start time must be between 10 minutes and 7 days from now")
        return start

    def _check(self, args: dict[str, str]) -> None:
        if len(args.get("title", "")) > LONGEST_TITLE:
            raise GraphError(100, "Title must be less than 255 characters")

    def _paged(self, found: list[dict[str, Any]], args: dict[str, str], path: str) -> dict[str, Any]:
        start, size = 0, min(100, int(args.get("limit", "25")))
        if "after" in args:
            generation, _, place = args["after"].partition("-")
            if generation != f"QV{self.generation}" or not place.isdecimal():
                raise GraphError(100, "The cursor is invalid or has expired")
            start = int(place)
        page = found[start : start + size]
        if not page:
            return {"data": []}
        after = f"QV{self.generation}-{start + len(page)}"
        paging: dict[str, Any] = {"cursors": {"before": f"QV{self.generation}-{start}", "after": after}}
        if start + size < len(found):
            query = urlencode({**args, "after": after})
            paging["next"] = f"{self.base_url}v26.0/{path}?{query}"
        there = [with_fields(item, args) for item in page if "gone" not in item]
        return {"data": there, "paging": paging}


def stamp(at: datetime) -> str:
    """Graph's way to write a time."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def with_fields(item: dict[str, Any], args: dict[str, str]) -> dict[str, Any]:
    """The fields asked for (top level), and the id, which always comes."""
    # from{id,picture{url}} → from: inner selections are not applied, Facebook's extra fields do no harm.
    names = args.get("fields", "id,message,created_time")
    while "{" in names:
        names = re.sub(r"(\.[a-z]+\([^)]*\))|\{[^{}]*\}", "", names)
    names = re.sub(r"\.[a-z]+\([^)]*\)", "", names)
    return {"id": item["id"], **{name: item[name] for name in names.split(",") if name in item}}
