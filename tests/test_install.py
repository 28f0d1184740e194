"""The installer says in a sentence what stands in its way, and what to do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "install.py"


@pytest.fixture(scope="module")
def install() -> ModuleType:
    """The script as a module; it belongs to no package."""
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "error sending request: dns error: Name or service not known",
            "Connect this machine to the internet",
        ),
        ("npm error code ENOTFOUND", "Connect this machine to the internet"),
        ("OSError: [Errno 28] No space left on device", "The disk is full. Free"),
        ("SyntaxError: oops", "uv failed. Its last words"),
    ],
)
def test_a_failed_step_is_explained(install: ModuleType, output: str, sentence: str) -> None:
    explained = install.explain("uv", f"noise\n{output}")
    assert sentence in explained
    assert output in explained


def test_a_command_that_fails_is_told_with_its_last_words(install: ModuleType) -> None:
    with pytest.raises(install.CannotInstall, match="boom"):
        install.run([sys.executable, "-c", "import sys; sys.exit('boom')"])
    install.run([sys.executable, "-c", "print('fine')"])


def test_a_step_runs_again_only_when_something_changed(install: ModuleType, tmp_path: Path) -> None:
    vars(install).update(ROOT=tmp_path, STAMPS=tmp_path / "stamps")
    (tmp_path / "input").write_text("one")
    result = tmp_path / "result"
    runs: list[int] = []

    def action() -> None:
        runs.append(1)
        result.touch()

    for _ in range(2):
        install.step("A step", ["input"], action, result)
    (tmp_path / "input").write_text("two")
    install.step("A step", ["input"], action, result)
    result.unlink()
    install.step("A step", ["input"], action, result)
    assert len(runs) == 3
