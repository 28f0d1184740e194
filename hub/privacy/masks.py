"""Personal data as those see it who don't need it: enough to tell two people apart, and no more.

Owners and producers send parcels and answer mails: they see it as it is, and each look at an address is
written down (`looks.py`). Moderators and viewers see it masked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from hub.carts.addresses import Address

DOTS: Final = "…"
SEE_ALL: Final = frozenset({"owner", "producer"})


def sees_all(role: str) -> bool:
    """Whether a role sees personal data in the open."""
    return role in SEE_ALL


def mask_name(name: str | None) -> str | None:
    """Ana Silva → A… S…"""
    return " ".join(f"{word[0]}{DOTS}" for word in name.split()) if name else name


def mask_email(email: str | None) -> str | None:
    """ana@example.com → a…@example.com. What is no address is hidden as a whole."""
    if not email:
        return email
    local, at, domain = email.rpartition("@")
    return f"{local[:1]}{DOTS}@{domain}" if at else DOTS


def mask_phone(phone: str | None) -> str | None:
    """+49 170 1234567 → …67"""
    return f"{DOTS}{phone[-2:]}" if phone else phone


def mask_address(address: Address | None) -> Address | None:
    """The country alone stays: tax and delivery are reckoned by it."""
    if address is None:
        return None
    return Address(
        line1=DOTS,
        line2="",
        city=DOTS,
        postcode=DOTS if address.postcode else "",
        region="",
        country=address.country,
        phone=mask_phone(address.phone) or "",
    )


MASKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": mask_name,
    "buyer_name": mask_name,
    "email": mask_email,
    "phone": mask_phone,
    "address": mask_address,
}
"""By the name a field has in answers."""
SAID: Final = frozenset({"note", "reason", "answer", "tracking"})
"""Words in which anybody may be named; they are left out."""
M = TypeVar("M", bound=BaseModel)


def masked(answer: M, role: str) -> M:
    """An answer as this role sees it: its own fields and those of what it holds."""
    if sees_all(role):
        return answer
    changed: dict[str, Any] = {}
    for name in type(answer).model_fields:
        value = getattr(answer, name)
        if name in MASKS:
            changed[name] = MASKS[name](value)
        elif name in SAID and isinstance(value, str):
            changed[name] = ""
        elif isinstance(value, BaseModel):
            changed[name] = masked(value, role)
        elif isinstance(value, list):
            changed[name] = [masked(one, role) if isinstance(one, BaseModel) else one for one in value]
    return answer.model_copy(update=changed)


def all_masked(answers: Iterable[M], role: str) -> list[M]:
    """A list of them."""
    return [masked(one, role) for one in answers]
