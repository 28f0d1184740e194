"""No token passes that the show's own key has not signed for this show: whatever is done to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from restream.playback.doorkeeper import LEEWAY
from restream.playback.tokens import BadToken, Keyring
from tests.restream.playback.passes import NOW, Signer, Theatre

INDEX = "/live/evening/index.m3u8"
OURS = Signer()
CLAIMS = jwt.decode(OURS.token(), options={"verify_signature": False})
TEXT = st.text(st.characters(codec="ascii"), max_size=40)


def theatre() -> Theatre:
    made = Theatre()
    made.show("evening", OURS)
    return made


def piece(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_the_real_one_passes() -> None:
    assert theatre().ask(INDEX, OURS.token()) == 200


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), letter=st.sampled_from("ABCxyz019-_."))
def test_an_altered_token_never_passes(at: int, letter: str) -> None:
    token = OURS.token()
    at %= len(token)
    altered = token[:at] + letter + token[at + 1 :]
    if decoded(altered) == decoded(token):
        return  # the last letter of a piece has bits that mean nothing
    assert theatre().ask(INDEX, altered) == 401


def decoded(token: str) -> list[bytes] | None:
    try:
        return [base64.urlsafe_b64decode(f"{piece}==") for piece in token.split(".")]
    except ValueError:
        return None


@settings(max_examples=100, deadline=None)
@given(show=TEXT, audience=TEXT, issuer=TEXT)
def test_a_token_for_something_else_never_passes(show: str, audience: str, issuer: str) -> None:
    for name, value, right in (
        ("sub", show, "evening"),
        ("aud", audience, "playback"),
        ("iss", issuer, "simulcast"),
    ):
        if value != right:
            assert theatre().ask(INDEX, OURS.token(**{name: value})) == 401


@settings(max_examples=100, deadline=None)
@given(ago=st.floats(LEEWAY, 1e9))
def test_an_expired_token_never_passes(ago: float) -> None:
    assert theatre().ask(INDEX, OURS.token(exp=NOW - ago)) == 401


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "exp", "iat", "jti"])
def test_a_token_without_a_claim_never_passes(name: str) -> None:
    assert theatre().ask(INDEX, OURS.token(**{name: None})) == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": "soon"},
        {"exp": [1]},
        {"ip": "nowhere"},
        {"ip": "10.0.0.1/8"},
        {"ip": {}},
        {"aud": ["access"]},
    ],
)
def test_claims_that_make_no_sense_never_pass(claims: dict[str, Any]) -> None:
    header = {"alg": "EdDSA", "typ": "JWT", "kid": OURS.name}
    signed = f"{piece(header)}.{piece({**CLAIMS, **claims})}"
    signature = base64.urlsafe_b64encode(OURS.private.sign(signed.encode())).rstrip(b"=").decode()
    assert theatre().ask(INDEX, f"{signed}.{signature}") == 401


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "EdDSA"])
def test_an_unsigned_token_never_passes(algorithm: str) -> None:
    header = {"alg": algorithm, "typ": "JWT", "kid": OURS.name}
    for signature in ("", "AA"):
        assert theatre().ask(INDEX, f"{piece(header)}.{piece(CLAIMS)}.{signature}") == 401


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_password(algorithm: str) -> None:
    """A verifier that lets the token choose its algorithm takes the public key for a shared secret."""
    header = {"alg": algorithm, "typ": "JWT", "kid": OURS.name}
    signed = f"{piece(header)}.{piece(CLAIMS)}"
    digest = getattr(hashlib, f"sha{algorithm[2:]}")
    for secret in (OURS.raw, OURS.public.public_key.encode()):
        signature = hmac.new(secret, signed.encode(), digest).digest()
        token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        assert theatre().ask(INDEX, token) == 401


def test_other_keys_never_pass_whatever_they_are_called() -> None:
    header = {"kid": OURS.name}
    for stranger in (
        Signer(OURS.name).token(),
        Signer("unknown").token(),
        jwt.encode(CLAIMS, Ed448PrivateKey.generate(), "EdDSA", headers=header),
        jwt.encode(CLAIMS, generate_private_key(SECP256R1()), "ES256", headers=header),
        jwt.encode(CLAIMS, OURS.private, "EdDSA"),  # without the name of its key
        jwt.encode(CLAIMS, OURS.private, "EdDSA", headers={"kid": OURS.name, "crit": ["exp"], "exp": 1}),
    ):
        assert theatre().ask(INDEX, stranger) == 401


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_whatever_comes_as_a_token_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BadToken):
        Keyring([OURS.public]).verify(text)


def test_a_token_longer_than_any_of_ours_is_not_even_looked_at() -> None:
    long = OURS.token(jti="x" * 3000)
    assert theatre().ask(INDEX, long) == 401
    with pytest.raises(BadToken):
        Keyring([OURS.public]).verify(long)


def test_a_worker_whose_shows_are_public_loads_no_cryptography() -> None:
    script = (
        "import sys, restream.main; print([one for one in ('jwt', 'cryptography') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
