"""Asked of every connector that is linked by pressing Allow: the way there, back, and out again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from pydantic import BaseModel

from connectors.base import Consent
from connectors.errors import Reconnect, Refused
from connectors.types import Account, Tokens
from tests.connectors.conftest import Rig
from tests.connectors.contract import probes

pytestmark = pytest.mark.needs("consent")

BACK = "http://127.0.0.1:9/connect/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Visitor:
    """A person with a browser, and the hub they come from."""

    rig: Rig
    consent: Consent
    app: BaseModel
    entered: dict[str, Any]

    @property
    def url(self) -> str:
        """Where they are sent."""
        return self.consent.url(
            self.app, self.rig.addresses, redirect_uri=BACK, state="state-1", challenge=CHALLENGE
        )

    async def go(self, url: str | None = None) -> httpx.Response:
        """Open the page; the answer as it is, not followed."""
        async with httpx.AsyncClient(timeout=10, verify=False) as browser:  # noqa: S501 - loopback
            return await browser.get(url or self.url)

    async def allowed(self) -> str:
        """The code of a press on Allow."""
        await self.answering("allow")
        return returned(await self.go())["code"]

    async def answering(self, answer: str, **more: Any) -> None:
        """What the person will do; skips where the fake has no page."""
        body = {"answer": answer, **more}
        if (await self.rig.control.post("/_ctl/consent", json=body)).status_code >= 400:
            pytest.skip("the fake has no consent page")

    async def exchange(self, code: str, *, verifier: str = VERIFIER, back: str = BACK) -> Tokens:
        """The login for a code."""
        return await self.consent.exchange(
            self.rig.plain, self.app, code=code, redirect_uri=back, verifier=verifier
        )

    async def accounts(self, tokens: Tokens) -> Sequence[Account]:
        """What the login reaches."""
        return await self.consent.accounts(self.rig.plain, self.app, tokens)

    async def revoke(self, tokens: Tokens) -> None:
        """Give it back."""
        await self.consent.revoke(self.rig.plain, self.app, tokens)


@pytest.fixture
def visitor(rig: Rig) -> Visitor:
    """Somebody who has entered what is asked about their app."""
    assert rig.connector.consent is not None
    consent = rig.connector.consent
    config, _ = rig.fake.connection()
    entered = {name: value for name, value in config.items() if name in consent.app.model_fields}
    return Visitor(rig, consent, consent.app.model_validate(entered), entered)


def returned(answer: httpx.Response) -> dict[str, str]:
    """The query the browser is sent back with."""
    assert answer.status_code == 302
    target = answer.headers["location"]
    assert target.startswith(f"{BACK}?")
    query = dict(parse_qsl(urlsplit(target).query))
    assert query["state"] == "state-1"
    return query


async def test_whoever_allows_it_is_linked_and_the_login_works(visitor: Visitor) -> None:
    tokens = await visitor.exchange(await visitor.allowed())
    assert tokens.access.get_secret_value() not in repr(tokens)
    accounts = await visitor.accounts(tokens)
    assert accounts
    for account in accounts:
        assert account.title
        async with visitor.rig.linked(
            {**visitor.entered, **account.config}, account.tokens or tokens
        ) as session:
            for probe in probes(visitor.rig.connector, session)[:1]:
                await probe()


async def test_every_page_or_channel_can_be_chosen(visitor: Visitor) -> None:
    await visitor.answering("allow", accounts=3)
    accounts = await visitor.accounts(await visitor.exchange(await visitor.allowed()))
    if len(accounts) == 1:
        pytest.skip("a login reaches one account here")
    assert len({account.id for account in accounts}) == 3
    assert len({str(account.config) for account in accounts}) == 3


async def test_the_scopes_that_are_asked_for_are_the_explained_ones(visitor: Visitor) -> None:
    query = parse_qs(urlsplit(visitor.url).query)
    asked = " ".join(query["scope"]).replace(",", " ").split()
    assert sorted(asked) == sorted(one.scope for one in visitor.consent.permissions)


async def test_whoever_denies_it_comes_back_without_a_code(visitor: Visitor) -> None:
    await visitor.answering("deny")
    back = returned(await visitor.go())
    assert "code" not in back
    assert back["error"] == "access_denied"


async def test_a_page_can_be_shown_that_asks(visitor: Visitor) -> None:
    await visitor.answering("ask")
    page = await visitor.go()
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    for word in ("<form", "Allow", "Deny"):
        assert word in page.text


async def test_a_code_works_once(visitor: Visitor) -> None:
    code = await visitor.allowed()
    await visitor.exchange(code)
    with pytest.raises(Refused):
        await visitor.exchange(code)


async def test_a_code_works_only_for_whoever_began(visitor: Visitor) -> None:
    # How the challenge is written is the platform's: one of them wants hexadecimal.
    if "code_challenge" not in parse_qs(urlsplit(visitor.url).query):
        pytest.skip("this platform has no PKCE")
    with pytest.raises(Refused):
        await visitor.exchange(await visitor.allowed(), verifier="w" * 43)


async def test_a_code_works_only_at_the_address_it_was_sent_to(visitor: Visitor) -> None:
    with pytest.raises(Refused):
        await visitor.exchange(await visitor.allowed(), back="http://127.0.0.1:9/elsewhere")


async def test_a_login_may_be_given_back_twice_and_is_dead(visitor: Visitor) -> None:
    tokens = await visitor.exchange(await visitor.allowed())
    (account, *_) = await visitor.accounts(tokens)
    await visitor.revoke(tokens)
    assert (await visitor.rig.state())["revoked"] is True
    await visitor.revoke(tokens)
    config = {**visitor.entered, **account.config}
    async with visitor.rig.linked(config, account.tokens or tokens) as session:
        for probe in probes(visitor.rig.connector, session)[:1]:
            with pytest.raises(Reconnect):
                await probe()
