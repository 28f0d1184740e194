"""One serialisation for all targets of a chunk size, and it reads back as the frame."""

from __future__ import annotations

from restream.media import Frame, Kind
from restream.rtmp.chunk import ChunkReader
from restream.targets.serialiser import Serialiser
from tests.restream.targets.show import bulky


def test_targets_with_one_chunk_size_share_the_same_bytes() -> None:
    serialiser = Serialiser()
    first, second = bulky(2)
    shared = serialiser.chunks(first, 4096)
    assert serialiser.chunks(first, 60_000) != shared
    assert serialiser.chunks(first, 4096) is shared
    assert serialiser.chunks(second, 4096) != shared


def test_the_bytes_read_back_as_the_frame() -> None:
    serialiser = Serialiser()
    for kind in Kind:
        frame = Frame(kind, (1 << 32) + 7, b"payload" * 100, b"")
        reader = ChunkReader()
        reader.chunk_size = 256
        (found,) = reader.feed(serialiser.chunks(frame, 256))
        assert (found.kind, found.timestamp, found.stream, found.payload) == (kind, 7, 1, frame.payload)
