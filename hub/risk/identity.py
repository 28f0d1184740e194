"""By what an order is tied to others: who looked, who is written to, from where. Hashes only.

No script measures the buyer's machine. A device is what every request says by itself (program and language)
together with its network; networks are cut to /24 (IPv4) and /48 (IPv6). All of it is hashed with our key and
the brand's id, so that no brand's buyers can be found again at another, and forgotten after a month.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from hub.carts.addresses import Address
from hub.payments.out import PaymentChoice
from hub.secrets import Vault


@dataclass(frozen=True)
class Visit:
    """What a request says about where it comes from: address, program (User-Agent), language."""

    ip: str | None = None
    agent: str = ""
    language: str = ""


@dataclass(frozen=True)
class Who:
    """One buyer at one moment. `traces`: kind → hash; `card`: hash of a new card's token."""

    brand_id: UUID
    traces: Mapping[str, str] = field(default_factory=dict)
    card: str | None = None
    email: str = field(default="", repr=False)


def network_of(ip: str | None) -> str | None:
    """The network of an address. None for a private one: that is a proxy's, and tells nobody apart."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global:
        return None
    length = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


def device_of(visit: Visit) -> str | None:
    """Program, language and network; None where they don't tell anything."""
    network = network_of(visit.ip)
    if network is None or not visit.agent:
        return None
    return f"{visit.agent[:400]}|{visit.language.split(',')[0][:20].lower()}|{network}"


def plain_email(email: str) -> str:
    """One spelling for one mailbox: case and +tags don't make another."""
    local, _, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def address_text(address: Address | None) -> str | None:
    """Where to, without the name and whatever people spell differently."""
    if address is None:
        return None
    text = f"{address.country}|{address.postcode}|{address.line1}".lower()
    return "".join(one for one in text if one.isalnum() or one == "|")


def who(
    vault: Vault,
    brand_id: UUID,
    viewer_id: str,
    email: str,
    visit: Visit,
    payment: PaymentChoice,
    address: Address | None = None,
) -> Who:
    """The identities behind an attempt to buy."""

    def hashed(kind: str, value: str) -> str:
        return vault.fingerprint(f"risk:{brand_id}:{kind}:{value}")[:40]

    method = payment.saved_method_id
    found = {
        "viewer": viewer_id,
        "device": device_of(visit),
        "network": network_of(visit.ip),
        "email": plain_email(email) if "@" in email else None,
        "method": str(method) if method else None,
        "address": address_text(address),
    }
    traces = {kind: hashed(kind, value) for kind, value in found.items() if value}
    return Who(brand_id, traces, hashed("card", payment.source) if payment.source else None, email)
