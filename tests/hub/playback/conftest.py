"""A planned show, a media worker that moves nothing, and somebody signed in; and that worker's real door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from restream.hls.respond import Request
from restream.playback.doorkeeper import Doorkeeper
from tests.hub.market import Trade
from tests.hub.shows.conftest import Studio, studio_of
from tests.hub.site import Client

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"


@pytest.fixture
async def studio(trade: Trade) -> AsyncIterator[Studio]:
    async with studio_of(await trade("youtube")) as made:
        yield made


class Stage:
    """A show with its viewers, and what the real door of a media worker says to them."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.door = Doorkeeper(
            lambda slug: studio.worker.specs[slug].playback if slug in studio.worker.specs else None,
            clock=lambda: studio.market.clock().timestamp(),
        )

    async def change(self, ok: int = 200, **wish: Any) -> Any:
        answer = await self.studio.call("PATCH", "/playback", wish, ok=ok)
        await self.studio.market.work()
        return answer

    async def on_air(self, **more: Any) -> None:
        """Live, and there are pictures."""
        if (await self.studio.snapshot())["show"]["state"] != "live":
            await self.studio.live()
        await self.studio.stats(**{"playable": True, "on_air": "primary", **more})

    async def link(self, ok: int = 201, **wish: Any) -> Any:
        return await self.studio.call("POST", "/playback/links", wish, ok=ok)

    async def page(self, access: str = "", viewer: str = "", slug: str = "") -> Any:
        """The public document as somebody gets it who was never here."""
        nobody = Client(self.studio.market.origin)
        path = f"/api/v1/public/shows/{slug or self.studio.slug}"
        given = {name: value for name, value in (("access", access), ("viewer", viewer)) if value}
        answer = await nobody.http.get(path, params=given)
        assert answer.status_code == 200, answer.text
        await nobody.http.aclose()
        return answer.json()

    def asked(self, url: str, client: str = "192.0.2.1", head: bytes = b"") -> int:
        """What the door answers to an address a player was given; 200 where it lets in."""
        parts = urlsplit(url)
        refusal = self.door.refusal(Request("GET", parts.path, parts.query.encode(), head, client))
        return refusal.status if refusal else 200


@pytest.fixture
def stage(studio: Studio) -> Stage:
    return Stage(studio)


def access_of(link: Any) -> str:
    """The token in a private link."""
    return str(link["url"]).partition("?access=")[2]
