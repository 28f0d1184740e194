"""Sources: real files, a real RTMP/HTTP far end, real ffmpeg."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import imageio_ffmpeg
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from restream.api import SourceSpec
from restream.gate import Publisher, PublishRefused, PublishRequest
from restream.ingest.source import Patience, Source, SourceStatus
from restream.ingest.source_command import BadSource, Plan, command, inside, items, plan_after
from restream.media import Frame, Kind
from restream.serving import serving
from tests.restream.encoder import ffmpeg
from tests.restream.ingest.studio import Intake, assert_in_order, children, decoded, until
from tests.restream.targets.servers import free_port

HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "15")


class Show:
    """What a source is admitted to; remembers every admission."""

    def __init__(self) -> None:
        self.intakes: list[Intake] = []
        self.refusing = False

    def admit(self, kick: Callable[[str], None]) -> Publisher:
        if self.refusing:
            raise PublishRefused("NetStream.Publish.Denied", "This show has ended.")
        request = PublishRequest(app="live", key="", peer="", encoder="", protocol="source")
        self.intakes.append(Intake(request, kick))
        return self.intakes[-1]

    @property
    def frames(self) -> list[Frame]:
        return [frame for intake in self.intakes for frame in intake.frames]

    def pictures(self) -> int:
        return sum(len(intake.pictures()) for intake in self.intakes)


@pytest.fixture
def show() -> Show:
    return Show()


def made(folder: Path, name: str, *codecs: str, seconds: float = 1.0, size: str = "160x90") -> str:
    """A file with picture and sound."""
    inputs = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=30", "-f", "lavfi", "-i", "sine"]
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *inputs, "-t", str(seconds)]
    argv += ["-pix_fmt", "yuv420p", *codecs, str(folder / name)]
    subprocess.run(argv, check=True, timeout=60)
    return name


def spec(kind: str, *addresses: str, loop: bool = True) -> SourceSpec:
    return SourceSpec.model_validate({"kind": kind, "addresses": list(addresses), "loop": loop})


@asynccontextmanager
async def playing(show: Show, wanted: SourceSpec, folder: Path | None = None) -> AsyncIterator[Source]:
    """A running source; nothing of it is left at the end."""
    source = Source(wanted, folder, show.admit, chance=lambda: 0.0)
    source.start()
    try:
        yield source
    finally:
        await source.stop()
        assert not [line for line in children().values() if "flv" in line and "pipe:1" in line]


async def test_a_test_pattern_flows_at_its_own_pace_and_decodes(show: Show) -> None:
    began = time.time()
    async with playing(show, spec("pattern")) as source:
        await until(lambda: show.pictures() >= 150)
        assert source.status == SourceStatus("playing")
        first, last = show.intakes[0].pictures()[0], show.intakes[0].pictures()[-1]
        # As fast as it can go, this machine makes five seconds of it in a fraction of one.
        assert last.arrived - began > 0.7 * (last.dts - first.dts) / 1000
    assert_in_order(show.frames)
    assert decoded(show.frames)[0] == show.pictures()
    assert source.status == SourceStatus("idle")
    assert show.intakes[0].reason == "The source was stopped."


async def test_a_file_that_fits_is_copied_and_looped(show: Show, tmp_path: Path) -> None:
    made(tmp_path, "a.mp4", *H264, "-c:a", "aac")
    async with playing(show, spec("file", "a.mp4"), tmp_path):
        await until(lambda: show.pictures() >= 75)
        (argv,) = [line for line in children().values() if "a.mp4" in line]
        assert "-c:v copy -c:a copy" in argv
    assert len(show.intakes) == 1
    assert_in_order(show.frames)
    times = [frame.dts for frame in show.intakes[0].pictures()]
    assert max(b - a for a, b in itertools.pairwise(times)) < 100, "no gap where it begins again"
    assert decoded(show.frames)[0] == show.pictures()


async def test_a_file_that_does_not_loop_ends(show: Show, tmp_path: Path) -> None:
    made(tmp_path, "a.mp4", *H264, "-c:a", "aac")
    async with playing(show, spec("file", "a.mp4", loop=False), tmp_path) as source:
        await until(lambda: source.status.state == "ended")
    assert show.pictures() == 30
    assert show.intakes[0].reason == "The source has ended."


@pytest.mark.parametrize(
    ("name", "codecs", "copied"),
    [
        ("hevc.mp4", (*HEVC, "-c:a", "aac"), "-c:a copy"),
        ("mp3.mkv", (*H264, "-c:a", "libmp3lame"), "-c:v copy"),
        ("ten.mkv", (*H264, "-pix_fmt", "yuv420p10le", "-c:a", "aac"), "-c:a copy"),
        ("vp9.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"), None),
    ],
)
async def test_what_does_not_fit_is_encoded_and_the_rest_copied(
    show: Show, tmp_path: Path, name: str, codecs: tuple[str, ...], copied: str | None
) -> None:
    made(tmp_path, name, *codecs)
    async with playing(show, spec("file", name), tmp_path):
        await until(lambda: show.pictures() >= 30 and show.intakes[0].sounds())
        (argv,) = [line for line in children().values() if name in line]
        assert copied is None or copied in argv
        assert "libx264" in argv or "-c:a aac" in argv
    headers = [frame for frame in show.frames if frame.header]
    assert {frame.kind for frame in headers} == {Kind.VIDEO, Kind.AUDIO}
    assert all(frame.payload[0] in (0x17, 0xAF) for frame in headers)
    assert decoded(show.frames)[0] == show.pictures()


async def test_a_playlist_is_one_feed_on_one_timeline(show: Show, tmp_path: Path) -> None:
    names = [
        made(tmp_path, "a.mp4", *H264, "-c:a", "aac"),
        made(tmp_path, "b.mp4", *H264, "-c:a", "aac", size="320x180"),
    ]
    async with playing(show, spec("playlist", *names), tmp_path):
        await until(lambda: show.pictures() >= 75)
    assert len(show.intakes) == 1, "nobody notices where one file ends and the next begins"
    assert_in_order(show.frames)
    assert len([frame for frame in show.frames if frame.header and frame.kind == Kind.VIDEO]) >= 3
    assert decoded(show.frames)[0] == show.pictures()


async def test_a_broken_file_does_not_stop_the_playlist(show: Show, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 100)
    made(tmp_path, "a.mp4", *H264, "-c:a", "aac")
    async with playing(show, spec("playlist", "broken.mp4", "a.mp4"), tmp_path) as source:
        await until(lambda: source.status.state == "retrying")
        assert source.status.reason == "What comes is no video that can be read."
        assert source.status.next_try_at
        await until(lambda: show.pictures() >= 15)


async def test_an_address_is_pulled_and_pulled_again_and_is_on_no_command_line(
    show: Show, tmp_path: Path
) -> None:
    made(tmp_path, "a.mp4", *H264, "-c:a", "aac")
    app = Starlette(routes=[Mount("/", StaticFiles(directory=tmp_path))])
    async with (
        serving(app, "127.0.0.1", 0) as port,
        playing(show, spec("pull", f"http://127.0.0.1:{port}/a.mp4?token=hush'h")) as source,
    ):
        await until(lambda: show.pictures() >= 5)
        assert not [line for line in children().values() if "hush" in line]
        await until(lambda: source.status.state == "retrying")
        assert source.status.reason == "The feed broke off."
        assert show.intakes[0].reason == "The feed broke off."
        await until(lambda: len(show.intakes) >= 2)
    assert_in_order(show.frames)


async def test_a_live_rtmp_feed_is_pulled(show: Show, tmp_path: Path) -> None:
    made(tmp_path, "a.mp4", *H264, "-c:a", "aac", seconds=2)
    port = free_port()
    serve = ("-stream_loop", "-1", "-re", "-i", str(tmp_path / "a.mp4"), "-c", "copy", "-f", "flv")
    async with playing(show, spec("pull", f"rtmp://127.0.0.1:{port}/live/x")) as source:
        await until(lambda: source.status.state == "retrying")
        assert source.status.reason == "Nobody answers at the address."
        async with ffmpeg(*serve, "-listen", "1", f"rtmp://127.0.0.1:{port}/live/x"):
            await until(lambda: show.pictures() >= 30)
        await until(lambda: source.status.state == "retrying")
    assert_in_order(show.frames)


async def test_an_address_without_anything_says_so(show: Show, tmp_path: Path) -> None:
    app = Starlette(routes=[Mount("/", StaticFiles(directory=tmp_path))])
    async with (
        serving(app, "127.0.0.1", 0) as port,
        playing(show, spec("pull", f"http://127.0.0.1:{port}/a.mp4")) as source,
    ):
        await until(lambda: source.status.reason)
        assert source.status.reason == "Nothing is found at the address."


@pytest.mark.parametrize("trick", ["playlist.m3u8", "list.ffconcat"])
async def test_a_pulled_playlist_cannot_name_files_of_this_machine(
    show: Show, tmp_path: Path, trick: str
) -> None:
    secret = tmp_path / "secret.ts"
    made(tmp_path, "secret.ts", *H264, "-c:a", "aac")
    served = tmp_path / "served"
    served.mkdir()
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    (served / "playlist.m3u8").write_text(text)
    (served / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile 'file:{secret}'\n")
    app = Starlette(routes=[Mount("/", StaticFiles(directory=served))])
    async with (
        serving(app, "127.0.0.1", 0) as port,
        playing(show, spec("pull", f"http://127.0.0.1:{port}/{trick}")) as source,
    ):
        await until(lambda: source.status.state == "retrying")
    assert not show.intakes


async def test_a_file_cannot_name_other_files(show: Show, tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    made(tmp_path, "secret.ts", *H264, "-c:a", "aac")
    (folder / "trick.mp4").write_text(f"ffconcat version 1.0\nfile '{tmp_path}/secret.ts'\n")
    async with playing(show, spec("file", "trick.mp4"), folder) as source:
        await until(lambda: source.status.state == "retrying")
    assert not show.intakes


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "/etc/passwd", "concat:a|b", "pipe:0", "rtmp://a\nfile 'b'", "", "x"]
)
async def test_only_network_addresses_are_pulled(show: Show, address: str) -> None:
    async with playing(show, spec("pull", address)) as source:
        await until(lambda: source.status.state == "failed")
        assert source.status.reason
        assert "must begin with one of" in source.status.reason
    assert not show.intakes


@pytest.mark.parametrize(
    "name", ["../outside.mp4", "/etc/passwd", "link.mp4", "a\0b", "missing.mp4", ".", ""]
)
def test_no_file_outside_the_folder_is_played(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    (tmp_path / "outside.mp4").write_bytes(b"x")
    (folder / "link.mp4").symlink_to(tmp_path / "outside.mp4")
    with pytest.raises(BadSource):
        inside(folder, name)


def test_a_file_below_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.mp4").write_bytes(b"x")
    assert inside(tmp_path, "deep/a.mp4") == (tmp_path / "deep" / "a.mp4").resolve()
    with pytest.raises(BadSource):
        inside(None, "deep/a.mp4")


async def test_a_show_that_is_over_is_left_alone(show: Show) -> None:
    show.refusing = True
    async with playing(show, spec("pattern")) as source:
        await until(lambda: source.status.state == "failed")
    assert source.status.reason == "This show has ended."


async def test_a_source_that_is_cut_off_stays_away_and_its_process_ends(show: Show) -> None:
    async with playing(show, spec("pattern")) as source:
        await until(lambda: show.pictures() >= 1)
        show.intakes[0].kick("The show has ended.")
        assert show.intakes[0].reason == "The show has ended."
        await until(lambda: not [line for line in children().values() if "lavfi" in line])
        assert (source.status.state, source.status.reason) == ("failed", "The show has ended.")


async def test_a_feed_that_falls_silent_is_tried_again(show: Show) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wanted = spec("pull", f"http://127.0.0.1:{port}/x")
    source = Source(wanted, None, show.admit, patience=Patience(greeting=1.0), chance=lambda: 0.0)
    source.start()
    await until(lambda: source.status.state == "retrying")
    assert source.status.reason == "Nothing came."
    await source.stop()
    server.close()


def test_what_a_source_is_told_hides_its_address() -> None:
    wanted = SourceSpec(kind="pull", addresses=[SecretStr("rtmp://host/app/secret")])
    told = command(wanted, items(wanted)[0], None, Plan())
    assert "secret" not in repr(told)
    assert not [word for word in told.argv if "secret" in word]
    assert "file 'rtmp://host/app/secret'" in (told.playlist or "")


def test_a_plan_only_ever_gives_up_copying() -> None:
    said = "Stream #0:0(und): Video: h264 (High)\nStream #0:1: Audio: mp3\nStream #0:1: Audio: aac"
    assert plan_after(Plan(), said) == Plan(video=True, audio=False)
    assert plan_after(Plan(video=False), said) == Plan(video=False, audio=False)
    assert plan_after(Plan(), "Stream #0:0: Video: h264\nStream #0:1: Audio: aac") == Plan(False, False)
    assert plan_after(Plan(), "") == Plan(False, False)


@pytest.mark.parametrize("kind", ["pull", "file", "playlist"])
def test_a_source_without_an_address_is_refused(kind: str) -> None:
    with pytest.raises(BadSource):
        items(spec(kind))
