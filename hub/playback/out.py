"""Playback as players and the studio see it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from hub.playback.models import ShowCue
from restream.api.ice import IceServer


class PlaybackOut(BaseModel):
    """Where and how a player plays. All addresses are whole, with a token in them where one is needed.

    What stands in the query of `hls_url` beside its token is a CDN's signature and goes with every request.
    `renew_at`: ask for this document again before then, token or signature run out. `paused`: live, but
    nobody sends. `replay`: the show is over, and this is its recording.
    """

    mode: Literal["balanced", "interactive"]
    hls_url: str | None
    whep_url: str | None
    dvr_url: str | None
    chapters_url: str | None
    replay: bool
    paused: bool
    poster_url: str | None
    ice_servers: list[IceServer]
    renew_at: datetime | None
    beacon_url: str


class CueOut(BaseModel):
    """A moment of the show."""

    id: UUID
    kind: str
    title: str
    reference: str
    begins_at: datetime
    ends_at: datetime | None

    @classmethod
    def of(cls, cue: ShowCue) -> CueOut:
        """From the table."""
        return cls(**cue.model_dump(include=set(CueOut.model_fields)))


class PlayerSettings(BaseModel):
    """A show's player as its brand sets it.

    `old_keys_until`: what was signed before the last change of keys is good until then. `embed_code` goes
    into any page.
    """

    mode: str
    part_ms: int
    ladder: bool
    whep: bool
    whep_url: str | None
    poster_asset: str | None
    access: str
    origins: list[str]
    viewer_cap: int | None
    key_since: datetime | None
    old_keys_until: datetime | None
    embed_code: str
    chapters: list[CueOut]


class PrivateLink(BaseModel):
    """For one person. It is shown once; nothing of it is kept."""

    url: str
    expires_at: datetime
    embed_code: str
