"""How one feed's clock is laid onto the show's timeline, from the moment the feed goes on air. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from restream.media import Frame, Kind


class Splice:
    """The first frame comes `step` ms after `floor`, the newest moment so far; the rest keeps its distance.

    Headers before the first frame say nothing about time: encoders send them at 0, whatever follows.
    """

    def __init__(self, floor: int, step: int) -> None:
        self._floor = floor
        self._begins = floor + step
        self._offset: int | None = None
        self._last: dict[Kind, int] = {}

    def place(self, frame: Frame) -> Frame:
        """The frame at its moment. Encoders jitter by a millisecond; within a track time never goes back."""
        if self._offset is None and not frame.header:
            self._offset = self._begins - frame.dts
        claimed = self._begins if self._offset is None else frame.dts + self._offset
        dts = max(claimed, self._last.get(frame.kind, self._floor), 0)
        self._last[frame.kind] = dts
        return at_time(frame, dts)

    def squeeze(self, group: Sequence[Frame], arrived: float) -> list[Frame]:
        """A group that was kept while its feed was not on air, so that it can go on air at once.

        A decoder needs every picture since the keyframe, but there is no time left to show them: they are
        laid into the step, at least a millisecond apart, so that the newest is due now and what follows keeps
        time. Of the sound only what belongs into the step is used, at its true distance from that picture.
        """
        pictures = [frame for frame in group if frame.kind == Kind.VIDEO]
        room = max(self._begins - self._floor, len(pictures))
        self._offset = self._floor + room - pictures[-1].dts
        placed: list[Frame] = []
        number = 0
        for frame in group:
            if frame.kind == Kind.VIDEO:
                number += 1
                dts = self._floor + room * number // len(pictures)
            else:
                dts = frame.dts + self._offset
            if dts > self._floor:
                placed.append(at_time(frame, dts, arrived))
                self._last[frame.kind] = dts
        return sorted(placed, key=lambda frame: frame.dts)


def at_time(frame: Frame, dts: int, arrived: float | None = None) -> Frame:
    """The same frame at another moment; `arrived` (wall clock, seconds) where that changes too."""
    if frame.dts == dts and arrived is None:
        return frame
    return Frame(
        frame.kind,
        dts,
        frame.payload,
        frame.body,
        frame.cts,
        frame.keyframe,
        frame.header,
        frame.arrived if arrived is None else arrived,
    )
