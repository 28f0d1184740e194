"""Short pauses, in processes where much must happen in time."""

from __future__ import annotations

import gc
import sys
from typing import Final

GC_THRESHOLDS: Final = (20_000, 20, 100)
SWITCH_SECONDS: Final = 0.0005
"""A thread that computes gives way so soon. With Python's usual 5 ms, each step of the event loop waits that
long while a library for a platform or a file works beside it."""


def keep_pauses_short() -> None:
    """Called when everything is loaded.

    What is there then stays: looking through it again and again costs a drop its milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)
