"""Whatever anybody sends to the public API, the answer is never a server's fault (schemathesis)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.services import Services
from tests.hub.shop import Shop
from tests.hub.site import serving

OURS: Final = ("/api/v1/public/", "/webhooks/", "/l/", "/.well-known/", "/healthz", "/readyz")
EXAMPLES: Final = 6
ANSWER_SECONDS: Final = 20.0


@pytest.fixture
async def origin(hub: Services) -> AsyncIterator[str]:
    """The same hub's database behind a real server."""
    async with serving(hub.settings, {}) as address:
        yield address


async def test_nothing_sent_to_the_public_api_breaks_it(hub: Services, shop: Shop, origin: str) -> None:
    token = hub.tokens.viewer(shop.viewer())
    real = {
        "slug": shop.slug,
        "show": shop.slug,
        "variant_id": str(shop.variant_id),
        "product_id": str(shop.product_id),
    }
    broken, asked = await asyncio.to_thread(ask_everything, origin, token, real)
    assert asked > 15 * EXAMPLES / 2
    assert not broken, json.dumps(broken, indent=1)


def ask_everything(origin: str, token: str, real: dict[str, str]) -> tuple[list[dict[str, Any]], int]:
    """(what was answered with a 5xx, how many were sent)."""
    import schemathesis  # half a second for everybody who only collects the tests

    schema = schemathesis.openapi.from_url(f"{origin}/openapi.json", timeout=ANSWER_SECONDS)
    broken: list[dict[str, Any]] = []
    asked = 0
    with requests.Session() as client:
        client.headers["X-Requested-With"] = "simulcast"
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # an unreadable schema may raise
            if operation.path.startswith(OURS):
                for case in cases_of(operation, real):
                    asked += 1
                    if odd := asked_once(client, case, token if asked % 4 else ""):
                        broken.append(odd)
    return broken, asked


def cases_of(operation: Any, real: dict[str, str]) -> list[Any]:
    """Requests that fit the schema, more or less; every other one about things there are."""
    made: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), about=st.booleans())
    def make(case: Any, about: bool) -> None:
        if about:
            case.path_parameters = {**case.path_parameters, **known(case.path_parameters, real)}
            if isinstance(case.body, dict):
                case.body = {**case.body, **known(case.body, real)}
        made.append(case)

    make()
    return made


def known(asked: Any, real: dict[str, str]) -> dict[str, str]:
    """The names among these for which there is a real thing."""
    return {name: value for name, value in real.items() if name in (asked or {})}


def asked_once(client: requests.Session, case: Any, token: str) -> dict[str, Any] | None:
    """What is wrong with the answer, or None."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = case.call(session=client, headers=headers, timeout=ANSWER_SECONDS)
    if response.status_code < 500:
        return None
    return {"curl": case.as_curl_command(), "status": response.status_code, "answer": response.text[:300]}
