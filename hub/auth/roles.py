"""What each role may do. Asked for every request of a signed-in member, so a new route is closed by default.

owner       everything
producer    everything but accounts' secrets, members, rules of privacy, erasures, and files full of people
moderator   reads, and writes in chats and claims; personal data masked, no money
viewer      reads; personal data masked, no money
"""

from __future__ import annotations

import re
from typing import Final

OWNERS: Final = re.compile(r"/api/v1/((connections|members|privacy)(/|$)|probes/(token|places(/[^/]+)?)/?$)")
"""Written by owners alone."""
READ_BY_OWNERS: Final = re.compile(
    r"/api/v1/((members|privacy)(/|$)|(orders|people)/export\.|analytics/cohorts/[^/]+/export\."
    r"|shows/[^/]+/events\.)"
)
"""Read by owners alone: files full of people among them."""
PRODUCERS: Final = re.compile(
    r"/api/v1/connections/[^/]+/(listings|sync)$|/api/v1/privacy/(people|requests)(/|$)|/api/v1/privacy/looks$"
)
"""Within what is the owners': reading a shop's catalogue, and handing people their copy."""
MONEY: Final = re.compile(
    r"/api/v1/(payments|reviews|invoices|risk|deliveries|jobs|analytics|conversions|benefits)(/|$)"
)
"""Read by those alone who may also act on it: figures of the shop among them."""
MODERATORS: Final = re.compile(
    r"/api/v1/shows/[^/]+/(messages(/|$)|moderation/|relay$|claims/[^/]+/(again|restrict)$)"
)
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def may(role: str, method: str, path: str) -> bool:
    """Whether a role may send this request. `path` is that of the request, from the root of the site."""
    if role == "owner":
        return True
    reads = method in READS
    owners = (READ_BY_OWNERS if reads else OWNERS).match(path)
    if role == "producer":
        return not owners or bool(PRODUCERS.match(path))
    if owners or MONEY.match(path):
        return False
    return reads or (role == "moderator" and bool(MODERATORS.match(path)))
