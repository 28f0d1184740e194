"""What happens by the clock. Each tick is an idempotent sweep over tables; no state is kept here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from procrastinate import App

from hub.errors import Unavailable
from hub.quality.sweep import note_quality
from hub.services import Services
from hub.work.jobs import revive_stalled

log = structlog.get_logger()


def clockwork(hub: Services, app: App) -> AsyncIOScheduler:
    """The scheduler, not started yet."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    def every(seconds: float, name: str, sweep: Callable[[], Awaitable[None]]) -> None:
        scheduler.add_job(calmly(name, sweep), "interval", seconds=seconds, id=name)

    every(1, "expire holds", lambda: expire_holds(hub))
    every(1, "push stock", hub.channels.find_behind)
    every(60, "reconcile orders", hub.channels.reconcile)
    every(15, "revive jobs", lambda: revive_stalled(app))
    every(10, "viewers' quality", lambda: note_quality(hub))
    every(60, "renew logins", hub.connections.renew_due)
    every(60, "alarms", hub.alarms.sweep)
    every(60, "unfinished logins", hub.consents.expire)
    every(3600, "logins not given back", hub.revocations.forget)
    every(5, "look at targets", hub.pulse.find_due)
    every(10, "tell platforms", hub.details.find_waiting)
    return scheduler


def calmly(name: str, sweep: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A sweep whose failure is logged; the next tick tries again."""

    async def run() -> None:
        try:
            await sweep()
        except Unavailable as error:
            log.warning("sweep.unavailable", sweep=name, reason=error.detail)
        except Exception:  # a supervisor: one failed tick must not end the clockwork
            log.exception("sweep.failed", sweep=name)

    return run


async def expire_holds(hub: Services) -> None:
    """Give back what nobody paid for in time. An order being paid finds out when its money is held."""
    async with hub.db.session() as session:
        ended = await hub.stock.expire_holds(session)
    if ended:
        log.info("holds.expired", count=len(ended))
