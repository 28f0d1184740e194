"""`simulcast up` refuses in one sentence what it cannot do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hub.engines.nats import free_port
from hub.engines.ready import disk_problem
from hub.settings import Settings, secrets_of
from hub.up import CannotStart, check_machine, only_one


def settings_with_free_ports(data: Path) -> Settings:
    ports = {name: free_port() for name in Settings.model_fields if name.endswith("_port")}
    return Settings.model_validate({"data": data, **ports})


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    settings = settings_with_free_ports(tmp_path)
    named = rf"{settings.rtmp_port} \(SIMULCAST_RTMP_PORT\)"
    taken = socket.create_server(("127.0.0.1", settings.rtmp_port))
    with taken, pytest.raises(CannotStart, match=named):
        check_machine(settings)
    check_machine(settings)


def test_a_taken_udp_port_is_found_too(tmp_path: Path) -> None:
    settings = settings_with_free_ports(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", settings.srt_port))
        with pytest.raises(CannotStart, match="SIMULCAST_SRT_PORT"):
            check_machine(settings)
    check_machine(settings)


def test_an_address_of_another_machine_is_told_once(tmp_path: Path) -> None:
    settings = settings_with_free_ports(tmp_path).model_copy(update={"bind": "192.0.2.1"})
    with pytest.raises(CannotStart) as refused:
        check_machine(settings)
    assert str(refused.value) == "192.0.2.1 (SIMULCAST_BIND) is not an address of this machine."


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    assert disk_problem(tmp_path / "not" / "there", needed=1) is None
    problem = disk_problem(tmp_path / "not" / "there", needed=1 << 60)
    assert problem
    assert "SIMULCAST_DATA" in problem


def test_an_empty_setting_is_no_setting(tmp_path: Path) -> None:
    script = "from hub.settings import Settings; print(Settings().database_url)"
    environ = {**os.environ, "DATABASE_URL": "", "SIMULCAST_HTTP_PORT": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "None\n"


def test_two_on_one_data_folder_are_refused(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(CannotStart, match="already running"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


def test_secrets_are_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    settings = settings_with_free_ports(tmp_path)
    first = secrets_of(settings)
    assert secrets_of(settings) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    assert first.secret_key.get_secret_value() not in repr(first)
