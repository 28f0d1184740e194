"""The channel behind the local YouTube: broadcasts, streams and chats with YouTube's rules, no HTTP.

Rules: discovery revision 20261104 (parts, filters, states) and the errors' reference. What YouTube
refuses is an `ApiError` here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

POLL_MILLIS = 500
BROADCAST_PARTS = frozenset({"id", "snippet", "status", "contentDetails", "statistics"})
STREAM_LIST_PARTS = frozenset({"id", "snippet", "cdn", "status"})
STREAM_PARTS = STREAM_LIST_PARTS | {"contentDetails"}
CHAT_PARTS = frozenset({"id", "snippet", "authorDetails"})
Query = dict[str, str]


class ApiError(Exception):
    """A refusal: HTTP status and Google's `reason`."""

    def __init__(self, status: int, reason: str, message: str = "", retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.message, self.retry_after = status, reason, message, retry_after


@dataclass
class Chat:
    """One live chat; a page token names a generation, a place and nothing else."""

    items: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    generation: int = 0
    issued: dict[str, float] = field(default_factory=dict)


class Channel:
    """One channel. API methods take the query (parts joined by commas) and the body, and give a resource."""

    def __init__(self, ingest_url: str, now: Callable[[], float], rng: random.Random) -> None:
        self._ingest_url = ingest_url
        self._now = now
        self._random = rng
        self.broadcasts: dict[str, dict[str, Any]] = {}
        self.streams: dict[str, dict[str, Any]] = {}
        self.chats: dict[str, Chat] = {}
        self.viewers = 0
        self.repeats = 0

    def list_broadcasts(self, query: Query, _: dict[str, Any]) -> dict[str, Any]:
        parts = parts_of(query, BROADCAST_PARTS)
        if sum(name in query for name in ("id", "mine", "broadcastStatus")) != 1:
            raise ApiError(400, "incompatibleParameters")
        wanted = query["id"].split(",") if "id" in query else list(self.broadcasts)
        found = [self.broadcasts[ref] for ref in wanted if ref in self.broadcasts]
        answer = page_of(found, parts, query)
        for broadcast in found:
            # Starting takes a moment: seen once as liveStarting, then live.
            if broadcast["status"]["lifeCycleStatus"] == "liveStarting":
                broadcast["status"]["lifeCycleStatus"] = "live"
                broadcast["statistics"] = {"concurrentViewers": str(self.viewers)}
        return answer

    def insert_broadcast(self, query: Query, body: dict[str, Any]) -> dict[str, Any]:
        parts = parts_of(query, BROADCAST_PARTS)
        snippet, status = body.get("snippet", {}), body.get("status", {})
        title, start = snippet.get("title", ""), snippet.get("scheduledStartTime")
        if not title or len(title) > 100 or set(title) & set("<>"):
            raise ApiError(400, "invalidTitle")
        if start is None or datetime.fromisoformat(start).tzinfo is None:
            raise ApiError(400, "scheduledStartTimeRequired")
        if status.get("privacyStatus") not in {"public", "unlisted", "private"}:
            raise ApiError(400, "invalidPrivacyStatus")
        number = len(self.broadcasts) + 1
        ref, chat = f"vid_{number:07d}", f"chat_{number:04d}"
        self.chats[chat] = Chat()
        self.broadcasts[ref] = {
            "kind": "youtube#liveBroadcast",
            "id": ref,
            "snippet": {"description": "", **snippet, "channelId": "UC_sim", "liveChatId": chat},
            "status": {**status, "lifeCycleStatus": "created", "recordingStatus": "notRecording"},
            "contentDetails": {
                "monitorStream": {"enableMonitorStream": True},
                **body.get("contentDetails", {}),
            },
            "statistics": {},
        }
        return only(self.broadcasts[ref], parts)

    def delete_broadcast(self, query: Query, _: dict[str, Any]) -> None:
        broadcast = self._known(query.get("id"))
        if broadcast["status"]["lifeCycleStatus"] not in {"created", "ready", "complete"}:
            raise ApiError(403, "liveBroadcastDeletionNotAllowed")
        del self.broadcasts[broadcast["id"]]

    def bind(self, query: Query, _: dict[str, Any]) -> dict[str, Any]:
        parts, broadcast = parts_of(query, BROADCAST_PARTS), self._known(query.get("id"))
        if broadcast["status"]["lifeCycleStatus"] not in {"created", "ready"}:
            raise ApiError(403, "liveBroadcastBindingNotAllowed")
        if query.get("streamId") not in self.streams:
            raise ApiError(404, "liveStreamNotFound")
        broadcast["contentDetails"]["boundStreamId"] = query["streamId"]
        broadcast["status"]["lifeCycleStatus"] = "ready"
        return only(broadcast, parts)

    def transition(self, query: Query, _: dict[str, Any]) -> dict[str, Any]:
        parts, broadcast = parts_of(query, BROADCAST_PARTS), self._known(query.get("id"))
        state, wanted = broadcast["status"]["lifeCycleStatus"], query.get("broadcastStatus")
        if wanted == state or (wanted, state) == ("live", "liveStarting"):
            raise ApiError(403, "redundantTransition")
        monitored = broadcast["contentDetails"]["monitorStream"]["enableMonitorStream"]
        allowed = {("testing" if monitored else "ready", "live"), ("live", "complete")}
        if monitored:
            allowed.add(("ready", "testing"))
        if (state, wanted) not in allowed:
            raise ApiError(403, "invalidTransition")
        stream = self.streams.get(broadcast["contentDetails"].get("boundStreamId", ""), {})
        if wanted != "complete" and stream.get("status", {}).get("streamStatus") != "active":
            raise ApiError(403, "errorStreamInactive")
        after = {"live": "liveStarting", "testing": "testing", "complete": "complete"}[wanted or ""]
        broadcast["status"]["lifeCycleStatus"] = after
        if after == "complete":
            self.end_chat(broadcast["snippet"]["liveChatId"])
        return only(broadcast, parts)

    def list_streams(self, query: Query, _: dict[str, Any]) -> dict[str, Any]:
        parts = parts_of(query, STREAM_LIST_PARTS, STREAM_PARTS)
        if ("id" in query) == ("mine" in query):
            raise ApiError(400, "incompatibleParameters")
        wanted = query["id"].split(",") if "id" in query else list(self.streams)
        return page_of([self.streams[ref] for ref in wanted if ref in self.streams], parts, query)

    def insert_stream(self, query: Query, body: dict[str, Any]) -> dict[str, Any]:
        parts, cdn = parts_of(query, STREAM_PARTS), body.get("cdn", {})
        if not body.get("snippet", {}).get("title"):
            raise ApiError(400, "titleRequired")
        if not {"ingestionType", "resolution", "frameRate"} <= set(cdn):
            raise ApiError(400, "invalidFormat")
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
            "id": ref,
            "snippet": {**body["snippet"], "channelId": "UC_sim"},
            "cdn": {**cdn, "ingestionInfo": info},
            "status": {"streamStatus": "ready", "healthStatus": {"status": "noData"}},
            "contentDetails": {"isReusable": True, **body.get("contentDetails", {})},
        }
        return only(self.streams[ref], parts)

    def _known(self, ref: str | None) -> dict[str, Any]:
        if ref not in self.broadcasts:
            raise ApiError(404, "liveBroadcastNotFound")
        return self.broadcasts[ref]

    def list_chat(self, query: Query, _: dict[str, Any]) -> dict[str, Any]:
        parts, chat = parts_of(query, CHAT_PARTS), self._chat(query.get("liveChatId"))
        limit = int(query.get("maxResults", 500))
        if not 200 <= limit <= 2000:
            raise ApiError(400, "invalidParameter")
        start, token = 0, query.get("pageToken")
        if token is not None:
            if token not in chat.issued:
                raise ApiError(400, "pageTokenInvalid")
            # A tenth of tolerance: clocks and wires are not exact.
            if self._now() < chat.issued[token] + POLL_MILLIS / 1000 * 0.9:
                raise ApiError(403, "rateLimitExceeded", "Polled before pollingIntervalMillis was over.")
            start = int(token.rpartition("_")[2])
        if chat.ended and start >= len(chat.items):
            raise ApiError(403, "liveChatEnded", "The live chat is no longer live.")
        if self.repeats:
            self.repeats, start = self.repeats - 1, max(0, start - 3)
        page = chat.items[start : start + limit]
        following = f"tok_{chat.generation}_{start + len(page)}"
        chat.issued[following] = self._now()
        return {
            "kind": "youtube#liveChatMessageListResponse",
            "pollingIntervalMillis": POLL_MILLIS,
            "pageInfo": {"totalResults": len(page), "resultsPerPage": len(page)},
            "nextPageToken": following,
            "items": [only(item, parts) for item in page],
        }

    def insert_chat(self, query: Query, body: dict[str, Any]) -> dict[str, Any]:
        parts, snippet = parts_of(query, CHAT_PARTS), body.get("snippet", {})
        ref, text = snippet.get("liveChatId"), snippet.get("textMessageDetails", {}).get("messageText", "")
        if self._chat(ref).ended:
            raise ApiError(403, "liveChatEnded")
        if snippet.get("type") != "textMessageEvent" or not 1 <= len(text) <= 200:
            raise ApiError(400, "messageTextInvalid")
        item = self.say(ref, {"type": "textMessageEvent"}, text=text, author=("UC_sim", "The channel"))
        item["authorDetails"]["isChatOwner"] = True
        return only(item, parts)

    def say(
        self, chat_ref: str, snippet: dict[str, Any], *, text: str, author: tuple[str, str]
    ) -> dict[str, Any]:
        chat = self.chats[chat_ref]
        details = (
            {"textMessageDetails": {"messageText": text}} if snippet["type"] == "textMessageEvent" else {}
        )
        stamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        item = {
            "kind": "youtube#liveChatMessage",
            "id": f"{chat_ref}.m{len(chat.items) + 1}",
            "snippet": {
                "liveChatId": chat_ref,
                "authorChannelId": author[0],
                "publishedAt": stamp,
                "hasDisplayContent": True,
                "displayMessage": text,
                **details,
                **snippet,
            },
            "authorDetails": {"channelId": author[0], "displayName": author[1], "isChatOwner": False},
        }
        chat.items.append(item)
        return item

    def end_chat(self, ref: str) -> None:
        if not self.chats[ref].ended:
            self.say(ref, {"type": "chatEndedEvent"}, text="", author=("UC_sim", "The channel"))
            self.chats[ref].ended = True

    def _chat(self, ref: str | None) -> Chat:
        if ref not in self.chats:
            raise ApiError(404, "liveChatNotFound")
        return self.chats[ref]


