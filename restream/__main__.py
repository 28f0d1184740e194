"""`python -m restream`: a media worker."""

from __future__ import annotations

import sys

import uvloop
from pydantic import ValidationError

from restream.main import run, until_stopped
from restream.serving import configure_logs
from restream.settings import MediaSettings


def main() -> int:
    """Run; 1 with a sentence when it cannot start."""
    try:
        settings = MediaSettings()
    except ValidationError as error:
        names = ", ".join("SIMULCAST_" + str(one["loc"][0]).upper() for one in error.errors())
        print(f"These settings are missing or make no sense: {names}", file=sys.stderr)  # noqa: T201
        return 1
    configure_logs(settings.log_level)
    try:
        uvloop.run(until_stopped(run(settings)))
    except OSError as error:
        print(f"The media worker cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
