"""Which way an address asks for."""

from __future__ import annotations

from urllib.parse import urlsplit

from restream.api import TargetSpec
from restream.targets.rtmp import open_rtmp
from restream.targets.serialiser import Serialiser
from restream.targets.way import Tally, Terms, Unfit, Way


async def open_way(spec: TargetSpec, serialiser: Serialiser, terms: Terms, tally: Tally) -> Way:
    """Reach the far end. Raises Refused, Unfit, OSError or TimeoutError."""
    try:
        scheme = urlsplit(spec.url).scheme
    except ValueError:
        raise Unfit("The server or the port in the address makes no sense.") from None
    match scheme:
        case "rtmp" | "rtmps":
            return await open_rtmp(spec, serialiser, terms, tally)
        case "srt":
            # Loaded when it is used, which in most shows it is not: it takes some megabytes.
            from restream.targets.srt import open_srt

            return await open_srt(spec, terms, tally)
        case "http" | "https":
            from restream.targets.whip import open_whip

            return await open_whip(spec, terms, tally)
        case _:
            raise Unfit("The address must begin with rtmp://, rtmps://, srt://, https:// or http://.")
