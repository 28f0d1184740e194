"""Braintree's XML: names with dashes, types as attributes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape


class Rows(list[tuple[str, Any]]):
    """Elements side by side, without being an array."""


def xml(name: str, value: Any) -> str:
    """One element. A list is one of type array, each of its parts named for itself where it is a pair."""
    tag = name.replace("_", "-")
    match value:
        case None:
            return f'<{tag} nil="true"/>'
        case bool():
            return f'<{tag} type="boolean">{str(value).lower()}</{tag}>'
        case int():
            return f'<{tag} type="integer">{value}</{tag}>'
        case datetime():
            return f'<{tag} type="datetime">{value:%Y-%m-%dT%H:%M:%SZ}</{tag}>'
        case dict():
            return f"<{tag}>{''.join(xml(key, one) for key, one in value.items())}</{tag}>"
        case Rows():
            return f"<{tag}>{''.join(xml(*one) for one in value)}</{tag}>"
        case list():
            parts = (xml(*one) if isinstance(one, tuple) else xml("item", one) for one in value)
            return f'<{tag} type="array">{"".join(parts)}</{tag}>'
        case _:
            return f"<{tag}>{escape(str(value))}</{tag}>"


def document(name: str, value: Any) -> str:
    """A whole answer."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml(name, value)}'


def errors(code: str, message: str, attribute: str = "base") -> dict[str, Any]:
    """What a validation that failed says."""
    error = {"attribute": attribute, "code": code, "message": message}
    found = {"errors": [], "transaction": {"errors": [("error", error)]}}
    return {"errors": found, "message": message, "params": {}}
