"""From rows to what the media worker is told. Secrets are opened here and travel on to the worker only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from pydantic import SecretStr, TypeAdapter

from hub.playback.told import Told, watching_of
from hub.secrets import Vault
from hub.shows.models import Show, ShowTarget
from hub.shows.sources import opened
from restream.api import LiveSpec, ProfileSpec, RecordingSpec, SlateSpec, TargetSpec

PROFILES = TypeAdapter(list[ProfileSpec])
BACKUP = ".backup"
"""What the id of a platform's second entrance ends in."""
RECORDING: Final = RecordingSpec()
REPLAY_KEPT: Final = timedelta(hours=RECORDING.keep_hours)
"""After the show's end."""
REMOVED_WITHIN: Final = timedelta(hours=1, minutes=5)
"""The media worker looks once an hour for what it need not keep any more."""
NOT_OPEN_YET = "rtmp://not.open.yet/live"
"""Stands for an address that a platform gives out only when the show goes live: planning needs none."""


def spec_of(
    show: Show,
    targets: Iterable[ShowTarget],
    vault: Vault,
    rows: Told | None = None,
    *,
    planning: bool = False,
) -> LiveSpec:
    """The whole wanted state. `planning`: with the targets whose address is not known yet."""
    wanted = [spec for target in targets for spec in specs_of(show, target, vault, planning=planning)]
    named = {target.profile for target in wanted}
    passphrase = show.srt_passphrase_sealed
    return LiveSpec(
        slug=show.slug,
        version=show.spec_version,
        key_hashes=[show.stream_key_hash],
        backup_key_hashes=[show.backup_key_hash] if show.backup_key_hash else [],
        takeover=show.takeover,
        failback=show.failback,
        grace_seconds=show.grace_seconds,
        slate=SlateSpec(asset=show.slate_asset, text=show.slate_text),
        srt_passphrase=SecretStr(vault.open(passphrase)) if passphrase else None,
        targets=wanted,
        profiles=[one for one in PROFILES.validate_python(show.profiles) if one.name in named],
        recording=RECORDING if show.recording else None,
        source=opened(vault, show.source_sealed) if show.source_sealed else None,
        open=show.state != "ended",
        **watching_of(show, vault, rows or Told()),
    )


def specs_of(show: Show, target: ShowTarget, vault: Vault, *, planning: bool = False) -> Iterator[TargetSpec]:
    """A target, and the platform's second entrance if it is pushed to as well."""
    if planning:
        yield target_spec(target, NOT_OPEN_YET, "planned", wanted=target.wanted)
    elif target.url_sealed and target.key_sealed:
        wanted = target.wanted and show.state == "live"
        url, key = vault.open(target.url_sealed), vault.open(target.key_sealed)
        first = target_spec(target, url, key, wanted=wanted)
        if target.passphrase_sealed:
            first.passphrase = SecretStr(vault.open(target.passphrase_sealed))
        yield first
        if target.backup_wanted and target.backup_url_sealed and target.backup_key_sealed:
            url, key = vault.open(target.backup_url_sealed), vault.open(target.backup_key_sealed)
            second = target_spec(target, url, key, wanted=wanted)
            second.id, second.name = f"{second.id}{BACKUP}", f"{second.name} (backup)"
            yield second


def target_spec(target: ShowTarget, url: str, key: str, *, wanted: bool) -> TargetSpec:
    """What both entrances have in common."""
    return TargetSpec.model_validate(
        {
            "id": str(target.id),
            "name": target.name,
            "url": url,
            "key": key,
            "wanted": wanted,
            **target.model_dump(include={"plan", "platform", "profile", "attempt"}),
        }
    )


def assets_of(spec: LiveSpec) -> set[str]:
    """Every picture a wanted state names."""
    slate = {spec.slate.asset} if spec.slate and spec.slate.asset else set()
    return slate | drawn_by(spec.profiles)


def drawn_by(profiles: Iterable[ProfileSpec]) -> set[str]:
    """The pictures in profiles' overlays."""
    layers = [layer for profile in profiles for layer in profile.layers]
    return {layer.asset for layer in layers if layer.kind in ("picture", "card") and layer.asset}
