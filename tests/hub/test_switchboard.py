"""Routes are found as the router itself would find them."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Match, Route

from hub.app import create_app
from hub.settings import Settings
from hub.stock.lane import LanedApp
from hub.switchboard import Switchboard


@pytest.fixture(scope="module")
def app() -> LanedApp:
    return create_app(Settings(_env_file=None), {})


def test_every_address_reaches_the_route_that_is_first_in_line(app: LanedApp) -> None:
    """Of every template one address and each method, and some that are nobody's."""
    board, routes = Switchboard(app.router), app.router.routes
    asked = {
        ("GET", "/"),
        ("GET", "/studio/assets/none.js"),
        ("GET", "/api"),
        ("GET", "/api/v1"),
        ("GET", "/x/y"),
    }
    for route in routes:
        if isinstance(route, Route):
            path = re.sub(r"{[^}]*}", "018f6e2a-0000-7000-8000-000000000000", route.path)
            asked |= {(method, path) for method in route.methods or ()}
    assert len(asked) > 250
    for method, path in asked:
        scope = {"type": "http", "method": method, "path": path, "headers": []}
        wanted = next((one for one in routes if one.matches(dict(scope))[0] is Match.FULL), None)
        found = board.found(scope)
        assert (found and found[0]) is wanted, (method, path)
