"""Fuzz the RTMP parsers, for a minute say:

.venv/bin/python -m tests.fuzz.fuzz_rtmp -max_total_time=60 tests/fuzz/corpus/rtmp

New inputs are written to the first folder that is named; name one of your own before the corpus to keep the
corpus as it is. A crash leaves its input in the working folder: add it as `found-*`, together with its fix.
"""

from __future__ import annotations

import logging
import sys

import atheris
import structlog

with atheris.instrument_imports(include=["restream"]):
    from tests.fuzz.rtmp_target import one_input


def main() -> None:
    """libFuzzer's options are on the command line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
