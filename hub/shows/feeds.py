"""How a show's feed is taken: standby key, SRT, slate and its picture, recording, profiles."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.errors import BadInput, Conflict, NotFound
from hub.secrets import Vault
from hub.shows.models import Asset, MediaWorker, Show
from hub.shows.out import FeedOut
from hub.shows.profiles import drop_profile, profiles_of, put_profile
from hub.shows.service import Shows, hash_of, make_key
from hub.shows.sources import SourceOut, opened, sealed_source
from hub.shows.spec import drawn_by
from hub.shows.wishes import FeedChange
from restream.api import ProfileSpec

LARGEST_ASSET: Final = 5 << 20
MOST_ASSETS: Final = 200
"""Per brand."""


class Feeds:
    """The verbs of a show's feed. The media worker hears of each through `Shows.sync`."""

    def __init__(self, vault: Vault, shows: Shows) -> None:
        self._vault = vault
        self._shows = shows

    async def out(self, session: AsyncSession, show: Show) -> FeedOut:
        """As the studio shows it. Like the stream key, what goes into an encoder is shown to the brand."""
        worker = await session.get(MediaWorker, show.media_worker_id) if show.media_worker_id else None
        sealed = show.srt_passphrase_sealed
        passphrase = self._vault.open(sealed) if sealed else None
        return FeedOut(
            **show.model_dump(include=set(FeedOut.model_fields)),
            backup_key=self._vault.open(show.backup_key_sealed) if show.backup_key_sealed else None,
            srt_url=srt_address(worker.srt_url, self._shows.key_of(show), passphrase)
            if worker and worker.srt_url
            else None,
            srt_passphrase=passphrase,
            source=SourceOut.of(opened(self._vault, show.source_sealed)) if show.source_sealed else None,
            whip_url=f"{worker.playback_url}/live/{show.slug}/whip" if worker else None,
        )

    async def new_backup_key(self, session: AsyncSession, show: Show) -> str:
        """A new key for the hot standby; whoever publishes with the old one is cut."""
        key = make_key()
        show.backup_key_sealed, show.backup_key_hash = self._vault.seal(key), hash_of(key)
        await self._shows.sync(session, show)
        return key

    async def change(self, session: AsyncSession, show: Show, wish: FeedChange) -> None:
        """Take what is named, leave the rest."""
        named = wish.model_dump(exclude_unset=True, exclude={"srt_encrypted", "slate_asset", "source"})
        for name, value in named.items():
            if value is not None:
                setattr(show, name, value)
        if "slate_asset" in wish.model_fields_set:
            show.slate_asset = wish.slate_asset
        if wish.source:
            show.source_sealed = sealed_source(self._vault, wish.source, show.source_sealed)
        elif "source" in wish.model_fields_set:
            show.source_sealed = None
        if wish.srt_encrypted is False:
            show.srt_passphrase_sealed = None
        elif wish.srt_encrypted and show.srt_passphrase_sealed is None:
            show.srt_passphrase_sealed = self._vault.seal(secrets.token_urlsafe(18))
        await self._changed(session, show)

    async def put_profile(self, session: AsyncSession, show: Show, profile: ProfileSpec) -> None:
        """Add or change a profile; while live, what can change without a new encoder does."""
        put_profile(show, profile)
        await self._changed(session, show)

    async def drop_profile(self, session: AsyncSession, show: Show, name: str) -> None:
        """Remove a profile that no target uses."""
        users = [one.name for one in await self._shows.targets(session, show.id) if one.profile == name]
        if users:
            raise Conflict("profile_used", f"{', '.join(users)} still uses it. Choose another profile there.")
        drop_profile(show, name)
        await self._changed(session, show)

    async def add_asset(self, session: AsyncSession, brand_id: UUID, data: bytes) -> Asset:
        """Keep a picture or a loop; the same bytes are kept once."""
        if len(data) > LARGEST_ASSET:
            raise BadInput("asset_too_large", "This file is larger than 5 MB. Make it smaller first.")
        media_type = media_type_of(data)
        if media_type is None:
            raise BadInput(
                "asset_unknown", "Use a PNG, JPEG or WebP picture, or an MP4 loop. This file is none of them."
            )
        sha = hashlib.sha256(data).hexdigest()
        known = await self._find(session, brand_id, sha)
        if known:
            return known
        count = select(func.count()).select_from(Asset).where(col(Asset.brand_id) == brand_id)
        if (await session.exec(count)).one() >= MOST_ASSETS:
            raise Conflict("too_many_assets", f"There are {MOST_ASSETS} files already. No more are kept.")
        asset = Asset(brand_id=brand_id, sha256=sha, media_type=media_type, data=data)
        session.add(asset)
        await session.flush()
        return asset

    async def asset(self, session: AsyncSession, brand_id: UUID, sha: str) -> Asset:
        """One file of a brand."""
        found = await self._find(session, brand_id, sha)
        if found is None:
            raise NotFound("asset_unknown", "There is no such file.")
        return found

    async def _find(self, session: AsyncSession, brand_id: UUID, sha: str) -> Asset | None:
        query = select(Asset).where(col(Asset.brand_id) == brand_id, col(Asset.sha256) == sha)
        return (await session.exec(query)).first()

    async def _changed(self, session: AsyncSession, show: Show) -> None:
        """Nobody draws what is not theirs: every picture that is named must be the brand's."""
        slate = {show.slate_asset} if show.slate_asset else set()
        for sha in slate | drawn_by(profiles_of(show)):
            await self.asset(session, show.brand_id, sha)
        await self._shows.sync(session, show)


def srt_address(server: str, key: str, passphrase: str | None) -> str:
    """One line for the encoder: address, key and passphrase."""
    return f"{server}?streamid=publish:{key}" + (f"&passphrase={passphrase}" if passphrase else "")


def media_type_of(data: bytes) -> str | None:
    """By the first bytes: what a browser claims is not to be trusted."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "video/mp4" if data[4:8] == b"ftyp" else None
