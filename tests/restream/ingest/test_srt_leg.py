"""What an SRT caller may ask for, and what it costs a worker that nobody encrypts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from restream.ingest.srt_leg import Rejected, stream_key
from restream.srt.handshake import Reject


@pytest.mark.parametrize(
    ("stream_id", "key"),
    [
        ("publish:abc", "abc"),
        ("publish:abc?user=1:2", "abc?user=1:2"),
        ("#!::m=publish,r=abc", "abc"),
        ("#!::r=abc,m=publish,u=me", "abc"),
        ("#!::r=a=b,m=publish", "a=b"),
    ],
)
def test_both_forms_of_a_stream_id_name_the_key(stream_id: str, key: str) -> None:
    assert stream_key(stream_id) == key


@pytest.mark.parametrize(
    ("stream_id", "why"),
    [
        ("", Reject.BAD_REQUEST),
        ("abc", Reject.BAD_REQUEST),
        ("publish:", Reject.BAD_REQUEST),
        ("request:abc", Reject.BAD_REQUEST),
        ("#!::m=request,r=abc", Reject.BAD_MODE),
        ("#!::r=abc", Reject.BAD_MODE),
        ("#!::m=publish", Reject.BAD_REQUEST),
    ],
)
def test_any_other_stream_id_is_refused(stream_id: str, why: Reject) -> None:
    with pytest.raises(Rejected) as rejected:
        stream_key(stream_id)
    assert rejected.value.why == why


def test_cryptography_is_not_loaded_before_somebody_encrypts() -> None:
    program = "import sys, restream.ingest.srt, restream.targets.srt; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=120, check=False).returncode == 0
