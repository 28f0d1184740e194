"""Clips in the studio's terms: asked for by the clock or by the show's own time, answered in both."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from hub.errors import BadInput, Conflict
from hub.shows.models import Show
from restream.api import Clip, ClipWish

LONGEST_S = 30 * 86_400


class ClipIn(BaseModel):
    """From when to when: moments of the clock, or seconds since the show went live."""

    begins_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    begins_s: float | None = Field(default=None, ge=0, le=LONGEST_S)
    ends_s: float | None = Field(default=None, ge=0, le=LONGEST_S)

    @model_validator(mode="after")
    def _one_pair(self) -> ClipIn:
        given = self.model_dump(exclude_none=True).keys()
        if given not in ({"begins_at", "ends_at"}, {"begins_s", "ends_s"}):
            raise ValueError("Name begins_at and ends_at, or begins_s and ends_s.")
        return self

    def moments(self, show: Show) -> ClipWish:
        """As the worker is asked. Raises BadInput, and Conflict for show time without a show."""
        if self.begins_at and self.ends_at:
            begins, ends = self.begins_at, self.ends_at
        elif show.live_at is None or self.begins_s is None or self.ends_s is None:
            raise Conflict("show_not_live", "The show has no time of its own before it is live.")
        else:
            begins = show.live_at + timedelta(seconds=self.begins_s)
            ends = show.live_at + timedelta(seconds=self.ends_s)
        if ends <= begins:
            raise BadInput("clip_backwards", "A clip has to end after it begins.")
        return ClipWish(begins_at=begins, ends_at=ends)


class ClipOut(BaseModel):
    """A clip that was cut. `begins_s`: where it really begins, in seconds since the show went live."""

    name: str
    url: str
    begins_at: datetime
    ends_at: datetime
    begins_s: float | None
    seconds: float
    bytes: int

    @classmethod
    def of(cls, show: Show, clip: Clip) -> ClipOut:
        """From the worker's answer."""
        since = clip.begins_at - show.live_at if show.live_at else None
        return cls(
            **clip.model_dump(),
            url=clip_path(show.id, clip.name),
            begins_s=since.total_seconds() if since is not None else None,
        )


def clip_path(show_id: UUID, name: str) -> str:
    """Where it is downloaded."""
    return f"/api/v1/shows/{show_id}/clips/{name}"
