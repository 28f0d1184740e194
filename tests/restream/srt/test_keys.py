"""SRT's key material: who can open it, and that the stream is sealed."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.srt import keys
from restream.srt.packets import BrokenSrt
from tests.restream.ingest.studio import key_material

SIZES = pytest.mark.parametrize("size", [16, 24, 32])


@SIZES
def test_only_the_right_passphrase_unlocks(size: int) -> None:
    material = key_material("correct horse", os.urandom(size))
    assert keys.unlocks("correct horse", material)
    assert not keys.unlocks("correct house", material)
    with pytest.raises(BrokenSrt):
        keys.unlocks("correct horse", material[:-1])


@SIZES
def test_what_we_lock_the_same_passphrase_unlocks(size: int) -> None:
    hidden = keys.secret("correct horse", os.urandom(size), os.urandom(16))
    assert keys.unlocks("correct horse", hidden.message)
    assert not keys.unlocks("correct house", hidden.message)


@given(st.binary(max_size=120))
def test_junk_for_key_material_unlocks_nothing(junk: bytes) -> None:
    with contextlib.suppress(BrokenSrt):
        assert not keys.unlocks("a passphrase", junk)


def test_the_same_bytes_are_never_sealed_alike_twice() -> None:
    hidden = keys.secret("a passphrase", bytes(16), bytes(16))
    sealed = [hidden.encrypt(sequence, bytes(100)) for sequence in range(50)]
    assert len(set(sealed)) == 50
    assert hidden.encrypt(3, sealed[3]) == bytes(100)
    assert b"passphrase" not in hidden.message


def test_a_secret_does_not_show_its_key_in_its_repr() -> None:
    key = b"sixteen letters!"
    assert "sixteen" not in repr(keys.secret("a passphrase", key, bytes(16)))
