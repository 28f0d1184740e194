"""Docs keep up with the code: every setting is explained, every command and address is true."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import yaml

import connectors
from hub.cli import cli
from hub.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ("README", "ARCHITECTURE", "CONTRIBUTING", "DECISIONS", "CHANGELOG")


def tracked() -> list[Path]:
    """Every file git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or f"SIMULCAST_{name.upper()}")
        assert re.search(rf"^#{variable}=", example, re.MULTILINE), f"{variable} is not explained"
        assert field.description, f"{name} has no description"


def test_the_example_names_no_setting_that_is_gone() -> None:
    known = {str(f.validation_alias or f"SIMULCAST_{n.upper()}") for n, f in Settings.model_fields.items()}
    known.add("SIMULCAST_TWITCH_BASE_URL")
    named = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named <= known


def test_the_house_explains_itself() -> None:
    for name in HOUSE:
        assert (ROOT / f"{name}.md").stat().st_size > 500, name
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme
    assert "make test" in readme
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_links_between_documents_lead_somewhere() -> None:
    for path in tracked():
        if path.suffix != ".md":
            continue
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.relative_to(ROOT)} links to {link}"


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for command in cli.registered_commands:
        if not command.hidden and command.callback:
            name = command.name or command.callback.__name__
            assert f"simulcast {name}" in readme, name


def test_every_connector_says_how_to_set_it_up() -> None:
    for name in connectors.load():
        readme = ROOT / "connectors" / name / "README.md"
        assert readme.exists(), f"connectors/{name} has no README.md"
        assert "erified" in readme.read_text(), f"connectors/{name}/README.md does not say what was verified"


def test_compose_file_is_sound() -> None:
    compose = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())
    hub = compose["services"]["hub"]
    assert (ROOT / "docker" / hub["build"]["context"]).resolve() == ROOT
    assert (ROOT / hub["build"]["dockerfile"]).exists()
    published = set()
    for port in hub["ports"]:
        outside, inside = re.findall(r"\$\{(SIMULCAST_[A-Z]+_PORT:-\d+)\}", port)
        # Moved, a port is another one inside too: the product tells browsers where it is.
        assert outside == inside
        name, default = inside.split(":-")
        assert hub["environment"][name] == f"${{{name}:-{default}}}"
        published.add(int(default))
    private = Settings.model_fields["media_control_port"].default
    defaults = {f.default for n, f in Settings.model_fields.items() if n.endswith("_port")}
    assert published == defaults - {private}
    assert set(compose["volumes"]) == {"data"}


def test_dockerfile_copies_only_what_is_there() -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE))
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
    exposed = set(re.search(r"^EXPOSE (.+)$", text, re.MULTILINE).group(1).split())  # type: ignore[union-attr]
    assert "8083" not in exposed


def test_lock_files_name_no_server() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()
    lock = json.loads((ROOT / "dashboards" / "package-lock.json").read_text())
    assert not [
        name
        for name, package in lock["packages"].items()
        if "resolved" in package and not package.get("link")
    ]
