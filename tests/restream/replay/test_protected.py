"""A signed show's replay behind the real doorkeeper, on a worker that was told nothing of the show."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from restream.api import PlaybackSpec
from restream.playback.doorkeeper import Doorkeeper
from restream.replay.door import ReplayDoor
from restream.replay.shelf import Shelf
from tests.restream.playback.passes import NOW, Signer
from tests.restream.replay.stage import EMPTY_DISK, FIRST, SECRET, SLUG, ask, kept, synthetic, wish

BASE = f"/live/{SLUG}/{SECRET}/replay/source"
PLAYLISTS = (
    f"/live/{SLUG}/index.m3u8",
    f"/live/{SLUG}/dvr.m3u8",
    f"/live/{SLUG}/chapters.json",
    f"{BASE}/media.m3u8",
)


def only_for(signer: Signer) -> PlaybackSpec:
    return PlaybackSpec(policy="signed", keys=[signer.public], path_secret=SecretStr(SECRET))


async def worker(root: Path) -> tuple[Shelf, ReplayDoor]:
    """One that has just started."""
    shelf = Shelf(root, free=lambda _: EMPTY_DISK)
    await shelf.scan()
    return shelf, ReplayDoor(shelf, Doorkeeper(shelf.playback, lambda: NOW))


async def test_a_signed_replay_is_for_those_with_a_pass_after_a_restart_too(tmp_path: Path) -> None:
    signer, other = Signer("k1"), Signer("k2")
    shelf, _ = await worker(tmp_path)
    await kept(shelf, list(synthetic(5)), wish(playback=only_for(signer)))
    await shelf.apply(wish(open=False, playback=only_for(signer)))
    await shelf.stop()
    shelf, door = await worker(tmp_path)
    good, bad = signer.token(sub=SLUG), other.token(sub=SLUG)
    for address in PLAYLISTS:
        assert (await ask(door, address)).status == 401
        assert (await ask(door, f"{address}?token={bad}")).status == 401
        assert (await ask(door, f"{address}?token={good}")).status == 200
    for name in (f"s{FIRST}.m4s", f"init{FIRST}.mp4"):
        assert (await ask(door, f"{BASE}/{name}")).status == 200
        assert (await ask(door, f"{BASE.replace(SECRET + '/', '')}/{name}")).status == 404
    await shelf.apply(wish(version=2, open=False, playback=only_for(other)))
    assert (await ask(door, f"{PLAYLISTS[0]}?token={good}")).status == 401
    assert (await ask(door, f"{PLAYLISTS[0]}?token={bad}")).status == 200
    await shelf.stop()


async def test_a_replay_whose_rules_are_lost_is_refused_at_every_address(tmp_path: Path) -> None:
    shelf, _ = await worker(tmp_path)
    await kept(shelf, list(synthetic(5)))
    await shelf.apply(wish(open=False))
    await shelf.stop()
    (tmp_path / SLUG / "replay" / "about.json").write_text("{")
    shelf, door = await worker(tmp_path)
    for address in (*PLAYLISTS, f"{BASE}/s{FIRST}.m4s", f"/live/{SLUG}/replay/source/s{FIRST}.m4s"):
        assert (await ask(door, address)).status == 404
    await shelf.stop()
