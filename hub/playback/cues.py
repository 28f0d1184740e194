"""The moments of a show: which product was in the host's hand when, and the chapters staff have set."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from hub.catalog.models import Product
from hub.playback.models import ShowCue
from hub.shows.models import Show, ShowProduct
from restream.api import CueSpec

MOST_TOLD: Final = 2000
"""The newest of a show; nobody sets more in one evening."""
LONGEST_TITLE: Final = 200


async def light(session: AsyncSession, show: Show, product_id: UUID | None, now: datetime) -> bool:
    """This product begins now, and the one before it ends. False when nothing changes for players.

    Only a live show has moments: what is tried out before is not part of its programme.
    """
    if show.state != "live":
        return False
    lit = (await session.exec(_open(show).where(col(ShowCue.kind) == "product"))).all()
    wanted = str(product_id) if product_id else None
    if [cue.reference for cue in lit] == ([wanted] if wanted else []):
        return False
    for cue in lit:
        cue.ends_at = now
    if product_id:
        title = await session.get_one(Product, product_id)
        session.add(_cue(show, "product", title.title, now, reference=str(product_id)))
    return True


async def light_first(session: AsyncSession, show: Show, now: datetime) -> None:
    """The show goes live with a product in the host's hand already."""
    query = select(ShowProduct.product_id).where(
        col(ShowProduct.show_id) == show.id, col(ShowProduct.highlighted)
    )
    await light(session, show, (await session.exec(query)).first(), now)


async def add_chapter(session: AsyncSession, show: Show, title: str, now: datetime) -> ShowCue:
    """A chapter begins now; the one before it ends."""
    for cue in (await session.exec(_open(show).where(col(ShowCue.kind) == "chapter"))).all():
        cue.ends_at = now
    cue = _cue(show, "chapter", title, now)
    session.add(cue)
    return cue


async def end_all(session: AsyncSession, show: Show, now: datetime) -> None:
    """The show is over, and so is whatever was going on in it."""
    mine = update(ShowCue).where(col(ShowCue.show_id) == show.id, col(ShowCue.ends_at).is_(None))
    await session.exec(mine.values(ends_at=now))


async def cues_of(session: AsyncSession, show: Show) -> list[ShowCue]:
    """In the order they began."""
    query = (
        select(ShowCue)
        .where(col(ShowCue.show_id) == show.id, col(ShowCue.brand_id) == show.brand_id)
        .order_by(col(ShowCue.begins_at).desc(), col(ShowCue.id).desc())
        .limit(MOST_TOLD)
    )
    return [*reversed((await session.exec(query)).all())]


def cue_spec(cue: ShowCue) -> CueSpec:
    """As the media worker is told."""
    return CueSpec.model_validate(
        {**cue.model_dump(include={"kind", "begins_at", "ends_at", "title", "reference"}), "id": cue.id.hex}
    )


def _cue(show: Show, kind: str, title: str, now: datetime, reference: str = "") -> ShowCue:
    return ShowCue(
        brand_id=show.brand_id,
        show_id=show.id,
        kind=kind,
        title=title[:LONGEST_TITLE],
        reference=reference,
        begins_at=now,
    )


def _open(show: Show) -> SelectOfScalar[ShowCue]:
    return select(ShowCue).where(col(ShowCue.show_id) == show.id, col(ShowCue.ends_at).is_(None))