def parts_of(query: Query, allowed: frozenset[str], known: frozenset[str] | None = None) -> set[str]:
    """The requested parts, however they are spelled; refuses what the method does not offer."""
    parts = {part.strip() for part in query.get("part", "").split(",") if part.strip()}
    if not parts:
        raise ApiError(400, "missingRequiredParameter")
    if parts - allowed:
        raise ApiError(400, "unexpectedPart" if parts <= (known or allowed) else "unknownPart")
    return parts


def only(resource: dict[str, Any], parts: set[str]) -> dict[str, Any]:
    """A resource cut down to the requested parts."""
    return {name: value for name, value in resource.items() if name in parts | {"kind", "etag", "id"}}


def page_of(found: list[dict[str, Any]], parts: set[str], query: Query) -> dict[str, Any]:
    """A list envelope; page tokens are plain offsets."""
    start, size = int(query.get("pageToken", "0")), int(query.get("maxResults", "5"))
    if not 0 <= size <= 50:
        raise ApiError(400, "invalidParameter")
    page: dict[str, Any] = {
        "items": json.loads(json.dumps([only(r, parts) for r in found[start : start + size]]))
    }
    if start + size < len(found):
        page["nextPageToken"] = str(start + size)
    return {**page, "pageInfo": {"totalResults": len(found), "resultsPerPage": size}}


def secret(rng: random.Random, prefix: str, length: int = 32) -> str:
    """Something that looks like a key; the same for the same seed."""
    return prefix + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))
