"""Targets against our own server: what arrives, what is said of it, and who is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import islice, pairwise
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from restream.certificate import development_certificate
from restream.gate import PublishRefused, PublishRequest
from restream.media import Frame, Kind
from restream.rtmp.server import RtmpServer, serve
from restream.targets.rtmp import RtmpWay
from restream.targets.way import Pace
from restream.tls import client_context, server_context
from tests.restream.encoder import expected
from tests.restream.hls.feed import Shape, looped, pictures, stream
from tests.restream.rtmp.peers import KEY, NotingGate
from tests.restream.targets.servers import free_port, wire
from tests.restream.targets.show import QUICK, Show, bulky, media, parted, spec

SHAPE = Shape(seconds=2, gop=15)


def opening() -> Sequence[Frame]:
    return parted(stream(SHAPE))[0]


def rest() -> Sequence[Frame]:
    return parted(stream(SHAPE))[1]


def whole() -> list[tuple[Kind, bytes]]:
    return media([*opening(), *rest()])


@pytest.fixture
async def show() -> AsyncIterator[Show]:
    built = Show()
    yield built
    await built.stop()


async def test_everything_arrives_and_the_key_with_its_query_verbatim(
    gate: NotingGate, server: RtmpServer, show: Show
) -> None:
    target = show.add(spec(server.port))
    await show.feed(opening())
    intake = await gate.intake()
    await show.feed(rest())
    status = await show.until(target, "live")
    await intake.until(lambda: len(media(intake.frames)) == len(whole()))
    assert media(intake.frames) == whole()
    assert [frame.kind for frame in intake.frames[:2] if frame.header] == [Kind.VIDEO, Kind.AUDIO]
    assert intake.request.key == KEY
    assert status.frames_dropped == 0
    assert target.status().frames_sent == len(whole())
    assert show.states(target) == ["idle", "connecting", "live"]
    await target.stop()
    await intake.until(intake.over.is_set)
    assert intake.reason == "The encoder stopped."


async def test_it_pushes_through_tls_to_whom_it_trusts(gate: NotingGate, tmp_path: Path) -> None:
    certificate, key = development_certificate(tmp_path)
    server = await serve(gate, "127.0.0.1", 0, ssl=server_context(certificate, key))
    wish = spec(server.port, url=f"rtmps://localhost:{server.port}/live")
    trusting, doubting = Show(client_context(certificate)), Show()
    target, other = trusting.add(wish), doubting.add(wish)
    await trusting.feed(opening())
    intake = await gate.intake()
    await trusting.feed(rest())
    await trusting.until(target, "live")
    await intake.until(lambda: len(media(intake.frames)) == len(whole()))
    await doubting.feed(stream(SHAPE))
    status = await doubting.until(other, "retrying")
    assert status.reason is not None
    assert "certificate is not trusted" in status.reason
    await trusting.stop()
    await doubting.stop()
    await server.close()


async def test_who_joins_late_begins_with_headers_and_the_newest_keyframe(
    gate: NotingGate, server: RtmpServer, show: Show
) -> None:
    frames = stream(SHAPE)
    half = frames.index(pictures(frames)[35])
    session = show.publisher()
    session.metadata({"width": 320.0})
    await show.feed(frames[:half])
    show.add(spec(server.port))
    intake = await gate.intake()
    await intake.until(lambda: bool(media(intake.frames)))
    await show.feed(frames[half:])
    begin = frames.index(pictures(frames)[30])
    await intake.until(lambda: len(media(intake.frames)) == len(media(frames[begin:])))
    assert media(intake.frames) == media(frames[begin:])
    assert intake.described == {"width": 320.0}
    assert [(f.kind, f.header) for f in intake.frames[:3]] == [
        (Kind.VIDEO, True),
        (Kind.AUDIO, True),
        (Kind.VIDEO, False),
    ]
    assert intake.frames[2].keyframe


async def test_without_media_it_waits(gate: NotingGate, server: RtmpServer, show: Show) -> None:
    target = show.add(spec(server.port))
    status = await show.until_so(target, lambda status: status.reason is not None)
    assert (status.state, status.reason) == ("idle", "Waiting for the encoder.")
    assert not gate.asked.is_set()


class Choosy(NotingGate):
    """Refuses as long as it is told to, with the key in its answer."""

    refusing = True
    asked_times = 0

    async def publish(self, request: PublishRequest, kick):  # type: ignore[no-untyped-def] # as its base
        self.asked_times += 1
        if self.refusing:
            raise PublishRefused("NetStream.Publish.BadName", f"Nobody knows {request.key} here.")
        return await super().publish(request, kick)


async def test_a_refused_key_fails_after_two_tries_with_a_sentence_that_hides_it() -> None:
    gate = Choosy()
    server = await serve(gate, "127.0.0.1", 0)
    show = Show()
    with structlog.testing.capture_logs() as lines:
        target = show.add(spec(server.port))
        await show.feed(stream(SHAPE))
        status = await show.until(target, "failed")
    assert gate.asked_times == 2
    assert status.reason is not None
    assert "Nobody knows … here." in status.reason
    assert "Check the stream key" in status.reason
    for told in (lines, show.news, target.spec, target.status(), gate):
        assert KEY not in repr(told)
        assert "sk_live" not in repr(told)
    gate.refusing = False
    await target.apply(target.spec)  # the same wish again is not a person's doing
    await target.apply(target.spec.model_copy(update={"name": "Main", "platform": "twitch"}))
    assert (target.status().state, gate.asked_times) == ("failed", 2)
    await target.apply(target.spec.model_copy(update={"wanted": False}))
    await target.apply(target.spec.model_copy(update={"wanted": True}))
    await show.feed(stream(SHAPE))
    await show.until(target, "live")
    await show.stop()
    await server.close()


async def test_a_broken_connection_comes_back_with_growing_pauses(
    gate: NotingGate, server: RtmpServer, show: Show
) -> None:
    async with wire(server.port) as between:
        target = show.add(spec(between.port))
        await show.feed(stream(SHAPE))
        await show.until(target, "live")
        for turn in (1, 2, 3):
            before = len(show.news)
            show.patience.clear()
            between.cut()
            status = await show.until(target, "retrying")
            assert status.next_try_at is not None
            assert status.next_try_at > status.since
            show.patience.set()
            await show.until_so(target, lambda _, seen=before: "live" in _since(show, seen))  # type: ignore[misc]
            intake = await gate.intake(turn)
            await intake.until(lambda intake=intake: len(intake.frames) > 2)  # type: ignore[misc]
            assert [frame.header for frame in intake.frames[:3]] == [True, True, False]
            assert intake.frames[2].keyframe
            await show.feed(looped(SHAPE, 1)[2:])
        assert show.rests == pytest.approx([0.5, 1.0, 2.0])
        assert target.status().connects == 4


def _since(show: Show, seen: int) -> list[str]:
    return [status.state for status in show.news[seen:]]


async def test_a_steady_connection_makes_the_next_pause_short_again(
    gate: NotingGate, server: RtmpServer
) -> None:
    show = Show(pace=Pace(check=0.01, steady=0.0))
    async with wire(server.port) as between:
        target = show.add(spec(between.port))
        await show.feed(stream(SHAPE))
        for turn in range(3):
            intake = await gate.intake(turn)
            await intake.until(lambda intake=intake: bool(intake.frames))  # type: ignore[misc]
            between.cut()
        await gate.intake(3)
        await target.stop()
        assert show.rests == pytest.approx([0.5] * 3)


async def test_pause_and_resume_touch_no_other_target(
    gate: NotingGate, server: RtmpServer, show: Show
) -> None:
    one, other = show.add(spec(server.port, "one")), show.add(spec(server.port, "other"))
    await show.feed(opening())
    await gate.intake(1)
    await show.feed(rest())
    await show.until(one, "live")
    await show.until(other, "live")
    await one.apply(one.spec.model_copy(update={"wanted": False}))
    assert (await show.until(one, "paused")).wanted is False
    sent = one.status().bytes_sent
    await show.feed(looped(SHAPE, 1)[2:])
    assert one.status().bytes_sent == sent
    await one.apply(one.spec.model_copy(update={"wanted": True}))
    await show.until(one, "live")
    await show.feed(looped(SHAPE, 1)[2:])
    assert show.states(other) == ["idle", "connecting", "live"]
    assert other.status().frames_sent == len(whole()) + 2 * len(media(stream(SHAPE)))


async def test_another_name_cuts_nothing_another_address_does(
    gate: NotingGate, server: RtmpServer, show: Show
) -> None:
    target = show.add(spec(server.port))
    await show.feed(stream(SHAPE))
    await show.until(target, "live")
    await target.apply(target.spec.model_copy(update={"name": "Main channel"}))
    await target.apply(target.spec)
    assert (target.status().name, target.status().connects) == ("Main channel", 1)
    await target.apply(target.spec.model_copy(update={"url": f"rtmp://127.0.0.1:{server.port}/other"}))
    await show.until(target, "live")
    assert [intake.request.app for intake in gate.intakes] == ["live", "other"]


async def test_one_that_hangs_dies_or_refuses_costs_the_others_nothing(
    gate: NotingGate, server: RtmpServer
) -> None:
    show = Show(buffer=400_000, pace=Pace(check=0.01, stuck=0.3, step=2.0))
    async with wire(server.port) as stuck, wire(server.port) as dying:
        good = [show.add(spec(server.port, f"good {n}")) for n in range(2)]
        await show.feed(bulky(1))
        intakes = [await gate.intake(n) for n in range(2)]
        hanging = show.add(spec(stuck.port, "hanging"))
        await gate.intake(2)
        refused = show.add(spec(server.port, "refused", key=SecretStr("guess")))
        dead = show.add(spec(free_port(), "dead"))
        mortal = show.add(spec(dying.port, "mortal"))
        await gate.intake(3)
        stuck.freeze()
        most = 0
        for number, frame in enumerate(islice(bulky(300), 1, None), 2):
            await show.feed([frame])
            if number == 100:
                dying.cut()
            most = max(most, hanging._way.waiting if isinstance(hanging._way, RtmpWay) else 0)
            for intake in intakes:
                await intake.until(lambda i=intake, n=number: len(i.frames) == n)  # type: ignore[misc]
        for target, intake in zip(good, intakes, strict=True):
            assert media(intake.frames) == media(bulky(300))
            assert target.status().frames_dropped == 0
            assert show.states(target)[-2:] == ["connecting", "live"]
            assert target.status().connects == 1
        assert most <= 400_000 + 2 * 101_000
        assert hanging.status().frames_dropped > 0
        await show.until(hanging, "retrying")
        assert "taken nothing" in str([s.reason for s in show.news if s.id == "hanging"])
        await show.until(refused, "failed")
        await show.until(dead, "retrying")
        assert "reached" in str([s.reason for s in show.news if s.id == "dead" and s.reason])
        await show.until_so(mortal, lambda status: status.connects >= 2)
        stuck.thaw()
        await show.stop()


async def test_one_that_was_behind_goes_on_at_a_keyframe(gate: NotingGate, server: RtmpServer) -> None:
    show = Show(buffer=400_000, pace=QUICK)
    async with wire(server.port) as between:
        target = show.add(spec(between.port))
        await show.feed(bulky(1))
        intake = await gate.intake()
        await intake.until(lambda: len(intake.frames) == 1)
        between.freeze()
        frames = bulky(400)
        at = 1
        while target.status().frames_dropped < 12:
            await show.feed([frames[at]])
            at += 1
        between.thaw()
        await intake.until(lambda: len(intake.frames) >= target.status().frames_sent)
        await show.feed(frames[at : at + 11])
        await intake.until(lambda: len(intake.frames) >= target.status().frames_sent)
        got = [int.from_bytes(frame.body[:4], "big") for frame in intake.frames]
        jumps = [(a, b) for a, b in pairwise(got) if b != a + 1]
        assert jumps
        assert all(b % 10 == 0 for _, b in jumps)
        assert target.status().connects == 1
        await show.stop()


async def test_it_is_live_only_when_the_far_end_took_bytes(gate: NotingGate, server: RtmpServer) -> None:
    show = Show(pace=Pace(check=0.01, stuck=30.0))
    async with wire(server.port) as between:
        target = show.add(spec(between.port))
        await show.feed(bulky(1, size=100))
        intake = await gate.intake()
        await intake.until(lambda: len(intake.frames) == 1)
        between.freeze()
        await show.feed(bulky(20)[1:])
        assert target.status().state == "connecting"
        between.thaw()
        await show.until(target, "live")
        await show.stop()


async def test_the_connection_outlives_a_publisher_that_comes_back(
    gate: NotingGate, server: RtmpServer, show: Show
) -> None:
    target = show.add(spec(server.port))
    await show.feed(opening())
    await gate.intake()
    await show.feed(rest())
    await show.until(target, "live")
    publisher = show.live.publisher
    assert publisher is not None
    publisher.closed("bye")
    again = expected(Shape(seconds=2, gop=30))
    middle = next(n for n, f in enumerate(again) if f.kind == Kind.VIDEO and not f.header) + 1
    headers, late = [f for f in again if f.header], again[middle:]
    await show.feed([*headers, *(f for f in late if not f.header)])
    intake = await gate.intake()
    key = next(n for n, f in enumerate(late) if f.kind == Kind.VIDEO and f.keyframe)
    wanted = [*whole(), *media(late[key:])]
    await intake.until(lambda: len(media(intake.frames)) == len(wanted))
    assert media(intake.frames) == wanted
    assert [f.header for f in intake.frames].count(True) == 4
    for kind in (Kind.VIDEO, Kind.AUDIO):
        times = [frame.dts for frame in intake.frames if frame.kind == kind]
        assert times == sorted(times)
    assert target.status().connects == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://127.0.0.1/live", "must begin with rtmp"),
        ("rtmp://127.0.0.1", "needs an application"),
        ("rtmp://[::1/live", "makes no sense"),
        (f"rtmp://{'a' * 64}.example/live", "names no server that could exist"),
    ],
)
async def test_an_address_that_cannot_work_fails_at_once(show: Show, url: str, said: str) -> None:
    target = show.add(spec(1, url=url))
    await show.feed(stream(SHAPE))
    status = await show.until(target, "failed")
    assert said in str(status.reason)
    assert status.connects == 1


async def test_a_far_end_that_speaks_something_else_is_tried_again(show: Show) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    for answer, said in ((web, "Handshake"), (silent, "did not answer in time")):
        show = Show(pace=Pace(check=0.01, step=0.1))
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        target = show.add(spec(server.sockets[0].getsockname()[1]))
        await show.feed(stream(SHAPE))
        status = await show.until(target, "retrying")
        assert said in str(status.reason)
        await show.stop()
        server.close()
