"""What happens by the clock. Each tick is an idempotent sweep over tables; no state that matters is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from procrastinate import App

from hub.chat.turns import forget_turns
from hub.clock import share_of, wall_clock
from hub.errors import Unavailable
from hub.quality.sweep import note_quality
from hub.secrets import Vault
from hub.services import Services
from hub.settings import secrets_of
from hub.stock.service import AT_ONCE
from hub.visits.chats import ChatTouches
from hub.visits.coupons import note_coupons
from hub.work.jobs import revive_stalled

log = structlog.get_logger()


def clockwork(hub: Services, app: App) -> AsyncIOScheduler:
    """The scheduler, not started yet."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    def every(seconds: float, name: str, sweep: Callable[[], Awaitable[None]]) -> None:
        # Each at its own moment: thirty sweeps at once are a tenth of a second in which no chat is read.
        first = wall_clock() + timedelta(seconds=seconds * share_of(name))
        scheduler.add_job(calmly(name, sweep), "interval", seconds=seconds, id=name, start_date=first)

    every(0.5, "expire holds", lambda: expire_holds(hub))
    every(0.5, "decide claims", lambda: decide_claims(hub))
    every(1, "follow claims", hub.claims.judge.follow)
    every(1, "end offers", lambda: end_offers(hub))
    every(1, "push stock", hub.pushes.find_behind)
    every(60, "read stock back", hub.drifts.find_due)
    every(60, "look after shops", hub.watches.find_due)
    every(5, "invoices", hub.aftersale.invoices.sweep)
    every(60, "reconcile orders", hub.channels.reconcile)
    every(15, "revive jobs", lambda: revive_stalled(app))
    every(10, "viewers' quality", lambda: note_quality(hub))
    every(30, "probes", hub.probes.find_due)
    every(60, "renew logins", hub.connections.renew_due)
    every(60, "alarms", hub.alarms.sweep)
    every(5, "post links", lambda: post_links(hub))
    every(60, "unfinished logins", hub.consents.expire)
    every(3600, "logins not given back", hub.revocations.forget)
    every(5, "look at targets", hub.pulse.find_due)
    every(10, "tell platforms", hub.details.find_waiting)
    every(1, "late payments", lambda: let_go_of_late(hub))
    every(30, "forsaken payments", lambda: look_after_payments(hub))
    every(5, "unpaid orders", lambda: let_go(hub))
    every(1, "reviews", lambda: carry_out_reviews(hub))
    every(900, "retention", lambda: keep_rules(hub))
    every(5, "conversions", hub.conversions.sweep)
    every(3600, "old ad ids", hub.conversions.forget)
    every(600, "old traces", hub.risk.forget)
    every(60, "attribution", hub.attribution.runs.find_due)
    every(60, "coupons as touches", lambda: touch_by_coupon(hub))
    chats = ChatTouches(hub.db, hub.visits, Vault(secrets_of(hub.settings).secret_key), hub.clock)
    every(120, "chats as touches", lambda: touch_by_chat(chats))
    every(600, "old turns in chats", lambda: tidy_turns(hub))
    every(120, "who may be one", hub.suggestions.sweep)
    every(600, "segments", hub.segments.sweep)
    every(300, "old sign-ins", lambda: forget_sign_ins(hub))
    every(2, "copy facts", lambda: copy_facts(hub))
    every(10, "seal events", lambda: seal_events(hub))
    every(60, "tidy events", lambda: tidy_events(hub))
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
    """Give back what nobody paid for in time, and offer what is free to those who wait.

    An order being paid finds out when its money is held.
    """
    full = True
    while full:
        # A rush whose buyers went away ends within a second or two: the next tick would be late for it.
        async with hub.db.session() as session:
            ended = await hub.stock.expire_holds(session)
        if ended:
            log.info("holds.expired", count=len(ended))
        full = len(ended) >= AT_ONCE
    # What came back, from here or anywhere else, is for those who wait.
    await hub.waitlist.offer_freed()


async def decide_claims(hub: Services) -> None:
    """What was claimed by comment and has waited for earlier ones."""
    decided = await hub.claims.judge.sweep()
    if decided:
        log.info("claims.decided", count=decided)


async def end_offers(hub: Services) -> None:
    """End what is over. Prices did not wait for it: whoever takes a hold is asked for the time."""
    ended = await hub.launches.sweep()
    if ended:
        log.info("offers.ended", count=ended)


async def post_links(hub: Services) -> None:
    """Links that are to be posted in the chats of live shows."""
    said = await hub.link_posts.sweep()
    if said:
        log.info("links.posted", count=said)


async def touch_by_coupon(hub: Services) -> None:
    """Who used a link's coupon came by that link."""
    async with hub.db.session() as session:
        await note_coupons(session, hub.visits, hub.clock())


async def touch_by_chat(chats: ChatTouches) -> None:
    """Who is known by an account and wrote in a platform's chat was in that show."""
    noted = await chats.sweep()
    if noted:
        log.info("chats.noted", count=noted)


async def tidy_turns(hub: Services) -> None:
    """Who spoke in a chat, and may again."""
    async with hub.db.session() as session:
        await forget_turns(session, hub.clock())


async def copy_facts(hub: Services) -> None:
    """What happened in the tables, into the stream of events; without the stream it waits where it is."""
    if not hub.events.stream.why:
        await hub.events.copier.copy()


async def seal_events(hub: Services) -> None:
    """What the stream of events has, into files."""
    count = await hub.events.sealer.seal()
    if count:
        log.info("events.sealed", count=count)


async def tidy_events(hub: Services) -> None:
    """One file of events for each show that is over."""
    count = await hub.events.tidy()
    if count:
        log.info("events.tidied", shows=count)


async def let_go_of_late(hub: Services) -> None:
    """Payments that were not decided in time: first they are cancelled, then their stock is free."""
    count = await hub.payments.sweep.let_go_of_late()
    if count:
        log.info("payments.late", count=count)


async def look_after_payments(hub: Services) -> None:
    """Payments whose jobs gave up are taken up again, where a person sees them."""
    await hub.payments.sweep.look_after()


async def let_go(hub: Services) -> None:
    """Orders that were not paid while their stock was reserved let go of their lines and coupons."""
    async with hub.db.session() as session:
        await hub.outcomes.let_go(session)


async def carry_out_reviews(hub: Services) -> None:
    """What staff decided about held orders, and what their time decided."""
    await hub.risk.reviews.sweep()


async def keep_rules(hub: Services) -> None:
    """What is older than the brands' rules allow."""
    removed = await hub.rights.retention.sweep()
    if removed:
        log.info("retention.swept", count=removed)


async def forget_sign_ins(hub: Services) -> None:
    """Codes, sessions and challenges of buyers that are over."""
    async with hub.db.session() as session:
        await hub.shoppers.forget(session)
    await hub.passkeys.forget()
