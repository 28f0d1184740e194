"""A live under an injected clock: encoders that send by it, a slate, and a reader that notes when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from restream.continuity.director import OnAir, Role, Rules
from restream.continuity.slate import Slate
from restream.live import Live, Session
from restream.media import Frame, Kind
from tests.restream.hls.feed import Shape, stream

STEP = 0.005
PICTURE_MS = 1000 / 30
SOUND_MS = 1024 / 48


class Clock:
    """Seconds; moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Notebook:
    """A reader (`media.Reader`) that notes what came when."""

    clock: Clock
    noted: list[tuple[float, Frame]] = field(default_factory=list)
    ends: int = 0

    def push(self, frame: Frame) -> None:
        self.noted.append((self.clock.now, frame))

    def ended(self) -> None:
        self.ends += 1

    def frames(self, kind: Kind | None = None) -> list[Frame]:
        """Media, without headers."""
        return [f for _, f in self.noted if not f.header and f.kind != Kind.DATA and kind in (None, f.kind)]

    def sources(self) -> list[str]:
        """Whose frames came, one name for each run of them."""
        names = [frame.body.partition(b":")[0].decode() for frame in self.frames()]
        return [name for name, before in zip(names, ["", *names], strict=False) if name != before]

    def silences(self) -> list[float]:
        """Seconds between one frame and the next, by the clock."""
        moments = [at for at, frame in self.noted if not frame.header]
        return [b - a for a, b in pairwise(moments)]


def headers(size: str = "320x180", bframes: int = 0) -> list[Frame]:
    """Real ones."""
    return [frame for frame in stream(Shape(seconds=1.0, size=size, bframes=bframes)) if frame.header]


def slate(audio: bool = True, size: str = "320x180") -> Slate:
    """Two seconds of it, each frame with its name on."""
    pictures = tuple(
        Frame(Kind.VIDEO, round(n * PICTURE_MS), b"slate", b"slate:%d" % n, keyframe=n == 0)
        for n in range(60)
    )
    opening = [f for f in headers(size, bframes=2) if audio or f.kind == Kind.VIDEO]
    silence = Frame(Kind.AUDIO, 0, b"hush", b"slate:hush", keyframe=True) if audio else None
    return Slate(tuple(opening), pictures, 2000.0, silence, SOUND_MS)


class Encoder:
    """Sends 30 pictures and 48 kHz sound a second, by the clock, while nothing holds it up."""

    def __init__(
        self, stage: Stage, session: Session, name: str, *, gop: int = 30, audio: bool = True,
        video: bool = True, begins: int = 0, size: str = "320x180",
    ) -> None:  # fmt: skip
        self.session = session
        self.name = name
        self.sending = True
        self.video = video
        self._gop = gop
        self._audio = audio
        self._begins = begins
        self._started = stage.clock.now
        self._stage = stage
        self.pictures = self.sounds = 0
        for header in headers(size):
            if (header.kind == Kind.VIDEO and video) or (header.kind == Kind.AUDIO and audio):
                session.frame(header)

    def send(self) -> None:
        """Everything that is due; what was held up comes at once."""
        lasted = (self._stage.clock.now - self._started) * 1000
        while self.sending and min(self._next()) <= lasted:
            shown, heard = self._next()
            if heard <= shown:
                body = b"%s:s%d" % (self.name.encode(), self.sounds)
                self._frame(Kind.AUDIO, heard, body, key=True)
                self.sounds += 1
            else:
                body = b"%s:p%d" % (self.name.encode(), self.pictures)
                self._frame(Kind.VIDEO, shown, body, key=self.pictures % self._gop == 0)
                self.pictures += 1

    def skip(self) -> None:
        """What was due meanwhile is never sent, as by a camera that was switched off."""
        lasted = (self._stage.clock.now - self._started) * 1000
        while min(self._next()) <= lasted:
            shown, heard = self._next()
            if heard <= shown:
                self.sounds += 1
            else:
                self.pictures += 1

    def leave(self) -> None:
        """The connection ends."""
        self.sending = False
        self.session.closed("The encoder closed the connection.")

    def _next(self) -> tuple[float, float]:
        shown = self.pictures * PICTURE_MS if self.video else float("inf")
        heard = self.sounds * SOUND_MS if self._audio else float("inf")
        return shown, heard

    def _frame(self, kind: Kind, moment: float, body: bytes, *, key: bool) -> None:
        self.session.frame(Frame(kind, self._begins + round(moment), body, body, keyframe=key))


class Stage:
    """`encoder(...)` comes, `run(seconds)` lets time pass for everybody."""

    def __init__(self, grace: float = 60.0, *, sticky: bool = False, with_slate: bool = True) -> None:
        self.clock = Clock()
        self.live = Live("show", self.clock)
        self.director = self.live.director
        self.director.rules = Rules(grace, sticky)
        self.director.slate = slate() if with_slate else None
        self.switches: list[OnAir] = []
        self.director.on_switch = lambda on_air, reason: self.switches.append(on_air)
        self.reader = Notebook(self.clock)
        self.live.attach(self.reader)
        self.encoders: list[Encoder] = []
        self.kicked: list[str] = []
        self._due = 0.0

    def session(self, role: Role = "primary") -> Session:
        """A publisher is admitted."""
        return self.live.open_session("127.0.0.1", "OBS", self.kicked.append, 1_700_000_000.0, role)

    def encoder(
        self, name: str, role: Role = "primary", *, gop: int = 30, audio: bool = True, video: bool = True,
        begins: int = 0, size: str = "320x180",
    ) -> Encoder:  # fmt: skip
        """A publisher is admitted and begins to send."""
        made = Encoder(
            self, self.session(role), name, gop=gop, audio=audio, video=video, begins=begins, size=size
        )
        self.encoders.append(made)
        return made

    def on_air(self) -> str:
        """What readers get."""
        return self.director.on_air

    def pictures(self, name: str) -> list[str]:
        """The numbers of one encoder's pictures, as readers got them."""
        own = [f for f in self.reader.frames() if f.body.startswith(f"{name}:p".encode())]
        return [frame.body.partition(b":")[2].decode() for frame in own]

    def shape_known(self) -> bool:
        """Whether a slate could be made."""
        return self.director.shape is not None

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, or until something is so."""
        ends = self.clock.now + seconds
        while self.clock.now < ends and not until():
            self.clock.now += STEP
            for encoder in self.encoders:
                encoder.send()
            if self.clock.now >= self._due:
                self._due = self.clock.now + self.director.tick()


def largest_gap(frames: Iterable[Frame]) -> int:
    """Milliseconds between two frames of one track."""
    times = [frame.dts for frame in frames]
    return max(b - a for a, b in pairwise(times))


def goes_on(reader: Notebook) -> None:
    """No track steps back, and no hole is longer than half a second; by the clock neither."""
    for kind in (Kind.VIDEO, Kind.AUDIO):
        times = [frame.dts for _, frame in reader.noted if frame.kind == kind]
        assert times == sorted(times)
        if frames := reader.frames(kind):
            assert largest_gap(frames) <= 500
    assert max(reader.silences()) <= 0.5
