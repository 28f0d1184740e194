"""What a shop page must be let load so that gateways draw their own card fields in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from connectors.base import AnyConnector
from hub.settings import addresses_of


@dataclass(frozen=True)
class Origins:
    """Additions to a content policy, by what is loaded."""

    script: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()


ANY: Final = ("https:",)
"""A bank's question is asked in the bank's own frame, and there are thousands of banks. The frame sees
nothing of our page; Stripe alone puts it into a frame of its own."""
VENDORS: Final[Mapping[str, Origins]] = {
    "stripe": Origins(
        script=("https://js.stripe.com", "https://*.js.stripe.com"),
        frame=("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
    ),
    "adyen": Origins(
        script=("https://*.cdn.adyen.com", "https://*.adyen.com"),
        style=("https://*.cdn.adyen.com",),
        frame=ANY,
        form=ANY,
    ),
    "braintree": Origins(
        script=("https://js.braintreegateway.com", "https://*.cardinalcommerce.com"),
        frame=ANY,
        form=ANY,
    ),
    "square": Origins(
        script=(
            *("https://web.squarecdn.com", "https://sandbox.web.squarecdn.com"),
            *("https://js.squareup.com", "https://js.squareupsandbox.com"),
        ),
        style=("https://web.squarecdn.com", "https://sandbox.web.squarecdn.com"),
        frame=ANY,
        form=ANY,
    ),
}
"""From the vendors' own pages on content security policies. Connections to any https address are allowed."""


def origins_of(connectors: Iterable[AnyConnector], environ: Mapping[str, str]) -> Origins:
    """Of every gateway there is: the vendor's, or the one address its fake answers at instead."""
    found = [origins(one, environ) for one in connectors if one.payments and one.addresses.script_url]

    def joined(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(origin for one in found for origin in getattr(one, name)))

    return Origins(*(joined(name) for name in Origins.__dataclass_fields__))


def origins(connector: AnyConnector, environ: Mapping[str, str]) -> Origins:
    """Of one gateway; for one that is not in the table the origin of its script."""
    script = addresses_of(connector, environ).script_url or ""
    if script == connector.addresses.script_url and connector.name in VENDORS:
        return VENDORS[connector.name]
    parts = urlsplit(script)
    here = (f"{parts.scheme}://{parts.netloc}",)
    return Origins(script=here, style=here, frame=here, form=here, connect=here)
