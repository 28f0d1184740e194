"""The embedded engines keep their data, survive accidents, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import nats
import pytest

from hub.engines import process
from hub.engines.nats import free_port, start_nats
from hub.engines.postgres import Postgres, socket_folder
from hub.engines.supervisor import Service, Supervisor


async def test_postgres_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path)
    for expected in (None, "kept"):
        child = await postgres.start()
        connection = await asyncpg.connect(postgres.url)
        if expected is None:
            await connection.execute("CREATE TABLE note (text text); INSERT INTO note VALUES ('kept')")
        else:
            assert await connection.fetchval("SELECT text FROM note") == expected
        await connection.close()
        await child.stop()


async def test_postgres_starts_again_after_its_parent_was_killed(tmp_path: Path) -> None:
    """kill -9 of the process that started it: the server goes, and the next start finds all in order."""
    script = (
        "import asyncio, pathlib, sys\n"
        "from hub.engines.postgres import Postgres\n"
        "async def main():\n"
        "    await Postgres(pathlib.Path(sys.argv[1])).start()\n"
        "    print('up', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-c", script, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    assert await parent.stdout.readline() == b"up\n"
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    postgres = Postgres(tmp_path)
    child = await postgres.start()
    connection = await asyncpg.connect(postgres.url)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    await child.stop()


async def test_a_stale_number_of_a_process_costs_nobody_their_life(tmp_path: Path) -> None:
    """After a reboot the server's old number may belong to anybody."""
    postgres = Postgres(tmp_path)
    await (await postgres.start()).stop()
    bystander = await asyncio.create_subprocess_exec("sleep", "60")
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{bystander.pid}\n{tmp_path / 'postgres'}\n0\n0\n")
    child = await postgres.start()
    assert child.running
    assert bystander.returncode is None
    await child.stop()
    bystander.kill()
    await bystander.wait()


async def test_nats_says_why_it_does_not_start(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "jetstream").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="NATS did not start"):
        await start_nats(tmp_path, free_port())
    taken.close()
    assert port


async def test_a_killed_engine_comes_back_by_itself(tmp_path: Path) -> None:
    port = free_port()
    async with Supervisor() as supervisor:
        child = await supervisor.add(Service("nats", lambda: start_nats(tmp_path, port)))
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
        async with asyncio.timeout(20):
            client = await nats.connect(f"nats://127.0.0.1:{port}", max_reconnect_attempts=-1)
            assert client.is_connected
            await client.close()
        assert supervisor.child("nats").pid != child.pid
        last = supervisor.child("nats")
    assert not last.running


async def test_a_child_that_ignores_us_is_killed(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\n"
        "while True: time.sleep(1)"
    )
    child = await process.start("stubborn", [sys.executable, "-c", stubborn], log=tmp_path / "log")
    async with asyncio.timeout(10):
        while "up" not in child.last_words():
            await asyncio.sleep(0.02)  # a log file tells nobody when it grows
    await child.stop(patience=0.2)
    assert not child.running


def test_a_deep_data_folder_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    assert len(str(socket_folder(deep))) < 100
    assert socket_folder(deep) != socket_folder(deep / "other")
