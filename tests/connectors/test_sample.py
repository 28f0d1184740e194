"""A newcomer adds a connector: one folder beside the others, and the contract suite finds it (S89)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"^### `([^`\n]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNS_TESTS = ("tests/__init__.py", "tests/connectors", "connectors", "pyproject.toml")


def sample_files() -> dict[str, str]:
    """The tiny connector of the documentation: path and text of each of its files."""
    return dict(FILE.findall((ROOT / "docs" / "connectors.md").read_text()))


def checkout(to: Path) -> None:
    """The connectors and what asks them, as a newcomer has them."""
    for name in RUNS_TESTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name)  # what is compiled with it: a copy is as old as its source
        elif source.exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to / name)


def copy_template(to: Path, name: str) -> None:
    """The first step of the guide, done literally."""
    shutil.copytree(to / "connectors" / "_template", to / "connectors" / name)
    for path in (to / "connectors" / name).rglob("*.py"):
        path.write_text(path.read_text().replace("_template", name))


def test_one_new_folder_is_a_connector_that_the_contract_suite_finds(tmp_path: Path) -> None:
    files = sample_files()
    assert {Path(name).parts[:2] for name in files} == {("connectors", "garden")}
    checkout(tmp_path)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    copy_template(tmp_path, "newcomer")
    suite = [str(path.relative_to(tmp_path)) for path in tmp_path.glob("tests/connectors/test_contract*.py")]
    # The template itself is asked about the rest elsewhere; its copy need not be again.
    chosen = "garden or (newcomer and not (chat or errors or login)) or load_without_network"
    how = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-rA", "-k", chosen)
    asked = subprocess.run(
        [sys.executable, "-m", "pytest", *how, *suite],
        cwd=tmp_path,
        # In front of everything that is installed: the copy is what is asked.
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert asked.returncode == 0, asked.stdout[-4000:]
    # The whole list of names is compared with what load() finds: it knows of both.
    assert re.search(r"^PASSED .*test_all_load_without_network", asked.stdout, re.MULTILINE)
    for name, least in (("garden", 20), ("newcomer", 18)):
        answered = re.findall(rf"^PASSED .*\[(?:\w+-)?{name}(?:-.*)?\]", asked.stdout, re.MULTILINE)
        assert len(answered) >= least, asked.stdout[-4000:]
