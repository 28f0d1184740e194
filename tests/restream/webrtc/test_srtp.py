"""What we seal, opened by libsrtp; and DTLS between two of ours."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pylibsrtp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restream.webrtc.dtls import Dtls, Identity
from restream.webrtc.srtp import (
    GCM_128,
    HEADER,
    PROFILES,
    BrokenSrtp,
    Control,
    Keys,
    Profile,
    derived,
    sealer,
)

SOURCE = 0x12345678
HINT = b"\xbe\xde\x00\x01\x62\x00\x00\x00"


def keys(profile: Profile) -> Keys:
    """For one direction and the other."""
    size = profile.key + profile.salt
    return Keys(profile, os.urandom(size), os.urandom(size))


def receiver(known: Keys) -> pylibsrtp.Session:
    """libsrtp at the other end."""
    kind = pylibsrtp.Policy.SSRC_ANY_INBOUND
    return pylibsrtp.Session(
        pylibsrtp.Policy(key=known.ours, ssrc_type=kind, srtp_profile=known.profile.number)
    )


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name.decode())
def test_libsrtp_opens_what_we_seal_beyond_the_first_rollover(profile: Profile) -> None:
    known = keys(profile)
    ours, theirs = sealer(known), receiver(known)
    for index in range(65_400, 65_700):
        header, payload = HEADER.pack(0x80, 96, index & 0xFFFF, index, SOURCE), os.urandom(index % 1200)
        # By itself or among others; with a header extension, which stays readable, or without.
        header = header if index % 3 else HEADER.pack(0x90, 96, index & 0xFFFF, index, SOURCE) + HINT
        alone = index % 2 == 0
        packet = ours.seal_one(header, index, SOURCE, payload) if alone else b""
        packet = packet or ours.seal([header], index, SOURCE, [payload])[0]
        assert len(packet) == len(header) + len(payload) + ours.tag
        assert theirs.unprotect(packet) == header + payload


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.name.decode())
def test_a_packet_that_is_sealed_again_is_the_same(profile: Profile) -> None:
    ours = sealer(keys(profile))
    first, *_, again = (
        ours.seal([HEADER.pack(0x80, 96, index, 7, SOURCE)], index, SOURCE, [b"picture"])
        for index in (*range(1, 3000), 1)
    )
    assert first == again


def test_keys_are_derived_as_the_standard_shows() -> None:
    # RFC 3711, appendix B.3.
    key, salt = (
        bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6"),
    )
    assert derived(key, salt, 0, 16) == bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087")
    assert derived(key, salt, 2, 14) == bytes.fromhex("30CBBC08863D8C85D49DB34A9AE1")


@given(st.binary(max_size=80))
def test_control_packets_of_strangers_are_refused(junk: bytes) -> None:
    with pytest.raises(BrokenSrtp):
        Control(Keys(GCM_128, bytes(28), bytes(range(28)))).open(junk)


def connected(
    ours: Identity, theirs: Identity, *, active: bool, expected: str, lose: Callable[[int], bool]
) -> tuple[Dtls, Dtls]:
    """Two ends, through a wire that loses what `lose` says (given the number of the datagram)."""
    wire: list[tuple[int, bytes]] = []
    count = 0

    def put(to: int, data: bytes) -> None:
        nonlocal count
        count += 1
        assert len(data) <= 1200
        if not lose(count):
            wire.append((to, data))

    ends = [
        Dtls(ours, [("sha-256", expected)], lambda data: put(1, data), active=active),
        Dtls(theirs, [("sha-256", ours.fingerprint)], lambda data: put(0, data), active=not active),
    ]
    for end in ends:
        end.start()
    for _ in range(40):
        while wire:
            to, data = wire.pop(0)
            ends[to].receive(data)
        if all(end.state != "new" for end in ends):
            break
        # OpenSSL has its own clock for this, and begins at a second.
        time.sleep(min((wait for end in ends if (wait := end.timeout()) is not None), default=0.05))
        for end in ends:
            end.tick()
    return ends[0], ends[1]


@pytest.mark.parametrize("active", [False, True])
def test_both_ends_agree_upon_the_same_keys(active: bool) -> None:
    ours, theirs = Identity(), Identity()
    one, other = connected(
        ours, theirs, active=active, expected=theirs.fingerprint, lose=lambda number: False
    )
    assert one.state == other.state == "connected"
    assert one.keys
    assert other.keys
    assert one.keys.profile is GCM_128
    assert (one.keys.ours, one.keys.theirs) == (other.keys.theirs, other.keys.ours)
    assert one.keys.ours != one.keys.theirs


def test_a_goodbye_is_heard() -> None:
    ours, theirs = Identity(), Identity()
    heard: list[bytes] = []
    one, other = connected(ours, theirs, active=False, expected=theirs.fingerprint, lose=lambda number: False)
    other._send = heard.append
    other.close()
    for data in heard:
        one.receive(data)
    assert one.state == "closed"


def test_a_certificate_that_was_not_offered_is_refused() -> None:
    one, _ = connected(
        Identity(), Identity(), active=False, expected=Identity().fingerprint, lose=lambda number: False
    )
    assert one.state == "failed"
    assert one.keys is None


def test_a_handshake_survives_lost_datagrams() -> None:
    ours, theirs = Identity(), Identity()
    lost = {1, 4}
    one, other = connected(
        ours, theirs, active=False, expected=theirs.fingerprint, lose=lambda number: number in lost
    )
    assert one.state == other.state == "connected"


@given(st.binary(max_size=100))
def test_junk_is_no_handshake(junk: bytes) -> None:
    end = Dtls(Identity(), [("sha-256", "AA")], lambda data: None, active=False)
    end.receive(b"\x16" + junk)
    assert end.keys is None
