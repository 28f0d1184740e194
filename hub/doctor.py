"""`simulcast doctor`: is everything there, and if not, what to do."""

from __future__ import annotations

import asyncio
import ipaddress
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

import connectors
from hub.engines import nats, postgres
from hub.engines.ready import disk_problem, port_problems
from hub.events.stream import problem_of
from hub.settings import Settings, addresses_of


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `detail` says what to do when it is not ok."""

    title: str
    ok: bool
    detail: str


def examine(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything a show needs; nothing is started or changed."""
    return [
        python(),
        program("PostgreSQL", lambda: str(postgres.binaries() / "postgres"), "--version"),
        program("NATS", lambda: str(nats.binary()), "--version"),
        program("ffmpeg", lambda: settings.ffmpeg or imageio_ffmpeg.get_ffmpeg_exe(), "-version"),
        front_end(),
        disk(settings),
        ports(settings),
        events_finding(settings.nats_url),
        proxies(settings.trusted_proxies),
        *platforms(environ),
    ]


def events_finding(nats_url: str | None) -> Finding:
    """Whether viewer events can be kept; a NATS server of our own can."""
    title = "Viewer events"
    if nats_url is None:
        return Finding(title, True, "kept by the bundled NATS server")
    why = asyncio.run(problem_of(nats_url))
    return Finding(title, not why, why or "kept by the NATS server at NATS_URL")


def python() -> Finding:
    """The interpreter."""
    version = sys.version.split()[0]
    ok = sys.version_info[:2] == (3, 11)
    return Finding("Python", ok, version if ok else f"{version}; 3.11 is needed. Run make install with it.")


def program(title: str, find: Callable[[], str], flag: str) -> Finding:
    """A bundled program that must start and say its version."""
    try:
        path = find()
        done = subprocess.run([path, flag], capture_output=True, timeout=10, check=True)  # noqa: S603
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return Finding(title, False, f"does not start ({error}). Run make install again.")
    return Finding(title, True, done.stdout.decode(errors="replace").splitlines()[0])


def front_end() -> Finding:
    """The built studio and watch page."""
    built = Path(__file__).parent.parent / "dashboards" / "dist"
    ok = (built / "studio" / "index.html").exists()
    return Finding("Front end", ok, "built" if ok else "not built. Run make install.")


def disk(settings: Settings) -> Finding:
    """Room for data."""
    problem = disk_problem(settings.data)
    return Finding("Disk", problem is None, problem or f"enough room under {settings.data}")


def ports(settings: Settings) -> Finding:
    """Every port free, or ours already."""
    wanted = {name: getattr(settings, name) for name in Settings.model_fields if name.endswith("_port")}
    problems = port_problems(settings.bind, wanted.items())
    if not problems:
        return Finding("Ports", True, ", ".join(str(port) for port in wanted.values()) + " are free")
    return Finding("Ports", False, " ".join(problems) + " Fine if that is Simulcast Hub itself.")


def proxies(trusted: str) -> Finding:
    """Whose word is taken for a buyer's address, as comma-separated addresses and networks."""
    title, names = "Proxies", [one.strip() for one in trusted.split(",") if one.strip()]
    wrong = [one for one in names if not is_network(one)]
    if wrong:
        why = f"{', '.join(wrong)}: no address and no network. Correct SIMULCAST_TRUSTED_PROXIES."
        return Finding(title, False, why)
    believed = f"X-Forwarded-For is believed from {', '.join(names) or 'nobody'}"
    advice = "A CDN or proxy in front that is not among them makes all its buyers one address: name it in"
    return Finding(title, True, f"{believed}. {advice} SIMULCAST_TRUSTED_PROXIES.")


def is_network(name: str) -> bool:
    """Whether it is an address, or a network from its first address on."""
    try:
        ipaddress.ip_network(name)
    except ValueError:
        return False
    return True


def platforms(environ: Mapping[str, str]) -> list[Finding]:
    """Which connectors there are, and which of them do not talk to the real platform."""
    known = connectors.load()
    redirected = [
        f"{name} → {addresses_of(connector, environ).base_url}"
        for name, connector in known.items()
        if addresses_of(connector, environ) != connector.addresses
    ]
    detail = ", ".join(known) + (f". Not the real platform: {', '.join(redirected)}" if redirected else "")
    return [Finding("Connectors", True, detail)]
