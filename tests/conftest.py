"""What holds for all tests."""

from __future__ import annotations

import pytest
import structlog


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The connectors come last: their files are many and short. Where several run the tests, whoever begins a
    long file last keeps the others waiting."""
    items.sort(key=lambda item: item.nodeid.startswith("tests/connectors/"))


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """Troubles in the log as Python writes them: drawn with colours, frames and the values of everything, as
    structlog does by default, each takes seconds, and many tests make trouble."""
    *first, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*first, plain])
