"""Jobs that were tried for hours, or refused for good: what each was about, and doing it again.

The queue keeps them as failed; whose they are is told by the row their argument names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import run
from hub.errors import NotFound
from hub.jobs import defer

OWNERS: Final[Mapping[str, str]] = {
    "target_id": "show_target",
    "show_id": "show",
    "connection_id": "connection",
    "revocation_id": "revocation",
    "delivery_id": "delivery",
    "action_id": "moderation_action",
    "event_id": "webhook_event",
    "payment_id": "payment",
    "listing_id": "listing",
    "order_id": "orders",
    "refund_id": "refund",
    "saved_method_id": "saved_method",
    "intake_id": "intake",
    "mail_id": "mail",
    "request_id": "rights_request",
    "run_id": "attribution_run",
    "probe_id": "probe_run",
}
"""The argument of a job, and the table whose row it names; a few name their brand itself."""

WHAT: Final[Mapping[str, str]] = {
    "target.open": "Opening a broadcast on a platform",
    "target.started": "Telling a platform that the show has begun",
    "target.close": "Ending a broadcast on a platform",
    "target.plan": "Announcing a show on a platform",
    "target.describe": "Writing a show's title and text to a platform",
    "target.look": "Asking a platform how a show is doing",
    "media.sync": "Telling the media worker what is wanted",
    "playback.retire": "Putting an old playback key out of use",
    "playback.expired": "Taking a replay whose time is over from CDNs",
    "delivery.purge": "Clearing a CDN's cache",
    "connection.revoke": "Giving a login back to its platform",
    "chat.send": "Sending a chat message",
    "chat.moderate": "Moderating on a platform",
    "claim.told": "Telling somebody publicly what became of their claim",
    "webhook.process": "Working on what a platform told us",
    "payment.authorise": "Reserving a buyer's money",
    "payment.confirm": "Asking what a buyer's bank decided",
    "payment.capture": "Taking a buyer's money",
    "payment.void": "Letting go of a buyer's money",
    "payment.refund": "Giving a buyer's money back",
    "payment.forget": "Making a payment company forget a saved card",
    "catalog.intake": "Reading in a list of products",
    "catalog.sync": "Reading a shop's catalogue",
    "mail.send": "Sending an e-mail to a buyer",
    "stock.push": "Telling a shop our stock",
    "stock.stop": "Telling a shop that something is sold out",
    "stock.look": "Reading what a shop believes our stock is",
    "shop.subscribe": "Asking a shop to tell us of its orders",
    "order.cancel": "Cancelling an order on its platform",
    "rights.export": "Copying what is kept about a person",
    "rights.erase": "Forgetting a person",
    "events.forget": "Forgetting a person in the viewer events",
    "attribution.run": "Working out which channels brought which orders",
    "probe.run": "Probing a region",
    "conversion.send": "Telling an ad network or Google what was bought",
}

OURS: Final = " UNION ALL ".join(
    f"SELECT job.id FROM procrastinate_jobs AS job JOIN {table} AS owner"  # noqa: S608 - words of ours
    f" ON owner.id = CAST(job.args->>'{argument}' AS uuid)"
    " WHERE job.status = 'failed' AND owner.brand_id = :brand_id"
    for argument, table in OWNERS.items()
)
OF_THE_BRAND: Final = """
    SELECT id FROM procrastinate_jobs
    WHERE status = 'failed' AND CAST(args->>'brand_id' AS uuid) = :brand_id"""
LIST: Final = text(
    f"""
    SELECT job.id, task_name, args, attempts, lock, queueing_lock,
           (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id) AS given_up_at
    FROM procrastinate_jobs AS job WHERE job.id IN ({OURS} UNION ALL {OF_THE_BRAND})
      AND (CAST(:only AS bigint) IS NULL OR job.id = CAST(:only AS bigint))
    ORDER BY job.id DESC LIMIT 200
    """  # noqa: S608 - words of ours
)
FORGET: Final = text("DELETE FROM procrastinate_jobs WHERE id = :id AND status = 'failed' RETURNING id")


@dataclass(frozen=True)
class Parked:
    """One job that was given up."""

    id: int
    task: str
    what: str
    about: str
    attempts: int
    given_up_at: datetime


class Troubles:
    """What a brand's people should look at."""

    async def parked(self, session: AsyncSession, brand_id: UUID) -> list[Parked]:
        """The newest first."""
        rows = await run(session, LIST, {"brand_id": brand_id, "only": None})
        return [
            Parked(
                id=row.id,
                task=row.task_name,
                what=WHAT.get(row.task_name, row.task_name),
                about=next((row.args[name] for name in OWNERS if name in row.args), ""),
                attempts=row.attempts,
                given_up_at=row.given_up_at,
            )
            for row in rows
        ]

    async def again(self, session: AsyncSession, brand_id: UUID, job_id: int) -> None:
        """Do it once more, from the first try."""
        row = (await run(session, LIST, {"brand_id": brand_id, "only": job_id})).first()
        if row is None or not (await run(session, FORGET, {"id": job_id})).first():
            raise NotFound("job_unknown", "There is no such job among those given up.")
        await defer(session, row.task_name, key=row.queueing_lock, lock=row.lock, **row.args)

    async def forget(self, session: AsyncSession, brand_id: UUID, job_id: int) -> None:
        """Somebody saw to it by hand."""
        row = (await run(session, LIST, {"brand_id": brand_id, "only": job_id})).first()
        if row is None or not (await run(session, FORGET, {"id": job_id})).first():
            raise NotFound("job_unknown", "There is no such job among those given up.")
