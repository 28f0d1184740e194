"""What is special about CloudFront: its signatures, its caller references, its way of saying no."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.cloudfront import CONNECTOR
from connectors.cloudfront.delivery import MOST_PATHS, CloudFrontDelivery, classify
from connectors.cloudfront.signature import Credentials, signature_of, signed
from connectors.errors import Reconnect, Refused, RetryLater
from tests.connectors.conftest import Rig, make_fake, reaching

STAMP = "20150830T123600Z"
EXAMPLE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", service="service")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """CloudFront as we reach it."""
    async with reaching(CONNECTOR, make_fake("cloudfront")) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ],
)
def test_requests_are_signed_as_in_the_published_test_suite(method: str, signature: str) -> None:
    # AWS's Signature Version 4 test suite: get-vanilla, post-vanilla.
    fields = {"host": "example.amazonaws.com", "x-amz-date": STAMP}
    assert signature_of(EXAMPLE, method, "/", fields, b"")[0] == signature


def test_the_header_names_what_was_signed() -> None:
    at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    told = signed(EXAMPLE, "GET", "/", {"Host": "example.amazonaws.com"}, b"", at)
    assert told["X-Amz-Date"] == STAMP
    assert told["Authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5fa00fa3"
    )
    assert EXAMPLE.secret_key not in repr(EXAMPLE)


async def test_everything_below_a_show_is_named_by_a_star(rig: Rig) -> None:
    await CloudFrontDelivery(rig.session).purge(["/live/evening/", "/live/é&<.mp4"], key="k")
    assert (await rig.state())["purged"] == ["/live/%C3%A9%26%3C.mp4", "/live/evening/*"]


async def test_a_repeat_is_answered_with_the_first_invalidation(rig: Rig) -> None:
    delivery = CloudFrontDelivery(rig.session)
    first = await delivery.purge(["/live/a/"], key="k1")
    assert await delivery.purge(["/live/a/"], key="k1") == first
    assert await delivery.purge(["/live/a/"], key="k2") != first
    with pytest.raises(Refused, match="other addresses"):
        await delivery.purge(["/live/b/"], key="k1")


async def test_very_many_addresses_are_several_invalidations_that_may_be_repeated(rig: Rig) -> None:
    delivery = CloudFrontDelivery(rig.session)
    paths = [f"/live/a/{number}.mp4" for number in range(2 * MOST_PATHS + 1)]
    references = await delivery.purge(paths, key="k")
    assert len(references.split(",")) == 3
    assert await delivery.purge(paths, key="k") == references
    assert (await rig.state())["batches"] == 3


async def test_a_clock_that_is_wrong_is_said(rig: Rig) -> None:
    slow = CloudFrontDelivery(rig.session, now=lambda: datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(Reconnect, match="clock"):
        await slow.purge(["/live/a/"], key="k")


async def test_without_a_key_nothing_is_signed(rig: Rig) -> None:
    for change in ({"key_pair_id": ""}, {"private_key_secret": SecretStr("no key")}):
        config = rig.session.config.model_copy(update=change)
        delivery = CloudFrontDelivery(CONNECTOR.session(rig.session.http, config, rig.addresses))
        with pytest.raises(Refused, match="cannot be signed"):
            delivery.sign("https://cdn.example.com/live/a/*", datetime.now(UTC))


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", Reconnect),
        (400, "TooManyInvalidationsInProgress", RetryLater),
        (400, "Throttling", RetryLater),
        (404, "NoSuchDistribution", Refused),
    ],
)
def test_every_no_has_its_meaning(status: int, code: str, error: type[Exception]) -> None:
    body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()
    assert isinstance(classify(status, {}, body), error)
    assert classify(200, {}, body) is None
