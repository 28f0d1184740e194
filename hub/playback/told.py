"""What a media worker is told of a show's playback: a part of its whole wanted state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.playback.cues import cue_spec, cues_of
from hub.playback.keys import verifies
from hub.playback.models import PlaybackKey, ShowCue
from hub.secrets import Vault
from hub.shows.models import Show
from restream.api import LadderSpec, PlaybackSpec, VerificationKey, WhepSpec

MOST_KEYS: Final = 5
"""That verify at one time: the newest. Keys are changed by hand, and old ones retire within a day."""


@dataclass(frozen=True)
class Told:
    """The rows that belong to a show's playback. `site`: our own pages' origin, which may always embed it."""

    keys: Sequence[PlaybackKey] = ()
    cues: Sequence[ShowCue] = ()
    site: str = ""


async def told(session: AsyncSession, show: Show, now: datetime, site: str) -> Told:
    """Read them."""
    return Told(await verifying(session, show, now), await cues_of(session, show), site)


async def verifying(session: AsyncSession, show: Show, now: datetime) -> list[PlaybackKey]:
    """The keys whose tokens are good, the newest first: the one that signs, if there is any."""
    query = (
        select(PlaybackKey)
        .where(col(PlaybackKey.show_id) == show.id, col(PlaybackKey.brand_id) == show.brand_id)
        .order_by(col(PlaybackKey.verifies_until).is_(None).desc(), col(PlaybackKey.id).desc())
        .limit(MOST_KEYS)
    )
    return [key for key in (await session.exec(query)).all() if verifies(key, now)]


def watching_of(show: Show, vault: Vault, rows: Told) -> dict[str, Any]:
    """The fields of `LiveSpec` that say how the show is played, and by whom."""
    sealed = show.path_secret_sealed
    return {
        "part_ms": show.part_ms,
        "ladder": LadderSpec() if show.ladder else None,
        "whep": WhepSpec() if show.whep else None,
        "cues": [cue_spec(cue) for cue in rows.cues],
        "playback": PlaybackSpec(
            policy="signed" if show.access == "signed" else "public",
            keys=[VerificationKey(id=key.id.hex, public_key=key.public_key) for key in rows.keys],
            path_secret=SecretStr(vault.open(sealed)) if sealed else None,
            origins=[*show.origins, rows.site] if show.origins else [],
            viewer_cap=show.viewer_cap,
        ),
    }
