"""What the doctor says of settings, before anything is started."""

from __future__ import annotations

import pytest

from hub.doctor import proxies


def test_the_proxies_that_are_believed_are_named() -> None:
    found = proxies("127.0.0.1, 2606:4700::/32")
    assert found.ok
    assert "from 127.0.0.1, 2606:4700::/32." in found.detail
    assert "from nobody." in proxies("").detail


@pytest.mark.parametrize("wrong", ["cloudflare.com", "10.0.0.5/8", "*"])
def test_what_is_no_address_and_no_network_is_said(wrong: str) -> None:
    found = proxies(f"127.0.0.1,{wrong}")
    assert not found.ok
    assert found.detail.startswith(f"{wrong}: ")
