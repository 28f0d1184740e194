"""The hub's inbox, reduced: a real server that verifies and keeps what a fake delivers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.base import Webhooks
from connectors.types import Webhook


class Inbox:
    """`got` is (delivery's id, fact) in order of arrival; the first `down` deliveries find it down."""

    def __init__(self, webhooks: Webhooks, down: int = 0) -> None:
        self._webhooks = webhooks
        self._down = down
        self._news = asyncio.Event()
        self.got: list[tuple[str, Any]] = []
        self.app = Starlette(routes=[Route("/hook", self._hook, methods=["POST"])])

    async def _hook(self, request: Request) -> Response:
        if self._down:
            self._down -= 1
            return Response(status_code=503)
        body = await request.body()
        hook = Webhook(headers=dict(request.headers), body=body, received_at=datetime.now(UTC))
        delivery = self._webhooks.verify(hook)
        if not delivery:
            return Response(status_code=202)
        self.got += [(delivery, fact) for fact in self._webhooks.parse(body)]
        self._news.set()
        return Response(status_code=202)

    async def until(self, count: int) -> list[tuple[str, Any]]:
        """What has arrived, once it is `count` facts."""
        async with asyncio.timeout(10):
            while len(self.got) < count:
                self._news.clear()
                await self._news.wait()
        return self.got
