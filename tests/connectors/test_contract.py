"""What the hub relies on, asked of every connector folder there is, each against its own fake.

Nothing is registered here: a new folder is found by itself. A question that a connector has no capability
for, or its fake no means to answer, is skipped by name, so that the gaps are visible. This file asks what can
be asked without a platform; `test_contract_*.py` ask the rest.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from connectors.base import AnyConnector, Moderation
from connectors.errors import Refused
from connectors.types import Webhook
from tests.connectors.conftest import NAMES, ROOT, make_fake

NO_NETWORK = """
import sys
def hook(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen"}:
        raise SystemExit(f"{event} while loading")
sys.addaudithook(hook)
import connectors
print(*sorted(connectors.load()))
"""
SENTENCE = r"[A-Z].{10,}[.!]"
EXPLAINED = frozenset(
    {"destination", "planner", "metadata", "audience", "health"}
    | {"chat_source", "chat_sink", "replier", "private_replier", "announcer", "moderation"}
    | {f"moderation.{field.name}" for field in fields(Moderation)}
)
"""What a brand may miss, and `gaps` may explain."""
SHOP = frozenset(
    {"catalog_source", "order_source", "order_sink", "stock_sink", "stock_source", "subscriptions"}
)
"""What a shop may lack, which nobody would expect of a stream."""


def test_all_load_without_network_under_their_folder_name() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", NO_NETWORK], capture_output=True, text=True, timeout=60, cwd=ROOT.parent
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == [name for name in NAMES if not name.startswith("_")]


def test_every_config_field_has_a_title_and_a_help_text(connector: AnyConnector) -> None:
    fields = connector.config.model_fields
    assert [name for name, info in fields.items() if not (info.title and info.description)] == []


def test_a_login_that_can_be_renewed_can_be_entered(connector: AnyConnector) -> None:
    if connector.oauth:
        assert connector.token_help
        assert re.match(r"[A-Z].{10,}\.", connector.token_help)


def test_secrets_are_secret_in_the_config(connector: AnyConnector) -> None:
    schema = connector.config.model_json_schema().get("properties", {})
    secret = {name: field for name, field in schema.items() if re.search("secret|password|token", name)}
    open_ones = [name for name, field in secret.items() if '"password"' not in json.dumps(field)]
    assert open_ones == []


def test_the_default_addresses_are_the_real_platforms(connector: AnyConnector) -> None:
    given = connector.addresses
    for address in filter(None, (given.base_url, given.ws_url, given.ingest_url, given.consent_url)):
        assert address.startswith(("https://", "wss://", "rtmps://", "rtmp://"))


def test_every_sample_says_where_its_shape_comes_from(connector: AnyConnector) -> None:
    samples = sorted((ROOT / connector.name / "samples").glob("*.json"))
    assert samples
    for sample in samples:
        source = json.loads(sample.read_text())["_source"]
        assert len(source) > 10, sample.name


def test_the_readme_says_how_each_capability_was_verified(connector: AnyConnector) -> None:
    assert "how verified" in (ROOT / connector.name / "README.md").read_text().lower()


def test_only_what_is_missing_has_a_reason_and_it_is_a_sentence(connector: AnyConnector) -> None:
    assert set(connector.gaps) <= EXPLAINED | SHOP
    for gap, why in connector.gaps.items():
        name, _, verb = gap.partition(".")
        offered = getattr(connector, name)
        assert (getattr(offered, verb) if verb and offered else offered) is None, gap
        assert re.fullmatch(SENTENCE, why), gap


def test_whatever_a_brand_would_miss_is_explained(connector: AnyConnector) -> None:
    if connector.destination is None and connector.chat_source is None:
        pytest.skip("no show goes there")
    missing = {name for name in EXPLAINED if "." not in name and getattr(connector, name) is None}
    if verbs := connector.moderation:
        missing |= {f"moderation.{one.name}" for one in fields(verbs) if getattr(verbs, one.name) is None}
    assert missing - set(connector.gaps) == set()


def test_whatever_takes_words_says_how_many(connector: AnyConnector) -> None:
    answers = connector.replier or connector.private_replier
    assert connector.chat_limits or not (connector.chat_sink or answers or connector.announcer)
    assert connector.text_limits or not (connector.metadata or connector.planner)


def test_what_a_person_must_do_is_said_in_sentences(connector: AnyConnector) -> None:
    for sentence in filter(None, (connector.before_start, connector.after_end)):
        assert re.fullmatch(SENTENCE, sentence)


def test_limits_leave_room_for_something(connector: AnyConnector) -> None:
    chat, texts = connector.chat_limits, connector.text_limits
    if chat:
        assert min(chat.characters, chat.messages, chat.seconds) > 0
    if texts:
        given = (texts.title, texts.description, texts.tags, texts.thumbnail_bytes)
        assert all(limit is None or limit > 0 for limit in given)
    if connector.key_life:
        assert connector.key_life.total_seconds() > 0


@pytest.mark.needs("quota")
def test_a_quota_is_a_day_of_units_in_a_pot_that_is_no_secret(connector: AnyConnector) -> None:
    assert connector.quota is not None
    config, tokens = make_fake(connector.name).connection()
    quota = connector.quota(connector.config.model_validate(config))
    assert 0 <= quota.reserve < quota.units
    assert ZoneInfo(quota.zone)
    secret = {value for _, value in connector.config.model_validate(config) if isinstance(value, SecretStr)}
    secret |= {tokens.access} if tokens else set()
    assert quota.pot
    assert not any(value.get_secret_value() in quota.pot for value in secret if value.get_secret_value())


@pytest.mark.needs("consent")
def test_what_is_asked_for_before_a_person_allows_is_part_of_the_config(connector: AnyConnector) -> None:
    assert connector.consent is not None
    app = connector.consent.app.model_fields
    assert set(app) <= set(connector.config.model_fields)
    assert [name for name, info in app.items() if not (info.title and info.description)] == []
    assert connector.addresses.consent_url


@pytest.mark.needs("consent")
def test_every_scope_is_explained(connector: AnyConnector) -> None:
    assert connector.consent is not None
    permissions = connector.consent.permissions
    assert permissions
    assert len({permission.scope for permission in permissions}) == len(permissions)
    assert [one.scope for one in permissions if not re.fullmatch(SENTENCE, one.why)] == []


@pytest.mark.needs("webhooks")
def test_a_forged_or_altered_webhook_is_refused(connector: AnyConnector) -> None:
    assert connector.webhooks is not None
    config, _ = make_fake(connector.name).connection()
    webhooks = connector.webhooks(connector.config.model_validate(config))
    names = ("x-signature", "authorization", "stripe-signature", "x-shopify-hmac-sha256", "x-timestamp")
    for headers in ({}, dict.fromkeys(names, "t=1,v1=00"), dict.fromkeys(names, "é")):
        with pytest.raises(Refused):
            webhooks.verify(Webhook(headers=headers, body=b"{}", received_at=datetime.now(UTC)))
    for body in (b"", b"{", b"\xff", b"[]", b"null"):
        with pytest.raises(Refused):
            webhooks.parse(body)


@pytest.mark.needs("handshake")
@pytest.mark.parametrize("token", [None, "", "guessed", "é"])
def test_a_handshake_of_somebody_who_does_not_know_us_is_refused(
    connector: AnyConnector, token: str | None
) -> None:
    assert connector.handshake is not None
    config, _ = make_fake(connector.name).connection()
    query: dict[str, Any] = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "challenge": "1158201444",
    }
    if token is not None:
        query |= {"hub.verify_token": token, "verify_token": token}
    with pytest.raises(Refused):
        connector.handshake(connector.config.model_validate(config), query)
