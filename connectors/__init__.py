"""Connectors: one folder per platform. `load()` finds them all; nothing is registered anywhere."""

from __future__ import annotations

import importlib
import pkgutil

from connectors.base import AnyConnector, Connector


def load() -> dict[str, AnyConnector]:
    """Every connector by name. A folder whose CONNECTOR has another name is a programming error."""
    found: dict[str, AnyConnector] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg or module.name.startswith("_"):
            continue
        connector = importlib.import_module(f"connectors.{module.name}").CONNECTOR
        if not isinstance(connector, Connector) or connector.name != module.name:
            raise RuntimeError(f"connectors/{module.name} must export CONNECTOR with name={module.name!r}")
        found[connector.name] = connector
    return found
