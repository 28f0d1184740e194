"""Finding one person, and only them, in what platforms and people write."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote_plus
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.privacy.who import Who
from hub.webhooks.personal import finder

ANA = Who(
    brand_id=uuid4(),
    customer_ids=(uuid4(),),
    visitor_ids=("v1",),
    hashes=("h1",),
    authors=(("tiktok", "7712345"), ("own", "v1")),
    emails=("Zoë.Ana@example.com",),
    phones=("+491701234567",),
    names=("Ana",),
    order_ids=(uuid4(),),
    order_refs=("10012",),
)


@pytest.mark.parametrize(
    ("body", "theirs"),
    [
        (json.dumps({"email": "zoë.ana@EXAMPLE.com"}).encode(), True),
        (json.dumps({"email": "zoë.ana@example.com"}, ensure_ascii=False).encode(), True),
        (f"mail={quote_plus('Zoë.Ana@example.com')}&x=1".encode(), True),
        (f"to={quote_plus('+491701234567')}".encode(), True),
        (json.dumps({"address1": "Großer Weg 7"}).encode(), False),
        (b'{"id": 10012}', True),
        (b'{"id": 100123}', False),
        (b'{"user": "7712345"}', True),
        (b'{"name": "Ana"}', False),
        (b"\xff\x00\xfe", False),
        (b"", False),
    ],
)
def test_a_body_is_theirs_if_it_holds_what_only_they_have(body: bytes, *, theirs: bool) -> None:
    assert finder(ANA)(body) is theirs


@given(st.binary(max_size=300))
def test_any_bytes_can_be_looked_at(body: bytes) -> None:
    assert finder(Who(brand_id=uuid4()))(body) is False
    assert finder(ANA)(body) in (True, False)


def test_who_is_kept_whole_and_shows_nothing() -> None:
    again = Who.loaded(ANA.dumped(), Path("data"), bytes.decode)
    assert again == ANA
    assert repr(ANA) == f"Who(brand_id={ANA.brand_id!r})"
