"""Keeps children running: starts them in order, restarts one that dies, stops them in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from hub.engines.process import Child

log = structlog.get_logger()

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
STEADY = 30.0
"""A child that ran this long (seconds) had a good start: its next restart is quick again."""


@dataclass(frozen=True)
class Service:
    """Something to keep running. `start` returns when it is ready, or raises OSError saying why not."""

    name: str
    start: Callable[[], Awaitable[Child]]


class Supervisor:
    """Use as `async with Supervisor() as up: await up.add(service) …`."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now or asyncio.get_running_loop().time
        self._children: dict[str, Child] = {}
        self._batches: list[list[str]] = []
        self._guards: list[asyncio.Task[None]] = []
        self._stopping = False

    async def __aenter__(self) -> Supervisor:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stopping = True
        for guard in self._guards:
            guard.cancel()
        await asyncio.gather(*self._guards, return_exceptions=True)
        for batch in reversed(self._batches):
            await asyncio.gather(*(self._children[name].stop() for name in batch))

    async def add(self, service: Service) -> Child:
        """Start and guard a service; the first start may fail, with OSError."""
        batch: list[str] = []
        self._batches.append(batch)
        return await self._add(service, batch)

    async def _add(self, service: Service, batch: list[str]) -> Child:
        child = await service.start()
        batch.append(service.name)
        self._children[service.name] = child
        self._guards.append(asyncio.create_task(self._guard(service), name=f"guard {service.name}"))
        return child

    async def add_all(self, services: Iterable[Service]) -> None:
        """Start several side by side, and later stop them so.

        When some fail, the first failure is raised once all have settled.
        """
        batch: list[str] = []
        self._batches.append(batch)
        outcomes = await asyncio.gather(*(self._add(one, batch) for one in services), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def child(self, name: str) -> Child:
        """The running child of a service."""
        return self._children[name]

    async def _guard(self, service: Service) -> None:
        pause = FIRST_PAUSE
        while not self._stopping:
            started = self._now()
            code = await self._children[service.name].wait()
            if self._now() - started >= STEADY:
                pause = FIRST_PAUSE
            log.warning("service.died", service=service.name, code=code, restart_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                self._children[service.name] = await service.start()
            except OSError as error:
                log.error("service.restart_failed", service=service.name, error=str(error))
                continue
            log.info("service.back", service=service.name)
