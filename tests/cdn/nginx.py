"""Debian's nginx with the shipped configuration; only ports, folders and the certificate are the test's."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.restream.targets.servers import NGINX, free_port

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SHIPPED: Final = ROOT / "docker"
LUA: Final = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
SECONDS: Final = 30.0


@dataclass(frozen=True)
class Front:
    """Where it listens: with TLS as shipped, and without for light crowds."""

    tls: int
    plain: int
    origin: int
    folder: Path

    @property
    def url(self) -> str:
        """Without TLS."""
        return f"http://127.0.0.1:{self.plain}"

    async def counts(self) -> dict[str, Any]:
        """What the origin was asked so far."""
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            found: dict[str, Any] = (await http.get(f"http://127.0.0.1:{self.origin}/counts")).json()
            return found

    async def asked(self, part: str) -> int:
        """How many requests with this in their first line, such as `GET /live/evening/`."""
        return sum(count for line, count in (await self.counts())["asked"].items() if part in line)

    async def token(self, viewer: str, **claims: str) -> str:
        """For the private show."""
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            answer = await http.get(f"http://127.0.0.1:{self.origin}/token", params={"jti": viewer, **claims})
            return answer.text


def moved(text: str, *changes: tuple[str, str]) -> str:
    """The text with each of these replaced, all of which must be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def configured(folder: Path, ports: Front, *, exact: bool, modules: str = "") -> Path:
    """The shipped files, moved to a folder. `exact` is with Lua."""
    user = "user root;" if os.getuid() == 0 else ""
    text = moved(
        (SHIPPED / "nginx.conf").read_text(),
        ("user www-data;", user),
        ("worker_processes auto;", "worker_processes 1;"),
        ("/run/nginx.pid", f"{folder}/nginx.pid"),
        ("/var/log/nginx", str(folder)),
        ("/var/cache", str(folder)),
        ("include /etc/nginx/modules-enabled/*.conf;", modules),
        ("/etc/nginx/tls", str(folder)),
        ("/etc/nginx/nginx-coalesce[.]conf", f"{folder}/nginx-coalesce[.]conf"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("        listen [::]:80;\n", ""),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{ports.tls} ssl http2;"),
        ("listen [::]:443 ssl http2;", f"listen 127.0.0.1:{ports.plain} backlog=8192;"),
        ("127.0.0.1:8080", f"127.0.0.1:{ports.origin}"),
        ("127.0.0.1:8081", f"127.0.0.1:{ports.origin}"),
        ("127.0.0.1:8082", f"127.0.0.1:{ports.origin}"),
    )
    file = folder / "nginx.conf"
    file.write_text(text)
    if exact:
        path = os.environ.get("SIMULCAST_LUA_PATH", "")
        conf = moved(
            (SHIPPED / "nginx-coalesce.conf").read_text(),
            ("/etc/nginx/?.lua", f"{folder}/?.lua;{path}"),
            ("/var/log/nginx", str(folder)),
            ("/run/simulcast-fill.sock", f"{folder}/fill.sock"),
        )
        (folder / "nginx-coalesce.conf").write_text(conf)
        lua = moved(
            (SHIPPED / "simulcast.lua").read_text(), ("/run/simulcast-fill.sock", f"{folder}/fill.sock")
        )
        (folder / "simulcast.lua").write_text(lua)
    return file


def lua_modules() -> str | None:
    """The lines that load it; None where it is not installed. SIMULCAST_LUA_MODULES names another folder."""
    folder = Path(os.environ.get("SIMULCAST_LUA_MODULES", LUA.parent))
    files = [folder / "ndk_http_module.so", folder / LUA.name]
    return "".join(f"load_module {file};" for file in files) if all(f.exists() for f in files) else None


@asynccontextmanager
async def fronted(
    folder: Path, *, part_ms: int = 333, seconds: float = 60.0, exact: bool = False
) -> AsyncIterator[Front]:
    """nginx in front of an origin whose feed runs so long."""
    origin = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.cdn.origin", str(part_ms), str(seconds),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert origin.stdout is not None
        async with asyncio.timeout(SECONDS):
            port = int(await origin.stdout.readline())
        front = Front(free_port(), free_port(), port, folder)
        await certificate(folder)
        file = configured(folder, front, exact=exact, modules=(lua_modules() or "") if exact else "")
        await _run(NGINX, "-p", str(folder), "-c", str(file))  # returns when it listens
        try:
            await playable(front)
            yield front
        finally:
            await _run(NGINX, "-p", str(folder), "-c", str(file), "-s", "stop")
    finally:
        if origin.returncode is None:
            origin.kill()
        await origin.wait()


async def playable(front: Front) -> None:
    """Wait until the show can be watched."""
    async with asyncio.timeout(SECONDS), httpx.AsyncClient(timeout=SECONDS) as http:
        while True:
            answer = await http.get(f"http://127.0.0.1:{front.origin}/live/evening/source/live.m3u8")
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.1)


async def certificate(folder: Path) -> None:
    """One for the test's host name."""
    await _run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-subj", "/CN=live.example.com", "-addext", "subjectAltName=DNS:live.example.com", "-days", "2",
        "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"),
    )  # fmt: skip


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(SECONDS):
        _, wrong = await process.communicate()
    assert process.returncode == 0, wrong.decode()
