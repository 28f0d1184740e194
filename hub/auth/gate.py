"""Puts together who may come in; part of the composition root (`hub/app.py`)."""

from __future__ import annotations

from typing import TypedDict

from hub.auth.members import Members
from hub.auth.service import Auth
from hub.auth.tokens import Tokens
from hub.clock import Clock
from hub.secrets import Vault
from hub.stock.networks import Networks


class Gate(TypedDict):
    """The services of staff, tokens and where viewers come from, by the names they have in `Services`."""

    auth: Auth
    members: Members
    tokens: Tokens
    networks: Networks


def gate(clock: Clock, vault: Vault) -> Gate:
    """Every service of staff and tokens, each given what it needs."""
    return Gate(
        auth=Auth(clock),
        members=Members(clock),
        tokens=Tokens(vault, clock),
        networks=Networks(vault),
    )
