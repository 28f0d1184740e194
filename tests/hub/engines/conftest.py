"""Where PostgreSQL of these tests lives."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Not under pytest's own folder: every pytest that starts closes that one to PostgreSQL's user."""
    data = Path(tempfile.mkdtemp(prefix="simulcast-"))
    yield data
    shutil.rmtree(data)
