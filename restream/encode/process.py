"""The only place in restream that starts a process: ffmpeg children that die with us.

A child is fed and read through pipes, so nothing of it has an address on the network, and whoever kills
the worker ends its children too.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import imageio_ffmpeg

PR_SET_PDEATHSIG: Final = 1
PATIENCE: Final = 2.0
"""Seconds between asking a child to end and killing it."""
GOODBYE: Final = 0.5
"""The same for one that waits for the network and so does not hear that it should end."""
LINES_KEPT: Final = 20
LONGEST_LINE: Final = 400
READ: Final = 64 << 10


class Child:
    """One running ffmpeg. `feed` never blocks: `waiting` says how much it has not taken yet."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, secrets: Sequence[str]) -> None:
        self.name = name
        self._process = process
        self._secrets = [secret for secret in secrets if secret]
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._listening = asyncio.create_task(self._listen(), name=f"stderr of {name}")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    @property
    def waiting(self) -> int:
        """Bytes fed that it has not taken yet."""
        pipe = self._process.stdin
        return pipe.transport.get_write_buffer_size() if pipe else 0

    def feed(self, data: bytes) -> None:
        """Write to its standard input; what a dead child is told is lost."""
        pipe = self._process.stdin
        if pipe and not pipe.is_closing():
            pipe.write(data)

    def finish(self) -> None:
        """Close its standard input: it writes what it has and ends."""
        if self._process.stdin:
            self._process.stdin.close()

    async def read(self, size: int = READ) -> bytes:
        """Some bytes of its standard output; empty when it has closed it."""
        if self._process.stdout is None:
            return b""
        return await self._process.stdout.read(size)

    async def wait(self) -> int:
        """Its exit code, when it has one."""
        return await self._process.wait()

    async def stop(self, patience: float = PATIENCE) -> None:
        """End it; harmless when it is gone. Takes `patience` seconds at most, then kills."""
        # asyncio tells of an end only after the pipes were read to theirs: what is in them is read away,
        # or a child that had filled its output would be waited for in vain.
        reading = asyncio.create_task(self._read_away())
        await self._end(patience)
        await reading
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _end(self, patience: float) -> None:
        if self.running:
            self.finish()
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(patience):
                    await self._process.wait()
            except TimeoutError:
                self.kill()
                await self._process.wait()

    async def _read_away(self) -> None:
        with contextlib.suppress(RuntimeError):  # somebody else is reading it to the end
            while await self.read():
                pass

    def kill(self) -> None:
        """kill -9."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def last_words(self) -> str:
        """The end of what it complained about, without the secrets it was started with."""
        return "\n".join(self._lines)

    async def _listen(self) -> None:
        pipe = self._process.stderr
        while pipe:
            try:
                line = await pipe.readline()
            except ValueError:
                continue  # a line longer than the reader's limit is nobody's loss
            if not line:
                return
            said = line.decode(errors="replace").strip()
            for secret in self._secrets:
                said = said.replace(secret, "…")
            if said:
                self._lines.append(said[:LONGEST_LINE])


async def start(
    name: str,
    argv: Sequence[str],
    *,
    fed: bool = False,
    read: bool = False,
    nice: int = 0,
    secrets: Sequence[str] = (),
    pass_fds: Sequence[int] = (),
) -> Child:
    """Run `argv` (which begins with a program); `fed` and `read` say which pipes it has.

    `secrets` are kept out of what is remembered of its complaints. Raises OSError when it can't be started.
    """
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=pipe if fed else nothing,
        stdout=pipe if read else nothing,
        stderr=pipe,
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=_prepare(nice),
    )
    return Child(name, process, secrets)


def ffmpeg_binary() -> str:
    """The ffmpeg to use: FFMPEG, or the one from PyPI."""
    return os.environ.get("FFMPEG") or imageio_ffmpeg.get_ffmpeg_exe()


def _prepare(nice: int) -> Callable[[], None]:
    """What the child does before it becomes ffmpeg. The library is loaded here: not between fork and exec."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        if hasattr(libc, "prctl"):
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if nice:
            os.nice(nice)

    return prepare
