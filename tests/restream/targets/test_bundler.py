"""Bundles against a plain reader of the same feed: nothing lost, nothing twice, nothing in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from restream.encode.distribution import Distribution
from restream.media import Frame, Kind
from restream.targets.bundler import HOLD_MS, MOST_HELD, Bundle, Bundler
from restream.targets.serialiser import serialised

Seen = Frame | Literal["ended"]
MEMBERS = 3
STEPS = st.one_of(
    st.sampled_from(["keyframe", "picture", "sound", "picture header", "sound header", "metadata"]),
    st.sampled_from(["picture", "sound", "ended", "flush"]),
    st.tuples(st.sampled_from(["attach", "attach prompt", "detach", "open"]), st.integers(0, MEMBERS - 1)),
)


class Reading:
    """What somebody has seen since it was attached, and, once it has opened a way, what went there."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.way: list[Seen] | None = None

    def open(self, backlog: Sequence[Frame]) -> None:
        """As a target does when its connection is accepted."""
        self.way = list(backlog)

    def push(self, frame: Frame) -> None:
        self._note(frame)

    def push_bundle(self, bundle: Bundle) -> None:
        assert bundle.frames
        assert not any(frame.header or frame.kind is Kind.DATA for frame in bundle.frames)
        keyframes = [frame.kind is Kind.VIDEO and frame.keyframe for frame in bundle.frames]
        assert not any(keyframes[1:])
        assert bundle.keyframe == keyframes[0]
        assert bundle.size == sum(len(frame.payload) for frame in bundle.frames)
        for size in (128, 60_000):
            assert bundle.chunks(size) == b"".join(serialised(frame, size) for frame in bundle.frames)
            assert bundle.chunks(size) is bundle.chunks(size), "made once, for all targets"
        for frame in bundle.frames:
            self._note(frame)

    def ended(self) -> None:
        self._note("ended")

    def _note(self, what: Seen) -> None:
        self.seen.append(what)
        if self.way is not None:
            self.way.append(what)


class Comparison:
    """Each member beside a plain reader that comes, opens and goes at the same moments."""

    def __init__(self) -> None:
        self.feed = Distribution()
        self.bundler = Bundler(self.feed)
        self.pairs: dict[int, tuple[Reading, Reading, bool]] = {}
        self.dts = self.count = 0

    def do(self, step: str | tuple[str, int]) -> None:
        """One step; prompt members are never behind."""
        if isinstance(step, tuple):
            self._member(*step)
        elif step == "ended":
            self.feed.ended()
        elif step == "flush":
            self.bundler.flush()
            self.compare(everybody=True)
        else:
            self.feed.push(self._frame(step))
        self.compare(everybody=False)

    def compare(self, *, everybody: bool) -> None:
        """Both have got the same."""
        for bundled, plain, prompt in self.pairs.values():
            if prompt or everybody:
                assert bundled.seen == plain.seen
                assert bundled.way == plain.way

    def _member(self, step: str, number: int) -> None:
        known = self.pairs.get(number)
        if step == "open" and known:
            known[0].open(self.bundler.backlog())
            known[1].open(self.feed.backlog())
        elif step == "detach" and known:
            bundled, plain, _ = known
            self.bundler.detach(bundled)
            self.feed.detach(plain)
            assert (bundled.seen, bundled.way) == (plain.seen, plain.way), "a leaver has got all until then"
            del self.pairs[number]
        elif step.startswith("attach") and not known:
            bundled, plain = Reading(), Reading()
            self.bundler.attach(bundled, prompt=step == "attach prompt")
            self.feed.attach(plain)
            self.pairs[number] = (bundled, plain, step == "attach prompt")

    def _frame(self, step: str) -> Frame:
        self.count += 1
        body = self.count.to_bytes(4, "big") * 50
        if step == "metadata":
            return Frame(Kind.DATA, 0, body, body)
        kind = Kind.AUDIO if "sound" in step else Kind.VIDEO
        header = "header" in step
        self.dts += 0 if header else 11
        keyframe = step == "keyframe" or (kind is Kind.AUDIO and not header)
        return Frame(kind, self.dts, b"\x17\1" + body, body, keyframe=keyframe, header=header)


@given(st.lists(STEPS, max_size=120))
def test_every_member_gets_what_a_plain_reader_gets(steps: list[str | tuple[str, int]]) -> None:
    both = Comparison()
    for step in steps:
        both.do(step)
    both.bundler.flush()
    both.compare(everybody=True)


def test_pictures_travel_together_and_wait_no_longer_than_they_may() -> None:
    both = Comparison()
    both.do(("attach", 0))
    both.do(("attach prompt", 1))
    (slow, plain, _), (quick, _, _) = both.pairs.values()
    both.do("keyframe")
    assert (len(slow.seen), len(quick.seen)) == (0, 1)
    while not slow.seen:
        both.do("picture")
    first, *_, last = [frame for frame in slow.seen if isinstance(frame, Frame)]
    assert HOLD_MS <= last.dts - first.dts < HOLD_MS + 11
    assert slow.seen == plain.seen


def test_sound_alone_does_not_wait_for_a_picture() -> None:
    both = Comparison()
    both.do("keyframe")
    both.do(("attach", 0))
    ((member, _, _),) = both.pairs.values()
    before = len(member.seen)
    for _ in range(MOST_HELD):
        both.do("sound")
    assert len(member.seen) == before + MOST_HELD


def test_a_feed_nobody_reads_is_let_go() -> None:
    class Counted(Distribution):
        readers = 0

        def attach(self, reader: object) -> None:
            self.readers += 1

        def detach(self, reader: object) -> None:
            self.readers -= 1

    feed = Counted()
    bundler, one, two = Bundler(feed), Reading(), Reading()
    bundler.attach(one, prompt=False)
    bundler.attach(two, prompt=True)
    assert feed.readers == 1
    bundler.detach(one)
    bundler.detach(one)
    assert feed.readers == 1
    bundler.detach(two)
    assert feed.readers == 0
