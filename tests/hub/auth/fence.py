"""Every route there is, those that need no sign-in, and what has to be sent to the others."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

from hub.app import create_app
from hub.settings import Settings

OPEN = {
    ("POST", "/api/v1/auth/session"),
    # Who was invited has no session yet: the link's token is in the body.
    ("POST", "/api/v1/auth/invites"),
    ("DELETE", "/api/v1/auth/session"),
    ("POST", "/webhooks/{connector}/{connection_id}"),
    ("GET", "/webhooks/{connector}/{connection_id}"),
    ("GET", "/l/{code}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/public/shows/{slug}"),
    ("GET", "/api/v1/public/shows/{slug}/poster"),
    ("GET", "/api/v1/public/offers/{offer_id}/record"),
    ("GET", "/.well-known/simulcast-offer-keys.json"),
    ("POST", "/api/v1/public/shows/{slug}/quality"),
    # A page that goes away can send no header: its token is in the body.
    ("POST", "/api/v1/public/events"),
    ("GET", "/api/v1/public/shows/{slug}/consent"),
    ("GET", "/.well-known/gpc.json"),
    # From the brand's shop: with a signed pass or ticket, and from that shop's origin.
    ("POST", "/api/v1/public/passes/trade"),
    ("POST", "/api/v1/public/passes/back"),
}
"""Routes that need no sign-in, each for a reason. A new route that is not here needs one."""

BODIES: dict[str, Any] = {
    "/api/v1/members/{member_id}": {"role": "viewer"},
    "/api/v1/privacy/people/{customer_id}/erase": {"confirm": "erase"},
    "/api/v1/privacy/rules/{subject}": {"days": 30},
    "/api/v1/consent/customers/{customer_id}": {"purpose": "ads", "granted": False, "why": "x"},
    "/api/v1/people/{person_id}/split": {"nodes": [str(uuid4())], "reason": "x"},
    "/api/v1/people/{person_id}/split/preview": {"nodes": [str(uuid4())]},
    "/api/v1/people/changes/{change_id}/undo": {"reason": "x"},
    "/api/v1/people/evidence/{edge_id}/revoke": {"reason": "x"},
    "/api/v1/people/suggestions/{suggestion_id}/confirm": {},
    "/api/v1/people/suggestions/{suggestion_id}/dismiss": {},
    "/api/v1/orders/{order_id}/refunds": {"key": "0123456789", "reason": "x", "everything": True},
    "/api/v1/orders/{order_id}/refunds/preview": {"everything": True},
    "/api/v1/orders/{order_id}/cancel": {"reason": "x"},
    "/api/v1/orders/{order_id}/notes": {"reason": "x"},
    "/api/v1/orders/{order_id}/returns": {
        "key": "0123456789",
        "reason": "x",
        "lines": [{"line_id": str(uuid4()), "quantity": 1}],
    },
    "/api/v1/returns/{return_id}/arrival": {"lines": [{"id": str(uuid4()), "pieces": 1, "restock": True}]},
    "/api/v1/returns/{return_id}/refund": {"reason": "x"},
    "/api/v1/payments/gateways/{connection_id}": {"budget_ms": None},
    "/api/v1/connections/pending/{linking_id}": {"account_ids": ["x"]},
    "/api/v1/products/{product_id}": {"version": 0, "title": "x"},
    "/api/v1/product-imports/{intake_id}/take": {"only_good": True},
    "/api/v1/unmatched-listings/{unmatched_id}/match": {"variant_id": str(uuid4())},
    "/api/v1/variants/{variant_id}/stock": {"on_hand": 1, "version": 1, "reason": "x"},
    "/api/v1/offers/{offer_id}": {"minutes": 5},
    "/api/v1/analytics/cohorts/{cohort_id}": {"name": "x", "definition": {"where": {"kind": "member"}}},
    "/api/v1/links/{link_id}": {"destination": "/watch/x"},
    "/api/v1/links/{link_id}/posts": {"target_id": str(uuid4())},
    "/api/v1/shows/{show_id}/claims/names": {"product_id": str(uuid4()), "number": 1, "word": "bag"},
    "/api/v1/shows/{show_id}/targets/{target_id}": {"wanted": False},
    "/api/v1/shows/{show_id}/highlight": {"product_id": None},
    "/api/v1/shows/{show_id}/messages": {"text": "hello"},
    "/api/v1/shows/{show_id}/messages/{message_id}/moderate": {"verb": "ban"},
    "/api/v1/shows/{show_id}/relay": {"pairs": []},
    "/api/v1/shows/{show_id}/clips": {"begins_s": 0, "ends_s": 10},
    "/api/v1/shows/{show_id}/chapters": {"title": "Bags"},
    "/api/v1/shows/{show_id}/profiles": {"name": "Small", "width": 640, "height": 360, "video_kbps": 900},
}


@cache
def routes() -> list[tuple[str, str]]:
    """Every (method, path) of the application, however its routers are nested."""
    schema = create_app(Settings(_env_file=None), {}).openapi()
    found = [(verb.upper(), path) for path, verbs in schema["paths"].items() for verb in verbs]
    assert len(found) > 30
    return found
