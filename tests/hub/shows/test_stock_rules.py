"""How a show shares out its stock, as its page sets it."""

from __future__ import annotations

from typing import Any

from tests.hub.shows.conftest import Studio

USUAL = {"hold_policy": "hold", "hold_seconds": None, "units_per_buyer": 5, "units_per_network": 40}
CHOSEN = {"hold_policy": "hybrid", "hold_seconds": 20, "units_per_buyer": 100, "units_per_network": 0}
SENSELESS: list[dict[str, Any]] = [
    {"hold_policy": "auction"},
    {"hold_seconds": 19},
    {"hold_seconds": 3601},
    {"units_per_buyer": 0},
    {"units_per_buyer": 101},
    {"units_per_network": -1},
    {"units_per_network": 10_001},
]


async def test_stock_rules_are_changed_by_name_within_reason_and_no_platform_is_told(staged: Studio) -> None:
    assert (await staged.snapshot())["show"]["stock_rules"] == USUAL
    await staged.live()
    answer = await staged.call("PATCH", "", CHOSEN, ok=200)
    assert answer["stock_rules"] == (await staged.snapshot())["show"]["stock_rules"] == CHOSEN
    for wish in SENSELESS:
        refused = await staged.call("PATCH", "", wish, ok=422)
        assert [field["field"] for field in refused["fields"]] == list(wish)
    # Null takes the seconds back; the other two are never absent.
    wish = {"hold_policy": None, "hold_seconds": None, "units_per_buyer": None, "units_per_network": None}
    answer = await staged.call("PATCH", "", wish, ok=200)
    assert answer["stock_rules"] == CHOSEN | {"hold_seconds": None}
    # A show may be planned with them.
    planned = await staged.owner.call("POST", "/api/v1/shows", {"title": "Next"} | CHOSEN, ok=201)
    snapshot = await staged.owner.call("GET", f"/api/v1/shows/{planned['id']}")
    assert snapshot["show"]["stock_rules"] == CHOSEN
    for wish in SENSELESS:
        await staged.owner.call("POST", "/api/v1/shows", {"title": "Next"} | wish, ok=422)
    # A change of texts would be on its way now.
    assert (await staged.target("_template"))["details_state"] == "applied"
