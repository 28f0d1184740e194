"""One feed of one show on its way to the sender processes that have viewers for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from restream.webrtc.channel import Forget
from restream.webrtc.seat import Seat
from restream.webrtc.supply import PictureSupply, SoundSupply
from restream.webrtc.watch import Choice, WatchFeed


class Screening:
    """Pictures of the chosen feed with the show's sound, for the viewers of a show."""

    def __init__(
        self,
        slug: str,
        choice: Choice,
        watched: WatchFeed,
        streams: Iterator[int],
        unfit: Callable[[Screening, str], None],
    ) -> None:
        self.slug = slug
        self.choice = choice
        self.pictures = PictureSupply(next(streams), choice.feed, lambda why: unfit(self, why))
        self.sound = SoundSupply(next(streams), slug, watched.live)
        self._seats: Counter[Seat] = Counter()

    @property
    def empty(self) -> bool:
        """Whether nobody watches."""
        return not self._seats

    def add(self, seat: Seat) -> None:
        """A viewer in that process, which has been told of it."""
        self._seats[seat] += 1
        self.pictures.add(seat)
        self.sound.add(seat)

    def remove(self, seat: Seat) -> None:
        """A viewer has left."""
        self._seats[seat] -= 1
        if self._seats[seat] > 0:
            return
        del self._seats[seat]
        self.pictures.remove(seat)
        seat.tell(Forget(self.pictures.stream))
        seat.tell(Forget(self.sound.stream))
        self.sound.remove(seat)

    async def close(self) -> None:
        """Wait until nothing of it runs any more, when nobody watches."""
        await self.sound.close()
