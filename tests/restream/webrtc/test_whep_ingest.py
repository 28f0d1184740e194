"""However a show comes in, it can be watched by WebRTC: a whole worker, real encoders, aiortc to watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from restream.api.wish import WhepSpec
from restream.client import WorkerClient
from restream.main import running
from restream.settings import MediaSettings
from tests.restream.encoder import ffmpeg
from tests.restream.ingest.studio import AAC, PICTURE
from tests.restream.test_worker import KEY, TOKEN, free_port, spec
from tests.restream.test_worker import until as told
from tests.restream.webrtc.stage import Viewer, until, viewer

OPUS = ("-c:a", "libopus", "-ac", "2", "-b:a", "64k")
BASELINE = ("-profile:v", "baseline")
PICTURES, SOUNDS = 45, 50


@pytest.fixture
def settings(tmp_path: Path) -> MediaSettings:
    return MediaSettings(
        data=tmp_path,
        media_port=free_port(),
        media_control_port=free_port(),
        rtmp_port=free_port(),
        rtmps_port=free_port(),
        srt_port=free_port(),
        webrtc_port=free_port(),
        media_token=SecretStr(TOKEN),
    )


@pytest.fixture
async def client(settings: MediaSettings) -> AsyncIterator[WorkerClient]:
    """A running worker that waits for a show, as the hub sees it."""
    async with running(settings):
        found = WorkerClient(f"http://127.0.0.1:{settings.media_control_port}", TOKEN)
        await found.put(spec(whep=WhepSpec()))
        yield found
        await found.close()


def output(ingest: str, settings: MediaSettings) -> Sequence[str]:
    """What ffmpeg is told of the way in."""
    if ingest == "srt":
        address = f"srt://127.0.0.1:{settings.srt_port}?connect_timeout=20000"
        return (*AAC, "-f", "mpegts", "-srt_streamid", f"publish:{KEY}", address)
    if ingest == "whip":
        address = f"http://127.0.0.1:{settings.media_port}/live/show/whip"
        patience = ("-handshake_timeout", "20000")
        return (*BASELINE, *OPUS, "-f", "whip", *patience, "-authorization", KEY, address)
    return (*AAC, "-f", "flv", f"rtmp://127.0.0.1:{settings.rtmp_port}/live/{KEY}")


@pytest.mark.parametrize("ingest", ["rtmp", "srt", "whip"])
async def test_a_show_is_seen_and_heard_by_webrtc(
    ingest: str, settings: MediaSettings, client: WorkerClient
) -> None:
    async with ffmpeg("-re", *PICTURE, *output(ingest, settings)), viewer() as watching:
        status = await told(client, lambda now: now.playable)
        assert status.publisher
        assert status.publisher.protocol == ingest
        await watching.watch(f"http://127.0.0.1:{settings.media_port}/live/show/whep")
        await until(lambda: len(watching.pictures) >= PICTURES and len(watching.sounds) >= SOUNDS)
        assert {(width, height) for _, width, height, _ in watching.pictures} == {(320, 180)}
        assert codecs(watching) == {"H264/90000", "opus/48000/2"}
        assert in_step(watching), "sound and picture go on at the pace of the show"


def codecs(watching: Viewer) -> set[str]:
    """What was agreed upon, repairs apart."""
    lines = watching.answer.splitlines()
    named = {line.partition(" ")[2] for line in lines if line.startswith("a=rtpmap:")}
    return {name for name in named if not name.startswith("rtx/")}


def in_step(watching: Viewer) -> bool:
    """Whether so much of each has come as the wall clock says; the first are what was kept for joiners."""
    for track in (watching.pictures[15:], watching.sounds[25:]):
        media, wall = track[-1][-1] - track[0][-1], track[-1][0] - track[0][0]
        if abs(media - wall) > 0.5:
            return False
    return True
