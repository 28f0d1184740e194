"""STUN, read and written against aioice's."""

from __future__ import annotations

import pytest
from aioice import stun as theirs
from hypothesis import given
from hypothesis import strategies as st

from restream.webrtc import stun

PASSWORD = "p" * 24


def request(*, password: str = PASSWORD, nominates: bool = True, controlled: bool = False) -> bytes:
    """A binding request as a peer sends it."""
    message = theirs.Message(message_method=theirs.Method.BINDING, message_class=theirs.Class.REQUEST)
    message.attributes["USERNAME"] = "ours:theirs"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = 7
    if nominates:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    return bytes(message)


def test_a_request_is_understood_and_its_signature_checked() -> None:
    found = stun.read_request(request())
    assert found
    assert found.username == "ours:theirs"
    assert found.nominates
    assert not found.controlled
    assert found.genuine(PASSWORD)
    assert not found.genuine("another")
    damaged = bytearray(request())
    damaged[30] ^= 1
    again = stun.read_request(bytes(damaged))
    assert again is None or not again.genuine(PASSWORD)


def test_a_role_conflict_is_noticed() -> None:
    found = stun.read_request(request(controlled=True, nominates=False))
    assert found
    assert found.controlled
    assert not found.nominates


@pytest.mark.parametrize("address", [("192.0.2.7", 50_000), ("2001:db8::5", 9)])
def test_an_answer_says_where_the_request_came_from(address: tuple[str, int]) -> None:
    transaction = b"t" * 12
    data = stun.success(transaction, address, PASSWORD)
    found = theirs.parse_message(data)
    assert found.check_message_integrity(PASSWORD.encode())
    assert found.message_class == theirs.Class.RESPONSE
    assert found.transaction_id == transaction
    assert found.attributes["XOR-MAPPED-ADDRESS"] == address
    assert "FINGERPRINT" in found.attributes


def test_a_refusal_is_understood() -> None:
    data = stun.failure(b"t" * 12, stun.ROLE_CONFLICT, PASSWORD)
    found = theirs.parse_message(data)
    assert found.check_message_integrity(PASSWORD.encode())
    assert found.message_class == theirs.Class.ERROR
    assert found.attributes["ERROR-CODE"] == (487, "Role Conflict")


@given(st.binary(max_size=120))
def test_junk_is_no_request(junk: bytes) -> None:
    found = stun.read_request(junk)
    assert found is None or not found.genuine(PASSWORD)
    stun.is_stun(junk)


@given(st.integers(0, 100), st.binary(min_size=1, max_size=4))
def test_a_damaged_request_never_crashes(at: int, put: bytes) -> None:
    data = bytearray(request())
    data[at : at + len(put)] = put
    stun.read_request(bytes(data))
