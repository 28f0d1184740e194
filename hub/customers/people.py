"""Puts together what is known about people, and what follows from it; part of the composition root."""

from __future__ import annotations

from typing import TypedDict

from hub.attribution.service import Attribution
from hub.clock import Clock
from hub.customers.service import Customers
from hub.links.service import Links
from hub.secrets import Vault
from hub.visits.service import Visits


class People(TypedDict):
    """The services that know people, by the names they have in `Services`."""

    links: Links
    visits: Visits
    customers: Customers
    attribution: Attribution


def people(clock: Clock, vault: Vault) -> People:
    """Every service that knows people, each given what it needs."""
    return People(
        links=Links(),
        visits=Visits(clock),
        customers=Customers(vault),
        attribution=Attribution(),
    )
