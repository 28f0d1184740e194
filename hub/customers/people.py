"""Puts together what is known about people, and what follows from it; part of the composition root."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from hub.attribution.runs import Runs
from hub.attribution.service import Attribution
from hub.clock import Clock
from hub.consent.book import ConsentBook
from hub.consent.texts import Texts
from hub.customers.changes import Changes
from hub.customers.service import Customers
from hub.customers.suggesting import Suggestions
from hub.customers.view import PeopleView
from hub.db import Database
from hub.links.service import Links
from hub.secrets import Vault
from hub.visits.passes import Passes
from hub.visits.service import Visits


class People(TypedDict):
    """The services that know people, by the names they have in `Services`."""

    consent_book: ConsentBook
    consent_texts: Texts
    links: Links
    visits: Visits
    customers: Customers
    people_view: PeopleView
    person_changes: Changes
    suggestions: Suggestions
    attribution: Attribution


def people(clock: Clock, vault: Vault, site_url: str, db: Database, data: Path) -> People:
    """Every service that knows people, each given what it needs."""
    consent_book, customers = ConsentBook(clock), Customers(vault, clock)
    return People(
        consent_book=consent_book,
        consent_texts=Texts(clock),
        links=Links(clock, site_url),
        visits=Visits(clock, Passes(clock, vault, consent_book, site_url)),
        customers=customers,
        people_view=PeopleView(db, vault, customers),
        person_changes=Changes(clock),
        suggestions=Suggestions(db, clock),
        attribution=Attribution(clock, data, Runs(db, clock, data)),
    )
