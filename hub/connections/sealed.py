"""What is kept of an account in secret: its config and its tokens, sealed and opened in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from connectors.types import Tokens
from hub.errors import BadInput
from hub.secrets import Vault

M = TypeVar("M", bound=BaseModel)


class Sealed:
    """Models in, sealed bytes out, and back."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, value: BaseModel) -> bytes:
        """Any model, its secrets included."""
        return self._vault.seal(json.dumps(revealed(value.model_dump())))

    def open(self, sealed: bytes, kind: type[M]) -> M:
        """The model again."""
        return kind.model_validate_json(self._vault.open(sealed))

    def tokens(self, sealed: bytes) -> Tokens:
        """A login."""
        return self.open(sealed, Tokens)

    def values(self, sealed: bytes) -> dict[str, Any]:
        """A model's plain values, secrets and all: to be sealed again, and for nothing else."""
        found: dict[str, Any] = json.loads(self._vault.open(sealed))
        return found

    def text(self, sealed: bytes) -> str:
        """A sealed text."""
        return self._vault.open(sealed)

    def seal_text(self, secret: str) -> bytes:
        """A text."""
        return self._vault.seal(secret)


def valid(kind: type[M], values: Mapping[str, Any], title: str) -> M:
    """The model of what was entered. BadInput says only where and why: the value itself may be a secret."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput("config_invalid", f"{title}: {wrong}") from None


def secret_fields(kind: type[BaseModel]) -> set[str]:
    """Names of a model's secret fields, as its form marks them."""
    properties = kind.model_json_schema().get("properties", {})
    return {name for name, one in properties.items() if is_secret(one)}


def secrets_in(value: BaseModel) -> set[str]:
    """A model's own secrets, in the clear: to be compared, and for nothing else."""
    found = {one.get_secret_value() for _, one in value if isinstance(one, SecretStr)}
    return found - {""}


def is_secret(field: Mapping[str, Any]) -> bool:
    """Whether a field of a JSON schema is a password, be it an optional one."""
    return field.get("format") == "password" or any(map(is_secret, field.get("anyOf", ())))


def revealed(values: Any) -> Any:
    """Plain values for sealing: secrets as text, times in ISO form."""
    if isinstance(values, dict):
        return {name: revealed(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [revealed(value) for value in values]
    if isinstance(values, SecretStr):
        return values.get_secret_value()
    return values.isoformat() if hasattr(values, "isoformat") else values
