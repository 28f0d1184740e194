"""Puts together what a brand sells and how it gets here; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from hub.catalog.edits import ProductEdits
from hub.catalog.intake import Intakes
from hub.catalog.listings import Listings
from hub.catalog.service import Catalog
from hub.catalog.sync import Sync
from hub.clock import Clock
from hub.connections.service import Connections
from hub.db import Database
from hub.stock.service import StockRoom


class Assortment(TypedDict):
    """The services of the catalogue, by the names they have in `Services`."""

    catalog: Catalog
    product_edits: ProductEdits
    intakes: Intakes
    listings: Listings
    sync: Sync


def assortment(clock: Clock, db: Database, links: Connections, stock: StockRoom) -> Assortment:
    """Every service of the catalogue, each given what it needs."""
    products = Catalog(db, links, clock)
    edits = ProductEdits(clock, products, stock)
    return Assortment(
        catalog=products,
        product_edits=edits,
        intakes=Intakes(db, clock, products, edits),
        listings=Listings(),
        sync=Sync(db, clock, links, products, edits),
    )
