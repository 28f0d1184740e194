"""The one question TikTok's website answers to everybody: has this account a LIVE on, and how many watch?

Not documented by TikTok: it is what its own pages ask. Asked only where a way to the chat is set up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from connectors.base import Session
from connectors.errors import ConnectorError, Reconnect, Refused, RetryLater
from connectors.http import Http
from connectors.tiktok.config import Config, site_of

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
"""What a signature is made for: the service is told, and the socket must say the same."""
WEB_APP = "1988"
ON_AIR = 2
LONGEST_ROOM = 19
"""Digits of a room's number."""
TROUBLE_AGAIN = 30.0
"""Seconds; signing services count every call, and the free ones allow few."""


@dataclass(frozen=True)
class Room:
    """An account's LIVE. `number` stays after it has ended; `viewers` is None when untold."""

    number: int
    on_air: bool
    viewers: int | None = None


class Rooms:
    """Asks TikTok's website, without any login."""

    def __init__(self, session: Session[Config]) -> None:
        self._http = session.http
        self._site = site_of(session.addresses)

    async def find(self, unique_id: str) -> Room:
        """Refused for a name TikTok does not know; RetryLater when the site does not answer programs."""
        query = {"aid": WEB_APP, "uniqueId": unique_id, "sourceType": "54"}
        response = await ask(self._http, "TikTok", f"{self._site}api-live/user/room/", query, {})
        try:
            answer = response.json()
        except ValueError:
            # A page instead of data: TikTok wants to see a person.
            raise RetryLater("TikTok does not answer programs from here now.", 2 * TROUBLE_AGAIN) from None
        room = room_of(answer)
        if room is None:
            raise Refused(f"TikTok knows no LIVE of @{unique_id}. Check the name.")
        return room


def room_of(answer: Any) -> Room | None:
    """From TikTok's answer; None when it names no room. Source: samples/room.json."""
    match answer:
        case {"data": {"user": {"roomId": str(number), "status": int(status)}}} if is_room(number):
            return Room(int(number), status == ON_AIR, viewers_of(answer) if status == ON_AIR else None)
        case _:
            return None


def is_room(number: str) -> bool:
    """Whether it is one and fits the 64 bits that it has on the socket."""
    return number.isdecimal() and len(number) <= LONGEST_ROOM and int(number) > 0


def viewers_of(answer: Any) -> int | None:
    """How many watch, where the answer says so in the shape that is known."""
    match answer:
        case {"data": {"liveRoom": {"liveRoomStats": {"userCount": int(count)}}}} if count >= 0:
            return count
        case _:
            return None


async def ask(
    http: Http, who: str, url: str, params: dict[str, str], headers: dict[str, str]
) -> httpx.Response:
    """One reading call without any login of the connection; an error names `who` said no."""
    try:
        return await http.request(
            "GET", url, params=params, headers={"User-Agent": AGENT, **headers}, login=False
        )
    except ConnectorError as error:
        raise said_by(who, error) from None


def said_by(who: str, error: ConnectorError) -> ConnectorError:
    """The same error about the one who said it, without a word of the answer itself.

    The service's address is whatever somebody entered, so its answers are not shown. A bad key is never
    Reconnect: that would stop the stream, which needs neither the service nor the chat.
    """
    if isinstance(error, RetryLater):
        return RetryLater(f"{who} can't be used now. {error.reason}", max(error.after, TROUBLE_AGAIN))
    if isinstance(error, Reconnect):
        return Refused(f"{who} does not accept the key that was entered.", code="401")
    code = error.code if isinstance(error, Refused) else None
    return Refused(f"{who} refused the request ({code}).", code=code)
