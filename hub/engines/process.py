"""The only place in the hub that starts processes: children that die with us and stop politely."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


class Child:
    """One running child. Its output goes to `log`; `stop` asks first and kills after `patience` seconds."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path, stop_signal: int) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._stop_signal = stop_signal

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit code, when it has one."""
        return await self._process.wait()

    def kill(self) -> None:
        """kill -9, as an accident would."""
        self._process.kill()

    async def stop(self, patience: float = 10.0) -> None:
        """Stop it; harmless when it is gone."""
        if not self.running:
            return
        self._process.send_signal(self._stop_signal)
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


async def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
    stop_signal: int = signal.SIGTERM,
) -> Child:
    """Start a child in its own process group (a Ctrl-C in the terminal reaches only us)."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(env) if env is not None else None,
            user=user,
            start_new_session=True,
            preexec_fn=dies_with_parent(stop_signal),
        )
    return Child(name, process, log, stop_signal)


async def run(argv: Sequence[str | Path], *, user: int | None = None, timeout: float = 60.0) -> str:
    """Run a short command to its end and return its output; raises OSError with the output if it fails."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        user=user,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    async with asyncio.timeout(timeout):
        output, _ = await process.communicate()
    if process.returncode != 0:
        raise OSError(f"{Path(argv[0]).name} failed: {output.decode(errors='replace').strip()}")
    return output.decode(errors="replace")


def dies_with_parent(stop_signal: int) -> Callable[[], None]:
    """Linux: the kernel sends `stop_signal` to the child when we die, even by kill -9."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # died between fork and prctl
            os._exit(1)

    return prepare


async def open_input(argv: Sequence[str | Path]) -> asyncio.subprocess.Process:
    """Start a process that is fed through its standard input; it ends when the input is closed."""
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGINT),
        limit=1 << 16,
    )


async def run_for_bytes(argv: Sequence[str | Path], timeout: float = 60.0) -> bytes:
    """Run a short command and return the bytes it wrote; raises OSError with its complaint."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    async with asyncio.timeout(timeout):
        output, complaint = await process.communicate()
    if process.returncode != 0:
        raise OSError(f"{Path(argv[0]).name} failed: {complaint.decode(errors='replace').strip()}")
    return output
