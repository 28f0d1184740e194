"""The channel behind the local YouTube: broadcasts, streams and videos with YouTube's rules, no HTTP.

Rules: discovery revision 20261104 (parts, filters, states) and the errors' reference. What YouTube
refuses is an `ApiError` here.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from connectors.youtube.fake_chat import OWNER, Chat, Chats, Json, Query, only, parts_of
from connectors.youtube.fake_discovery import ApiError

BROADCAST_PARTS = frozenset({"id", "snippet", "status", "contentDetails", "statistics"})
WRITTEN_PARTS = BROADCAST_PARTS - {"statistics"}
STREAM_LIST_PARTS = frozenset({"id", "snippet", "cdn", "status"})
STREAM_PARTS = STREAM_LIST_PARTS | {"contentDetails"}
VIDEO_PARTS = frozenset({"id", "snippet", "liveStreamingDetails", "statistics"})
STARTING = {"liveStarting": "live", "testStarting": "testing"}
NOT_BEGUN = ("created", "ready")

MUTABLE: dict[str, dict[str, Any]] = {
    "snippet": {"title": None, "description": "", "scheduledStartTime": None, "categoryId": "22"},
    "status": {"privacyStatus": "public", "selfDeclaredMadeForKids": False},
    "contentDetails": {
        "latencyPreference": "normal",
        "enableAutoStart": False,
        "enableAutoStop": False,
        "enableDvr": True,
        "recordFromStart": True,
        "monitorStream": {"enableMonitorStream": True, "broadcastStreamDelayMs": 0},
    },
}
"""What an update writes, and what it falls back to when the named part leaves it out."""


class Channel:
    """One channel. API methods take the query (parts joined by commas) and the body, and give a resource."""

    def __init__(
        self, ingest_url: str, chats: Chats, wall: Callable[[], datetime], rng: random.Random
    ) -> None:
        self._ingest_url = ingest_url
        self._chats = chats
        self._wall = wall
        self._random = rng
        self.broadcasts: dict[str, Json] = {}
        self.streams: dict[str, Json] = {}
        self.videos: dict[str, Json] = {}
        self.thumbnails: dict[str, Json] = {}
        self.viewers: int | None = 0
        self.likes = 0
        self.page_size = 50

    # --- broadcasts ------------------------------------------------------------------------------

    def list_broadcasts(self, query: Query, _: Json | None) -> Json:
        parts = parts_of(query, BROADCAST_PARTS)
        if sum(name in query for name in ("id", "mine", "broadcastStatus")) != 1:
            raise ApiError(400, "incompatibleParameters")
        wanted = query["id"].split(",") if "id" in query else list(self.broadcasts)
        found = [self.broadcasts[ref] for ref in wanted if ref in self.broadcasts]
        for broadcast in found:
            self._count(broadcast)
        answer = self._page("liveBroadcast", found, parts, query)
        for broadcast in found:
            # Starting takes a moment: seen once as liveStarting, then live.
            state = broadcast["status"]["lifeCycleStatus"]
            broadcast["status"]["lifeCycleStatus"] = STARTING.get(state, state)
        return answer

    def insert_broadcast(self, query: Query, body: Json | None) -> Json:
        parts, given = parts_of(query, WRITTEN_PARTS), body or {}
        if "scheduledStartTime" not in given.get("snippet", {}):
            raise ApiError(400, "scheduledStartTimeRequired")
        if "privacyStatus" not in given.get("status", {}):
            raise ApiError(400, "privacyStatusRequired")
        self._check(given, None)
        number = len(self.videos) + 1
        ref, chat = f"vid_{number:07d}", f"chat_{number:04d}"
        made: Json = {
            "kind": "youtube#liveBroadcast",
            "etag": "e",
            "id": ref,
            "snippet": {
                "channelId": OWNER,
                "publishedAt": self._stamp(),
                "liveChatId": chat,
                "thumbnails": {},
            },
            "status": {"lifeCycleStatus": "created", "recordingStatus": "notRecording"},
            "contentDetails": {},
            "statistics": {},
        }
        for part in MUTABLE:
            made[part] |= written(part, given.get(part, {}))
        self.broadcasts[ref] = made
        self._chats.by_ref[chat] = Chat(disabled=made["status"]["selfDeclaredMadeForKids"])
        self.videos[ref] = {"tags": [], "defaultLanguage": "en"}
        return copy.deepcopy(only(made, parts))

    def update_broadcast(self, query: Query, body: Json | None) -> Json:
        parts, given = parts_of(query, WRITTEN_PARTS), body or {}
        broadcast = self._known(given.get("id"))
        life = broadcast["status"]["lifeCycleStatus"]
        self._check(given, broadcast)
        for part in parts & set(MUTABLE):
            fresh = written(part, given.get(part, {}))
            old = {name: broadcast[part].get(name) for name in fresh}
            if part == "contentDetails" and life not in NOT_BEGUN and fresh != old:
                raise ApiError(403, "forbidden", "The broadcast's details cannot change any more.")
            broadcast[part] |= fresh
        return copy.deepcopy(only(broadcast, parts))

    def delete_broadcast(self, query: Query, _: Json | None) -> None:
        broadcast = self._known(query.get("id"))
        if broadcast["status"]["lifeCycleStatus"] not in {*NOT_BEGUN, "complete"}:
            raise ApiError(403, "liveBroadcastDeletionNotAllowed")
        del self.broadcasts[broadcast["id"]]
        self._chats.by_ref.pop(broadcast["snippet"]["liveChatId"], None)

    def bind(self, query: Query, _: Json | None) -> Json:
        parts, broadcast = parts_of(query, WRITTEN_PARTS), self._known(query.get("id"))
        if broadcast["status"]["lifeCycleStatus"] not in NOT_BEGUN:
            raise ApiError(403, "liveBroadcastBindingNotAllowed")
        stream = query.get("streamId")
        if stream is not None and stream not in self.streams:
            raise ApiError(404, "liveStreamNotFound")
        broadcast["contentDetails"].pop("boundStreamId", None)
        broadcast["status"]["lifeCycleStatus"] = "ready" if stream else "created"
        if stream:
            broadcast["contentDetails"] |= {
                "boundStreamId": stream,
                "boundStreamLastUpdateTimeMs": self._stamp(),
            }
        return copy.deepcopy(only(broadcast, parts))

    def transition(self, query: Query, _: Json | None) -> Json:
        parts, broadcast = parts_of(query, WRITTEN_PARTS), self._known(query.get("id"))
        state, wanted = broadcast["status"]["lifeCycleStatus"], query["broadcastStatus"]
        if wanted == state or STARTING.get(state) == wanted:
            raise ApiError(403, "redundantTransition")
        monitored = broadcast["contentDetails"]["monitorStream"]["enableMonitorStream"]
        allowed = {("testing" if monitored else "ready", "live"), ("live", "complete")}
        if monitored:
            allowed.add(("ready", "testing"))
        if (state, wanted) not in allowed:
            raise ApiError(403, "invalidTransition")
        if wanted != "complete" and not self._active(broadcast):
            raise ApiError(403, "errorStreamInactive")
        self.move(broadcast, {"live": "liveStarting", "testing": "testStarting"}.get(wanted, wanted))
        return copy.deepcopy(only(broadcast, parts))

    def move(self, broadcast: Json, state: str) -> None:
        """Put a broadcast into a state, with what goes along with it."""
        broadcast["status"]["lifeCycleStatus"] = state
        if state == "liveStarting":
            broadcast["snippet"]["actualStartTime"] = self._stamp()
        if state == "complete":
            broadcast["snippet"]["actualEndTime"] = self._stamp()
            broadcast["statistics"] = {}
            self._chats.end(broadcast["snippet"]["liveChatId"])

    def new_chat(self) -> None:
        """A broadcast that is begun anew gets another chat."""
        for broadcast in self.broadcasts.values():
            old = broadcast["snippet"]["liveChatId"]
            self._chats.end(old)
            broadcast["snippet"]["liveChatId"] = f"{old}b"
            self._chats.by_ref[f"{old}b"] = Chat()

    # --- streams ---------------------------------------------------------------------------------

    def list_streams(self, query: Query, _: Json | None) -> Json:
        parts = parts_of(query, STREAM_LIST_PARTS, STREAM_PARTS)
        if ("id" in query) == ("mine" in query):
            raise ApiError(400, "incompatibleParameters")
        wanted = query["id"].split(",") if "id" in query else list(self.streams)
        found = [self.streams[ref] for ref in wanted if ref in self.streams]
        return self._page("liveStream", found, parts, query)

    def insert_stream(self, query: Query, body: Json | None) -> Json:
        parts, given = parts_of(query, STREAM_PARTS), body or {}
        cdn = given.get("cdn", {})
        if not 1 <= len(given.get("snippet", {}).get("title", "")) <= 128:
            raise ApiError(400, "titleRequired")
        for name in ("ingestionType", "resolution", "frameRate"):
            if name not in cdn:
                raise ApiError(400, f"{name}Required")
        ref = f"st_{len(self.streams) + 1}"
        secure = self._ingest_url.startswith("rtmps:")
        info = {
            "streamName": secret(self._random, "", 20),
            "ingestionAddress": "rtmp://a.rtmp.youtube.com/live2",
        }
        info["rtmpsIngestionAddress" if secure else "ingestionAddress"] = self._ingest_url
        second = self._ingest_url.replace("//a.", "//b.", 1) + "?backup=1"
        info["rtmpsBackupIngestionAddress" if secure else "backupIngestionAddress"] = second
        self.streams[ref] = {
            "kind": "youtube#liveStream",
            "etag": "e",
            "id": ref,
            "snippet": {**given["snippet"], "channelId": OWNER},
            "cdn": {**cdn, "ingestionInfo": info},
            "status": {"streamStatus": "ready", "healthStatus": {"status": "noData"}},
            "contentDetails": {"isReusable": True, **given.get("contentDetails", {})},
        }
        return copy.deepcopy(only(self.streams[ref], parts))

    def ingest(self, stream: Json, active: bool) -> None:
        """Data begins or ceases to arrive; broadcasts that start or stop by themselves do so."""
        stream["status"]["streamStatus"] = "active" if active else "inactive"
        stream["status"]["healthStatus"] = {"status": "good" if active else "noData"}
        for broadcast in self.broadcasts.values():
            details, life = broadcast["contentDetails"], broadcast["status"]["lifeCycleStatus"]
            if details.get("boundStreamId") != stream["id"]:
                continue
            chat = self._chats.by_ref[broadcast["snippet"]["liveChatId"]]
            chat.offline_at = None if active or life != "live" else self._stamp()
            if active and details["enableAutoStart"] and life == "ready":
                self.move(broadcast, "liveStarting")
            if not active and details["enableAutoStop"] and life == "live":
                self.move(broadcast, "complete")

    # --- videos ----------------------------------------------------------------------------------

    def list_videos(self, query: Query, _: Json | None) -> Json:
        parts = parts_of(query, VIDEO_PARTS)
        found = []
        for ref in query.get("id", "").split(","):
            if ref in self.broadcasts:
                self._count(self.broadcasts[ref])
                found.append(self._video(self.broadcasts[ref]))
        return self._page("video", found, parts, query)

    def update_video(self, query: Query, body: Json | None) -> Json:
        parts, given = parts_of(query, frozenset({"snippet"})), body or {}
        broadcast = self._known(given.get("id"), "videoNotFound")
        snippet = given.get("snippet", {})
        if not snippet.get("title") or not snippet.get("categoryId"):
            raise ApiError(400, "invalidVideoMetadata")
        if sum(map(len, snippet.get("tags", ()))) > 500:
            raise ApiError(400, "invalidTags")
        broadcast["snippet"] |= {
            name: snippet.get(name, "") for name in ("title", "description", "categoryId")
        }
        self.videos[broadcast["id"]] = {
            "tags": snippet.get("tags", []),
            "defaultLanguage": snippet.get("defaultLanguage", ""),
        }
        return copy.deepcopy(only(self._video(broadcast), parts))

    def set_thumbnail(self, ref: str, media_type: str, data: bytes) -> Json:
        self._known(ref, "videoNotFound")
        kinds = {"image/jpeg": b"\xff\xd8", "image/png": b"\x89PNG"}
        if not data:
            raise ApiError(400, "mediaBodyRequired")
        if not data.startswith(kinds.get(media_type, b"\0none")) or len(data) > 2_097_152:
            raise ApiError(400, "invalidImage")
        self.thumbnails[ref] = {"media_type": media_type, "bytes": len(data)}
        picture = {"url": f"https://i.ytimg.com/vi/{ref}/default_live.jpg", "width": 120, "height": 90}
        self.broadcasts[ref]["snippet"]["thumbnails"] = {"default": picture}
        return {"kind": "youtube#thumbnailSetResponse", "etag": "e", "items": [{"default": picture}]}

    def _video(self, broadcast: Json) -> Json:
        snippet, live = broadcast["snippet"], broadcast["status"]["lifeCycleStatus"] == "live"
        details = {
            n: snippet[n] for n in ("scheduledStartTime", "actualStartTime", "actualEndTime") if n in snippet
        }
        if live:
            details |= {"activeLiveChatId": snippet["liveChatId"], **broadcast["statistics"]}
        shared = ("title", "description", "categoryId", "channelId", "publishedAt", "thumbnails")
        return {
            "kind": "youtube#video",
            "etag": "e",
            "id": broadcast["id"],
            "snippet": {**{n: snippet[n] for n in shared}, **self.videos[broadcast["id"]]},
            "liveStreamingDetails": details,
            "statistics": {"likeCount": str(self.likes), "viewCount": "0"},
        }

    # --- rules -----------------------------------------------------------------------------------

    def _check(self, given: Json, before: Json | None) -> None:
        if "snippet" in given:
            snippet = given["snippet"]
            title, description = snippet.get("title", ""), snippet.get("description", "")
            if not title or len(title) > 100 or set(title) & set("<>"):
                raise ApiError(400, "invalidTitle" if title else "titleRequired")
            if len(description.encode()) > 5000 or set(description) & set("<>"):
                raise ApiError(400, "invalidDescription")
            start = snippet.get("scheduledStartTime")
            kept = before is not None and start == before["snippet"]["scheduledStartTime"]
            if start and not kept and datetime.fromisoformat(start) <= self._wall():
                raise ApiError(400, "invalidScheduledStartTime")
        details = given.get("contentDetails", {})
        if details.get("latencyPreference") == "ultraLow" and "enableLowLatency" in details:
            raise ApiError(400, "invalidLatencyPreferenceOptions")

    def _page(self, kind: str, found: list[Json], parts: set[str], query: Query) -> Json:
        """A list envelope; page tokens are plain offsets."""
        start = int(query.get("pageToken", "0"))
        size = min(int(query.get("maxResults", "5")), self.page_size)
        page: Json = {
            "kind": f"youtube#{kind}ListResponse",
            "etag": "e",
            "items": copy.deepcopy([only(r, parts) for r in found[start : start + size]]),
            "pageInfo": {"totalResults": len(found), "resultsPerPage": size},
        }
        if start + size < len(found):
            page["nextPageToken"] = str(start + size)
        return page

    def _count(self, broadcast: Json) -> None:
        if broadcast["status"]["lifeCycleStatus"] == "live":
            hidden = self.viewers is None
            broadcast["statistics"] = {} if hidden else {"concurrentViewers": str(self.viewers)}

    def _active(self, broadcast: Json) -> bool:
        stream = self.streams.get(broadcast["contentDetails"].get("boundStreamId", ""), {})
        return bool(stream.get("status", {}).get("streamStatus") == "active")

    def _known(self, ref: str | None, reason: str = "liveBroadcastNotFound") -> Json:
        if ref not in self.broadcasts:
            raise ApiError(404, reason)
        return self.broadcasts[ref]

    def _stamp(self) -> str:
        return self._wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def written(part: str, given: Json) -> Json:
    """What a part becomes: what was given, and the default of all else that can be written."""
    return copy.deepcopy(
        {
            name: given.get(name, default)
            for name, default in MUTABLE[part].items()
            if name in given or default is not None
        }
    )


def secret(rng: random.Random, prefix: str, length: int = 32) -> str:
    """Something that looks like a key; the same for the same seed."""
    return prefix + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))
