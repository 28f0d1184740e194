"""Puts together the shops: orders from there, stock to there; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database
from hub.orders.channels import Channels
from hub.orders.drift import Drifts
from hub.orders.push import Pushes
from hub.orders.service import Orders
from hub.orders.watch import Watches


class Outlets(TypedDict):
    """The services of orders from outside, by the names they have in `Services`."""

    orders: Orders
    channels: Channels
    pushes: Pushes
    watches: Watches
    drifts: Drifts


def outlets(clock: Clock, db: Database, links: Connections, orders: Orders, site: str) -> Outlets:
    """Every service of the shops, each given what it needs. `site`: where shops send their news."""
    watches = Watches(db, clock, links, site)
    channels = Channels(db, clock, links, orders, watches)
    return Outlets(
        orders=orders,
        channels=channels,
        pushes=Pushes(db, clock, links, channels, watches),
        watches=watches,
        drifts=Drifts(db, clock, links, channels),
    )
