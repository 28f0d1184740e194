"""Google's own description of the API, as its client ships it: the judge of both sides of the local YouTube.

A request it does not allow is refused with 400, as at Google; an answer it does not allow is a fault of
the fake, and fails loudly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal: HTTP status and Google's `reason`."""

    def __init__(self, status: int, reason: str, message: str = "", retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.message, self.retry_after = status, reason, message, retry_after


class Contradiction(Exception):
    """An answer of the fake that YouTube's description does not allow."""


class Discovery:
    """The shipped document, youtube.v3. Methods go by their names in the reference."""

    def __init__(self) -> None:
        shipped = files("googleapiclient.discovery_cache") / "documents" / "youtube.v3.json"
        document: Json = json.loads(shipped.read_text(encoding="utf-8"))
        self._schemas: Json = document["schemas"]
        self._common: Json = document["parameters"]
        self.methods = dict(_methods(document))

    def check_request(self, name: str, query: Sequence[tuple[str, str]], body: Any) -> None:
        """Raises ApiError for parameters and fields the method does not have."""
        known = self.methods[name]["parameters"]
        given: dict[str, list[str]] = {}
        for key, value in query:
            given.setdefault(key, []).append(value)
        for key in known:
            if known[key].get("required") and key not in given:
                raise ApiError(400, "missingRequiredParameter", f"{key} is missing.")
        for key, values in given.items():
            rule = known.get(key) or self._common.get(key)
            if rule is None:
                raise ApiError(400, "badRequest", f'Unknown name "{key}": Cannot bind query parameter.')
            if len(values) > 1 and not rule.get("repeated"):
                raise ApiError(400, "badRequest", f"{key} was given twice.")
            if not all(_fits(rule, value) for value in values):
                raise ApiError(400, "invalidParameter", f"Invalid value for {key}.")
        request = self.methods[name].get("request")
        if request is None and body is not None:
            raise ApiError(400, "badRequest", f"{name} takes no body.")
        if request is not None:
            faults = list(self._faults(request, body, "body"))
            if faults:
                raise ApiError(400, "badRequest", f"Invalid JSON payload received. {faults[0]}")

    def check_answer(self, name: str, answer: Any, *, strict: bool = True) -> None:
        """Raises Contradiction; `strict` False lets fields and words of tomorrow pass."""
        response = self.methods[name].get("response")
        if response is None:
            if answer is not None:
                raise Contradiction(f"{name} answers nothing")
            return
        faults = list(self._faults(response, answer, name)) if strict else []
        if faults:
            raise Contradiction(faults[0])

    def faults_of(self, schema: str, value: Any) -> list[str]:
        """What is wrong with a resource, by the schema's name."""
        return list(self._faults({"$ref": schema}, value, schema))

    def _faults(self, schema: Json, value: Any, where: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema.get("type")
        if kind == "object":
            if not isinstance(value, dict):
                yield f"{where} is no object"
                return
            fields = schema.get("properties", {})
            for name, part in value.items():
                rule = fields.get(name) or schema.get("additionalProperties")
                if rule is None:
                    yield f'Unknown name "{name}" at {where}'
                else:
                    yield from self._faults(rule, part, f"{where}.{name}")
        elif kind == "array":
            if not isinstance(value, list):
                yield f"{where} is no list"
                return
            for part in value:
                yield from self._faults(schema["items"], part, f"{where}[]")
        elif not _is(schema, value):
            yield f"{where} is no {schema.get('format') or kind}: {value!r}"


def _methods(document: Json) -> Iterator[tuple[str, Json]]:
    for resource, entry in document["resources"].items():
        for name, method in entry.get("methods", {}).items():
            yield f"{resource}.{name}", method
    # The one method that lives deeper down; the reference lists it with its siblings.
    deep = document["resources"]["youtube"]["resources"]["v3"]["resources"]["liveChat"]
    yield "liveChatMessages.stream", deep["resources"]["messages"]["methods"]["stream"]


def _fits(rule: Json, text: str) -> bool:
    """True for a query parameter's value."""
    kind = rule.get("type")
    if kind == "boolean":
        return text in {"true", "false"}
    if kind == "integer":
        if not re.fullmatch(r"-?\d{1,12}", text):
            return False
        least, most = int(rule.get("minimum", text)), int(rule.get("maximum", text))
        return least <= int(text) <= most
    return "enum" not in rule or text in rule["enum"]


def _is(schema: Json, value: Any) -> bool:
    """True for a value that is neither an object nor a list."""
    kind, form = schema.get("type"), schema.get("format")
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, str):
        return kind == "any"
    if form in {"int64", "uint64"}:
        # 64-bit numbers travel as strings.
        return re.fullmatch(r"-?\d+" if form == "int64" else r"\d+", value) is not None
    if form == "date-time":
        return _is_time(value)
    return "enum" not in schema or value in schema["enum"]


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
