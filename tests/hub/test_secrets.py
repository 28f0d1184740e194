"""Sealed things open only with the right key; fingerprints find without telling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hub.secrets import Vault

VAULT = Vault(SecretStr("one master key"))


@given(st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    assert VAULT.open(VAULT.seal(text)) == text


def test_another_key_opens_nothing() -> None:
    sealed = VAULT.seal("token")
    with pytest.raises(ValueError, match="another SIMULCAST_SECRET_KEY"):
        Vault(SecretStr("another")).open(sealed)
    with pytest.raises(ValueError, match="another SIMULCAST_SECRET_KEY"):
        VAULT.open(sealed[:-2] + b"xx")


def test_fingerprints_depend_on_the_installation() -> None:
    assert VAULT.fingerprint("a@b.c") == VAULT.fingerprint("a@b.c")
    assert VAULT.fingerprint("a@b.c") != Vault(SecretStr("another")).fingerprint("a@b.c")
    assert VAULT.signing_key("viewer") != VAULT.signing_key("staff")
