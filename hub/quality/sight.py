"""Puts together what looks at how viewers see it; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from hub.clock import Clock
from hub.db import Database
from hub.quality.region import Regions
from hub.quality.region_watch import RegionWatch
from hub.quality.service import Quality
from hub.quality.store import Beacons
from hub.settings import Settings


class Sight(TypedDict):
    """The services of quality, by the names they have in `Services`."""

    beacons: Beacons
    quality: Quality
    regions: Regions
    region_watch: RegionWatch


def sight(clock: Clock, db: Database, settings: Settings) -> Sight:
    """What players report, taken in and looked at."""
    return Sight(
        beacons=Beacons(db, clock),
        quality=Quality(clock),
        regions=Regions(settings.region_headers, settings.trusted_proxies),
        region_watch=RegionWatch(clock),
    )
