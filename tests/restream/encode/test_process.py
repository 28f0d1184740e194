"""Children: fed, read, ended, and never outliving us."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from restream.encode import process
from restream.encode.inlet import Inlet
from tests.restream.encode.stage import until

ECHO = [sys.executable, "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(600)",
]


async def test_a_child_gives_back_what_it_was_fed() -> None:
    child = await process.start("echo", ECHO, fed=True, read=True)
    child.feed(b"abc" * 1000)
    child.finish()
    got = b""
    while data := await child.read():
        got += data
    assert got == b"abc" * 1000
    assert await child.wait() == 0
    await child.stop()


async def test_feeding_a_dead_child_does_no_harm() -> None:
    child = await process.start("dead", [sys.executable, "-c", ""], fed=True)
    await child.wait()
    for _ in range(100):
        child.feed(bytes(10_000))
        await asyncio.sleep(0)
    await child.stop()
    assert not child.running


async def test_a_child_that_does_not_listen_is_killed() -> None:
    child = await process.start("deaf", [DEAF[0], "-u", *DEAF[1:]], read=True)
    await child.read()  # it ignores SIGTERM from here on
    await child.stop(patience=0.05)
    assert not child.running
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_secrets_are_kept_out_of_what_it_said() -> None:
    line = [sys.executable, "-c", "import sys; sys.stderr.write('no route to rtmp://x/KEY-1\\n')"]
    child = await process.start("talks", line, secrets=["KEY-1", ""])
    await child.wait()
    await child.stop()
    assert child.last_words() == "no route to rtmp://x/…"


async def test_only_the_end_of_a_long_complaint_is_kept() -> None:
    script = "import sys\nfor n in range(1000): sys.stderr.write(f'{n} ' + 'x' * 1000 + '\\n')"
    child = await process.start("talks", [sys.executable, "-c", script])
    await child.wait()
    await child.stop()
    lines = child.last_words().splitlines()
    assert len(lines) == process.LINES_KEPT
    assert lines[-1].startswith("999 ")
    assert all(len(line) <= process.LONGEST_LINE for line in lines)


async def test_a_child_is_as_humble_as_it_was_asked_to_be() -> None:
    line = [sys.executable, "-c", "import os; print(os.nice(0))"]
    child = await process.start("nice", line, read=True, nice=5)
    assert int(await child.read()) == min(19, os.nice(0) + 5)
    await child.stop()


async def test_what_cannot_be_started_says_so() -> None:
    with pytest.raises(OSError, match="none"):
        await process.start("none", ["/none/such"])


async def test_a_child_dies_with_us(tmp_path: Path) -> None:
    """kill -9 of the worker leaves nothing running."""
    script = tmp_path / "worker.py"
    script.write_text(
        "import asyncio, os, signal, sys\n"
        "from restream.encode import process\n"
        "async def main():\n"
        "    child = await process.start('long', [sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    here = str(Path(process.__file__).parents[2])
    made = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(script)],
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": here},
        check=False,
    )
    pid = int(made.stdout)
    await until(lambda: _gone(pid), "the orphan's end")


def _gone(pid: int) -> bool:
    """No such process, or one that only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


async def test_an_inlet_is_one_more_way_in() -> None:
    async with await Inlet.open() as inlet:
        fd = inlet.fd
        line = [sys.executable, "-c", f"import os; print(len(open({fd}, 'rb').read()))"]
        child = await process.start("reads", line, read=True, pass_fds=[fd])
        inlet.handed_over()
        drained = asyncio.Event()
        inlet.on_drained(drained.set)
        inlet.feed(bytes(1_000_000))
        assert inlet.waiting > 0
        async with asyncio.timeout(60):
            await drained.wait()
        assert inlet.waiting == 0
        inlet.close()
        assert int(await child.read()) == 1_000_000
        await child.stop()


async def test_an_inlet_of_a_dead_child_is_closed_without_complaint() -> None:
    before = _descriptors()
    async with await Inlet.open() as inlet:
        child = await process.start("dead", [sys.executable, "-c", ""], pass_fds=[inlet.fd])
        inlet.handed_over()
        await child.wait()
        for _ in range(10):
            inlet.feed(bytes(1000))
            await asyncio.sleep(0)
        await child.stop()
    await asyncio.sleep(0)
    assert _descriptors() <= before


def _descriptors() -> set[int]:
    """Open in this process."""
    return {int(path.name) for path in Path("/proc/self/fd").iterdir()}
