"""Puts the room together; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from hub.chat.replies import Replies
from hub.claims.answers import Answers
from hub.claims.judge import Judge
from hub.claims.links import Links
from hub.claims.service import Claims
from hub.clock import Clock
from hub.connections.service import Connections
from hub.customers.service import Customers
from hub.db import Database
from hub.secrets import Vault
from hub.stock.reserve import Reservations
from hub.stock.service import StockRoom
from hub.stock.waitlist import Queue
from hub.visits.service import Visits


class Desk(TypedDict):
    """The waitlist and the claims that may join it, by the names they have in `Services`."""

    waitlist: Queue
    claims: Claims


def desk(
    db: Database,
    clock: Clock,
    vault: Vault,
    site: str,
    reservations: Reservations,
    stock: StockRoom,
    connections: Connections,
    replies: Replies,
    visits: Visits,
) -> Desk:
    """Everything about claims but finding them, which is the chat's (`intake.py`)."""
    waitlist = Queue(db, clock, reservations, stock)
    links = Links(vault, clock, site)
    answers = Answers(db, clock, links, connections, replies)
    judge = Judge(
        *(db, clock, reservations, waitlist),
        answers=answers,
        customers=Customers(vault, clock),
        visits=visits,
    )
    return Desk(waitlist=waitlist, claims=Claims(clock, links, judge, answers))
