"""The trouble a test or a rehearsal can ask the local YouTube for: POST /_ctl/fault {"kind": ...}.

- status {"status", "count"?, "path"?, "reason"?, "retry_after"?, "html"?, "empty"?} ·
  lose {"count"?, "path"?}: applied, then the answer breaks off · slow {"seconds", "count"?, "path"?};
  "path" is a part of "POST /youtube/…"
- expire_token · revoke · quota {"left"?}: units left of today · midnight: a new day begins in California
- repeat {"count"?}: the next chat page comes with the last messages again · forget_place: page tokens become
  invalid · page_size {"size"}: the most a list holds · sparse: optional fields are left out · end_chat ·
  no_chat {"off"?}: chat is switched off · new_chat: every broadcast's chat is replaced ·
  cut {"error"?}: open streams break off in the middle, or with this error as their last element
- stream_life {"seconds"}: how long the chat stream stays open · no_stream: it answers 404
- monitor: broadcasts have a monitor stream · health {"status", "issues"?} · viewers {"viewers", "likes"?}
- clear: nothing is wrong any more
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.youtube.fake_channel import Channel
from connectors.youtube.fake_chat import Chats, Json
from connectors.youtube.fake_login import Login, Meter

HELD = frozenset({"status", "lose", "slow", "no_stream"})
"""These wait for the calls they are meant for; the others happen at once."""


class Faults:
    """What is wrong now. `tomorrow` moves the fake's wall clock on by a day."""

    def __init__(
        self, channel: Channel, chats: Chats, login: Login, meter: Meter, tomorrow: Callable[[], None]
    ) -> None:
        self._channel = channel
        self._chats = chats
        self._login = login
        self._meter = meter
        self._tomorrow = tomorrow
        self._held: list[Json] = []

    def take(self, kind: str, path: str) -> Json | None:
        """The fault that hits this call, used up as often as it was asked for."""
        for fault in self._held:
            if fault["kind"] == kind and fault.get("path", "") in path:
                fault["count"] = fault.get("count", 1) - 1
                if fault["count"] <= 0:
                    self._held.remove(fault)
                return fault
        return None

    def holds(self, kind: str) -> bool:
        """True while such a fault lasts."""
        return any(fault["kind"] == kind for fault in self._held)

    def switch(self, fault: Json) -> bool:
        """Make it so; False when there is no such fault."""
        if fault["kind"] in HELD:
            self._held.append(fault)
            return True
        return self._about_login(fault) or self._about_chat(fault) or self._about_channel(fault)

    def _about_login(self, fault: Json) -> bool:
        match fault["kind"]:
            case "expire_token":
                self._login.expire()
                self._chats.cut()
            case "revoke":
                self._login.revoke()
                self._chats.cut()
            case "quota":
                self._meter.leave(fault.get("left", 0))
            case "midnight":
                self._tomorrow()
            case "clear":
                self._held.clear()
                self._meter.used = 0
            case _:
                return False
        return True

    def _about_chat(self, fault: Json) -> bool:
        chats = self._chats
        match fault["kind"]:
            case "repeat":
                chats.repeats += fault.get("count", 1)
                chats.wake()
            case "forget_place":
                chats.forget_place()
            case "page_size":
                chats.page_size = self._channel.page_size = fault["size"]
            case "sparse":
                chats.sparse = True
            case "end_chat":
                for ref in chats.by_ref:
                    chats.end(ref)
            case "no_chat":
                for chat in chats.by_ref.values():
                    chat.disabled = fault.get("off", True)
                chats.cut()
            case "cut":
                chats.cut(fault.get("error"))
            case "stream_life":
                chats.stream_seconds = fault["seconds"]
            case _:
                return False
        return True

    def _about_channel(self, fault: Json) -> bool:
        channel = self._channel
        match fault["kind"]:
            case "new_chat":
                channel.new_chat()
            case "monitor":
                for broadcast in channel.broadcasts.values():
                    broadcast["contentDetails"]["monitorStream"]["enableMonitorStream"] = True
            case "health":
                for stream in channel.streams.values():
                    told = {"status": fault["status"], "configurationIssues": fault.get("issues", [])}
                    stream["status"]["healthStatus"] = told
            case "viewers":
                channel.viewers, channel.likes = fault["viewers"], fault.get("likes", 0)
            case _:
                return False
        return True
