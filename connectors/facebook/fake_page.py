"""The Page behind the local Facebook: live videos and comments with Facebook's rules, no HTTP."""

from __future__ import annotations

import hashlib
import hmac
import random
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

OVER = frozenset({"LIVE_STOPPED", "PROCESSING", "VOD"})


class GraphError(Exception):
    """A refusal; most come with HTTP 400, whatever they mean."""

    def __init__(self, code: int, message: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode, self.status = code, message, subcode, status

    def body(self) -> dict[str, Any]:
        """`{"error": {"message", "type", "code", "error_subcode"?, "fbtrace_id"}}`."""
        error = {"message": self.message, "type": "OAuthException", "code": self.code, "fbtrace_id": "Ab1"}
        return {"error": error | ({"error_subcode": self.subcode} if self.subcode else {})}


class Page:
    """Methods take the call's arguments as they come (all strings) and give what Graph would answer."""

    def __init__(self, ingest_url: str, rng: random.Random) -> None:
        self._ingest_url = ingest_url
        self._random = rng
        self.base_url = "http://127.0.0.1/"
        self.id = f"{rng.randrange(10**14, 10**15)}"
        self.secret = f"{rng.getrandbits(128):032x}"
        self.generation = 1
        self._token = self._mint()
        self._dead = 0
        self._videos: dict[str, dict[str, Any]] = {}
        self._said: dict[str, list[dict[str, Any]]] = {}

    # --- the login -------------------------------------------------------------------------------

    def linked(self) -> str:
        """The Page token; a new one after the old was killed."""
        if self._dead:
            self._token, self._dead = self._mint(), 0
        return self._token

    def unlink(self, subcode: int) -> None:
        """Kill the token; the subcode says why."""
        self._dead = subcode

    def admit(self, token: str, proof: str) -> None:
        """Raise unless the token lives and the proof is made from it with the app's secret."""
        if token != self._token:
            # Facebook quotes what it was sent.
            raise GraphError(190, f"Malformed access token {token}")
        if self._dead:
            raise GraphError(190, "Error validating access token.", subcode=self._dead)
        expected = hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, proof):
            raise GraphError(100, "Invalid appsecret_proof provided in the API argument")

    # --- live videos -----------------------------------------------------------------------------

    def create(self, args: dict[str, str]) -> dict[str, Any]:
        """POST /{page}/live_videos."""
        status = args.get("status", "UNPUBLISHED")
        if status not in {"LIVE_NOW", "UNPUBLISHED"}:
            raise GraphError(100, "Param status must be one of the allowed values")
        number = len(self._videos) + 1
        ref, video = f"12{number:013d}", f"22{number:013d}"
        key = f"FB-{ref}-0-{self._random.getrandbits(64):016x}?s_bl=1&s_ps=1"
        self._videos[ref] = {
            "id": ref,
            "status": "UNPUBLISHED",
            "publish": status == "LIVE_NOW",
            "title": args.get("title", ""),
            "description": args.get("description", ""),
            "secure_stream_url": f"{self._ingest_url}/{key}",
            "stream_url": f"{self._ingest_url}/{key}",
            "permalink_url": f"/{self.id}/videos/{video}/",
            "video": {"id": video},
            "live_views": 0,
            "ingest_streams": [{"id": f"in_{ref}", "stream_id": "0", "is_master": True}],
        }
        if args.get("enable_backup_ingest") == "true":
            self._videos[ref]["secure_stream_secondary_urls"] = [f"{self._ingest_url}/{key}&s_backup=1"]
        self._said[ref] = []
        return {name: self._videos[ref][name] for name in ("id", "stream_url", "secure_stream_url")}

    def list_videos(self, args: dict[str, str]) -> dict[str, Any]:
        """GET /{page}/live_videos, newest first."""
        newest = list(reversed(self._videos.values()))
        return self._paged(newest, args, f"{self.id}/live_videos")

    def video(self, ref: str) -> dict[str, Any]:
        """The live video, or the error for one that is gone or invisible."""
        if ref not in self._videos:
            raise GraphError(
                100, f"Unsupported get request. Object with ID '{ref}' does not exist", subcode=33
            )
        return self._videos[ref]

    def get(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        """GET /{live-video}; a stopped one turns into a recording after it was seen stopped."""
        video = self.video(ref)
        answer = with_fields(video, args)
        if video["status"] == "LIVE_STOPPED":
            video["status"] = "VOD"
        return answer

    def update(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        """POST /{live-video}: end it. Ending twice is an error here, as it is there."""
        video = self.video(ref)
        if args.get("end_live_video") != "true":
            raise GraphError(100, "Nothing to update")
        if video["status"] in OVER:
            raise GraphError(100, "The live video has already ended")
        video["status"] = "LIVE_STOPPED"
        return {"id": ref}

    def ingest(self, key: str, publishing: bool) -> str | None:
        """The RTMP receiver's question; the key may come with or without its query."""
        for ref, video in self._videos.items():
            whole = video["secure_stream_url"].removeprefix(f"{self._ingest_url}/")
            known = {whole, whole.partition("?")[0], f"{whole}&s_backup=1"}
            if key in known and video["status"] not in OVER:
                health = {"video_bitrate": 3500000.0, "video_framerate": 30.0} if publishing else {}
                video["ingest_streams"][0]["stream_health"] = health
                if publishing and video["publish"]:
                    video["status"] = "LIVE"
                return ref
        return None

    # --- comments --------------------------------------------------------------------------------

    def running(self) -> list[str]:
        """The live videos that take comments."""
        return [ref for ref, video in self._videos.items() if video["status"] not in OVER]

    def say(
        self, ref: str, text: str, author: tuple[str, str] | None, *, low_quality: bool = False
    ) -> dict[str, Any]:
        """A new comment. Without the right permission there is no `from`."""
        post = f"{self.id}_{self.video(ref)['video']['id']}"
        if not text:
            raise GraphError(100, "Parameter message cannot be empty")
        last = self._said[ref][-1] if self._said[ref] else {}
        if author and last.get("message") == text and last.get("from", {}).get("id") == author[0] == self.id:
            raise GraphError(506, "Duplicate status message")
        comment = {
            "id": f"{post}_{10**15 + len(self._said[ref]) + 1}",
            "message": text,
            "created_time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "is_hidden": False,
            "low_quality": low_quality,
        }
        if author:
            comment["from"] = {"id": author[0], "name": author[1]}
        self._said[ref].append(comment)
        return comment

    def list_comments(self, ref: str, args: dict[str, str]) -> dict[str, Any]:
        """GET /{live-video}/comments; hides low quality unless told not to."""
        self.video(ref)
        every = args.get("live_filter") == "no_filter"
        found = [comment for comment in self._said[ref] if every or not comment["low_quality"]]
        return self._paged(found, args, f"{ref}/comments")

    def state(self) -> dict[str, Any]:
        """For assertions."""
        comments = [comment for said in self._said.values() for comment in said]
        sent = [c["message"] for c in comments if c.get("from", {}).get("id") == self.id]
        return {"broadcasts": list(self._videos.values()), "comments": len(comments), "sent": sent}

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
        return {"data": [with_fields(item, args) for item in page], "paging": paging}

    def _mint(self) -> str:
        return "EAAG" + "".join(self._random.choices("abcdefghijkLMNOPQRSTUV0123456789", k=60))


def with_fields(item: dict[str, Any], args: dict[str, str]) -> dict[str, Any]:
    """The fields asked for (top level), and the id, which always comes."""
    # from{id,name} → from: inner selections are not applied, Facebook's extra fields do no harm.
    names = re.sub(r"\{[^}]*\}", "", args.get("fields", "id,message,created_time")).split(",")
    return {"id": item["id"], **{name: item[name] for name in names if name in item}}
