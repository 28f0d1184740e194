"""Job names and what they do. At least once each: every handler is safe to repeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from connectors.errors import Refused, RetryLater
from hub.errors import NotFound
from hub.services import Services

log = structlog.get_logger()

Handler = Callable[..., Awaitable[None]]

LONGEST_PAUSE = 300.0
MOST_TRIES = 30
"""With growing pauses this is about two hours; then the job is parked as failed, where a person sees it."""
STALLED_AFTER = timedelta(seconds=30)


class Patience(BaseRetryStrategy):
    """RetryLater says when; anything else backs off from one second, doubling.

    What only waits for its turn comes back just then, as often as it takes.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again, or None to park the job."""
        later = exception if isinstance(exception, RetryLater) else None
        # The queue counts waits along with failures, so whoever tells them apart is believed.
        tries = job.attempts if later is None or later.tries is None else later.tries
        if tries >= MOST_TRIES or isinstance(exception, NotFound | Refused):
            log.error("job.parked", task=job.task_name, job=job.id, why=type(exception).__name__)
            return None
        pause = min(float(2 ** min(tries, 10)), LONGEST_PAUSE)
        if later:
            pause = later.after if later.tries == 0 else max(later.after, pause / 2)
        log.info("job.again", task=job.task_name, attempt=tries, after=pause, why=str(exception))
        return RetryDecision(retry_in={"milliseconds": int(pause * 1000)})


class Queue(JobManager):
    """procrastinate's manager, but for a job that must run again while a newer one with its key waits.

    The database allows one waiting job per key, so the retry fails: the job would stay "doing" for ever,
    and every later one with its lock behind it.
    """

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Run it again later, or leave the work to the one that waits."""
        try:
            await super().retry_job(job, retry_at, priority, queue, lock)
        except UniqueViolation:
            await self.finish_job(job, Status.SUCCEEDED, delete_job=True)


def handlers(hub: Services) -> Mapping[str, Handler]:
    """Every job by name. Arguments are ids as text."""

    async def purge(connection_id: str, slug: str, once: str) -> None:
        await hub.edges.purge(UUID(connection_id), slug, once)

    async def look(connection_id: str, listing_id: str | None = None) -> None:
        await hub.drifts.look(UUID(connection_id), UUID(listing_id) if listing_id else None)

    async def forget_events(brand_id: str, viewers: str) -> None:
        await hub.events.forget(UUID(brand_id), viewers.split())

    def by_id(argument: str, verb: Callable[[UUID], Awaitable[None]]) -> Handler:
        async def run(**arguments: str) -> None:
            await verb(UUID(arguments[argument]))

        return run

    return {
        "target.open": by_id("target_id", hub.targets.open),
        "target.started": by_id("target_id", hub.targets.started),
        "target.close": by_id("target_id", hub.targets.close),
        "target.plan": by_id("target_id", hub.details.plan),
        "target.describe": by_id("target_id", hub.details.describe),
        "target.look": by_id("target_id", hub.pulse.look),
        "media.sync": by_id("show_id", hub.media.sync),
        "playback.retire": by_id("show_id", hub.playback.retire),
        "playback.expired": by_id("show_id", hub.playback.expired),
        "delivery.purge": purge,
        "connection.revoke": by_id("revocation_id", hub.revocations.run),
        "chat.send": by_id("delivery_id", hub.replies.send),
        "chat.moderate": by_id("action_id", hub.moderators.run),
        "claim.told": by_id("delivery_id", hub.claims.answers.told),
        "webhook.process": by_id("event_id", hub.inbox.process),
        "payment.authorise": by_id("payment_id", hub.payments.steps.authorise),
        "payment.confirm": by_id("payment_id", hub.payments.steps.confirm),
        "payment.capture": by_id("payment_id", hub.payments.steps.capture),
        "payment.void": by_id("payment_id", hub.payments.steps.void),
        "payment.refund": by_id("refund_id", hub.payments.refunds.send),
        "payment.forget": by_id("saved_method_id", hub.payments.steps.forget),
        "catalog.intake": by_id("intake_id", hub.intakes.run),
        "catalog.sync": by_id("intake_id", hub.sync.run),
        "mail.send": by_id("mail_id", hub.mail.send),
        "stock.push": by_id("listing_id", hub.pushes.push),
        "stock.stop": by_id("listing_id", hub.pushes.push),
        "stock.look": look,
        "shop.subscribe": by_id("connection_id", hub.watches.subscribe),
        "attribution.run": by_id("run_id", hub.attribution.runs.run),
        "conversion.send": by_id("connection_id", hub.conversions.outbox.send),
        "order.cancel": by_id("order_id", hub.channels.cancel),
        "probe.run": by_id("probe_id", hub.probes.run),
        "rights.export": by_id("request_id", hub.rights.exporting.run),
        "rights.erase": by_id("request_id", hub.rights.erasing.run),
        "events.forget": forget_events,
    }


def job_app(hub: Services) -> App:
    """procrastinate's application with all handlers."""
    app = App(connector=PsycopgConnector(conninfo=hub.db.url, min_size=1, max_size=6))
    app.job_manager = Queue(app.connector)
    for name, handler in handlers(hub).items():
        app.task(name=name, retry=Patience())(handler)
    return app


async def run_jobs(app: App, concurrency: int) -> None:
    """Work until cancelled."""
    await app.run_worker_async(
        concurrency=concurrency,
        listen_notify=True,
        fetch_job_polling_interval=1.0,
        delete_jobs="successful",
        install_signal_handlers=False,
        shutdown_graceful_timeout=2.0,
    )


async def revive_stalled(app: App) -> None:
    """Jobs whose worker died without a word run again."""
    stalled: Any = await app.job_manager.get_stalled_jobs(
        seconds_since_heartbeat=STALLED_AFTER.total_seconds()
    )
    for job in stalled:
        log.warning("job.revived", task=job.task_name, job=job.id)
        await app.job_manager.retry_job(job)
