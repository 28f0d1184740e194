"""Who may watch a show and how: the studio's settings, keys and links, and the player's document."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.db import Database
from hub.delivery.service import Edges
from hub.errors import BadInput, Conflict, NotFound
from hub.jobs import defer
from hub.playback import cues
from hub.playback.keys import Invitation, Signer, make_key, make_secret
from hub.playback.models import PlaybackKey, ShowCue
from hub.playback.out import CueOut, PlaybackOut, PlayerSettings, PrivateLink
from hub.playback.told import verifying
from hub.playback.wishes import LinkIn, PlayerChange
from hub.secrets import Vault
from hub.settings import Settings
from hub.shows.models import Asset, MediaWorker, Show
from hub.shows.service import Shows
from hub.shows.spec import REPLAY_KEPT
from restream.api.ice import IceServer, ice_servers

STAFF: Final = Invitation("studio", datetime(9999, 1, 1, tzinfo=UTC))
"""The brand's own screens need no link."""
NULLABLE: Final = frozenset({"whep_url", "poster_asset", "viewer_cap"})
CLOCKS_DIFFER: Final = timedelta(seconds=5)
"""Ours and the database's, which says when a job is due."""


class Playback:
    """The verbs of a show's player. The media worker hears of each through `Shows.sync`."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, shows: Shows, edges: Edges, *, settings: Settings
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._shows = shows
        self._edges = edges
        self._settings = settings
        self._signer = Signer(vault, clock)

    # --- for the studio ---------------------------------------------------------------------------

    async def out(self, session: AsyncSession, show: Show) -> PlayerSettings:
        """As the studio shows it."""
        keys = await verifying(session, show, self._clock())
        return PlayerSettings(
            **show.model_dump(
                include=set(PlayerSettings.model_fields)
                - {"mode", "key_since", "old_keys_until", "embed_code", "chapters"}
            ),
            mode=show.playback_mode,
            key_since=next((key.created_at for key in keys if key.verifies_until is None), None),
            old_keys_until=max((key.verifies_until for key in keys if key.verifies_until), default=None),
            embed_code=self._embed(show),
            chapters=[CueOut.of(cue) for cue in await cues.cues_of(session, show) if cue.kind == "chapter"],
        )

    async def change(self, session: AsyncSession, show: Show, wish: PlayerChange) -> None:
        """Take what is named, leave the rest."""
        if show.state == "live" and wish.part_ms not in (None, show.part_ms):
            raise Conflict(
                "part_fixed", "The length of parts can't change while the show is live. Set it before."
            )
        if wish.poster_asset:
            await self._check_picture(session, show, wish.poster_asset)
        if wish.access == "signed" and show.access != "signed":
            await self._close_door(session, show)
        for name, value in wish.model_dump(exclude_unset=True).items():
            if value is not None or name in NULLABLE:
                setattr(show, "playback_mode" if name == "mode" else name, value)
        await self._shows.sync(session, show)

    async def rotate(self, session: AsyncSession, show: Show, grace: timedelta) -> None:
        """Sign with a new key. What the old one signed is good for `grace`; without one, everybody is cut."""
        now = self._clock()
        ends = now + grace
        for key in await verifying(session, show, now):
            if key.verifies_until is None or key.verifies_until > ends:
                key.verifies_until = ends
        await session.flush()
        session.add(make_key(show, self._vault))
        if grace:
            # The worker knows no dates, only keys: it is told again when the grace is over. Without the lock
            # of other news to it, which would have to wait as long.
            at = ends + CLOCKS_DIFFER
            once = f"playback.retire:{show.id}:{at.timestamp():.0f}"
            await defer(session, "playback.retire", key=once, at=at, show_id=str(show.id))
        else:
            show.path_secret_sealed = self._vault.seal(make_secret())
        await self._shows.sync(session, show)

    async def retire(self, show_id: UUID) -> None:
        """The grace of an old key is over: the worker is told which are left."""
        async with self._db.session() as session:
            show = await session.get(Show, show_id, with_for_update=True)
            if show:
                await self._shows.sync(session, show)

    async def expired(self, show_id: UUID) -> None:
        """A replay's time is over, and the worker has removed it: CDNs are told, unless the show went on."""
        async with self._db.session() as session:
            show = await session.get(Show, show_id)
            if show and not self._replayable(show):
                await self._edges.forget(session, show)

    async def invite(self, session: AsyncSession, show: Show, wish: LinkIn) -> PrivateLink:
        """A link that opens a signed show to one person."""
        if show.access != "signed":
            raise Conflict(
                "not_private",
                "This show is open to everybody: its address is enough. No private link needed.",
            )
        expires = self._clock() + timedelta(hours=wish.hours)
        token = self._signer.link(await self._signing_key(session, show), show, expires, wish.ip)
        url = f"{self._settings.site_url()}/watch/{show.slug}?access={token}"
        return PrivateLink(url=url, expires_at=expires, embed_code=self._embed(show, token))

    async def add_chapter(self, session: AsyncSession, show: Show, title: str) -> ShowCue:
        """A chapter begins at the picture that comes in now."""
        if show.state != "live":
            raise Conflict("show_not_live", "Chapters are set while the show is live.")
        cue = await cues.add_chapter(session, show, title, self._clock())
        await self._shows.sync(session, show)
        return cue

    async def poster(self, session: AsyncSession, show: Show) -> Asset:
        """The picture before the play button. Raises NotFound."""
        query = select(Asset).where(
            col(Asset.brand_id) == show.brand_id, col(Asset.sha256) == show.poster_asset
        )
        asset = (await session.exec(query)).first() if show.poster_asset else None
        if asset is None:
            raise NotFound("no_poster", "This show has no poster.")
        return asset

    def poster_url(self, show: Show) -> str | None:
        """Its address, which changes with the picture."""
        if show.poster_asset is None:
            return None
        site, version = self._settings.site_url(), show.poster_asset[:12]
        return f"{site}/api/v1/public/shows/{show.slug}/poster?v={version}"

    # --- for players ------------------------------------------------------------------------------

    async def invited(
        self, session: AsyncSession, show: Show, link: str | None, address: str | None
    ) -> Invitation | None:
        """What a private link says; None without one. Raises Unauthorised with a sentence for the viewer."""
        if not link:
            return None
        keys = await verifying(session, show, self._clock())
        return self._signer.read_link(keys, show, link, address)

    async def play(
        self, session: AsyncSession, show: Show, invitation: Invitation | None, viewer: str = ""
    ) -> PlaybackOut | None:
        """Where the show plays, once there is something to play. `viewer` is one and the same over renewals.

        None also for a signed show and somebody without an invitation.
        """
        worker = await session.get(MediaWorker, show.media_worker_id) if show.media_worker_id else None
        replay = show.state == "ended" and self._replayable(show)
        if worker is None or not (replay or (show.playable and show.state != "ended")):
            return None
        token, edge = "", await self._edges.edge(session, show, self._clock())
        renewals = [edge.renew_at(viewer)] if edge else []
        if show.access == "signed":
            if invitation is None:
                return None
            key = await self._signing_key(session, show)
            found = self._signer.player(key, show, invitation, viewer)
            token = f"?token={found.token}"
            renewals.append(found.renew_at)
        origin = edge.origin if edge else self._settings.playback_url or worker.playback_url
        media = f"{origin}/live/{show.slug}"
        query = with_query(token, edge.query if edge else "")
        public = f"{self._settings.site_url()}/api/v1/public/shows/{show.slug}"
        ours = f"{worker.playback_url}/live/{show.slug}/whep{token}" if show.whep else None
        return PlaybackOut.model_validate(
            {
                "mode": show.playback_mode,
                "hls_url": f"{media}/index.m3u8{query}",
                "whep_url": None if replay else show.whep_url or ours,
                "dvr_url": f"{media}/dvr.m3u8{query}" if show.recording else None,
                "chapters_url": f"{media}/chapters.json{query}" if show.recording else None,
                "replay": replay,
                "paused": not replay and paused(show),
                "poster_url": self.poster_url(show),
                "ice_servers": [] if replay or not show.whep else self._ice_servers(),
                "renew_at": min((one for one in renewals if one), default=None),
                "beacon_url": f"{public}/quality",
            }
        )

    def _ice_servers(self) -> list[IceServer]:
        """The same for everybody within an hour: what a player was told does not change under it."""
        settings, hour = self._settings, self._clock().timestamp() // 3600 * 3600
        return ice_servers(listed(settings.stun_urls), listed(settings.turn_urls), settings.turn_secret, hour)

    def _replayable(self, show: Show) -> bool:
        """Whether the worker has its recording, and keeps it still."""
        ended, was_live = show.ended_at, show.live_at is not None
        return show.recording and was_live and ended is not None and self._clock() < ended + REPLAY_KEPT

    async def _signing_key(self, session: AsyncSession, show: Show) -> PlaybackKey:
        query = select(PlaybackKey).where(
            col(PlaybackKey.show_id) == show.id, col(PlaybackKey.verifies_until).is_(None)
        )
        return (await session.exec(query)).one()

    async def _close_door(self, session: AsyncSession, show: Show) -> None:
        """From now on signed: who has watched so far knows where the media is, so it moves."""
        show.path_secret_sealed = self._vault.seal(make_secret())
        if not any(key.verifies_until is None for key in await verifying(session, show, self._clock())):
            session.add(make_key(show, self._vault))
            await session.flush()

    async def _check_picture(self, session: AsyncSession, show: Show, sha: str) -> None:
        query = select(Asset.media_type).where(col(Asset.brand_id) == show.brand_id, col(Asset.sha256) == sha)
        kind = (await session.exec(query)).first()
        if kind is None:
            raise NotFound("asset_unknown", "There is no such file.")
        if not kind.startswith("image/"):
            raise BadInput("poster_no_picture", "The poster must be a picture: PNG, JPEG or WebP.")

    def _embed(self, show: Show, access: str = "") -> str:
        site = self._settings.site_url()
        more = f' access="{access}"' if access else ""
        return (
            f'<script async src="{html.escape(site)}/player.js"></script>'
            f'<simulcast-player show="{show.slug}"{more}></simulcast-player>'
        )


def with_query(query: str, more: str) -> str:
    """Both, for the end of an address; `query` has its question mark already."""
    return f"{query}{'&' if query else '?'}{more}" if more else query


def listed(text: str) -> list[str]:
    """What stands between commas."""
    return [one.strip() for one in text.split(",") if one.strip()]


def paused(show: Show) -> bool:
    """Live, and nobody sends: viewers see the slate, or nothing."""
    on_air = (show.health or {}).get("on_air")
    return show.state == "live" and (on_air in ("slate", "nothing") if on_air else show.ingest is None)
