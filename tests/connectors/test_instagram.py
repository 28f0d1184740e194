"""Instagram over real sockets: what a person brings, what is told, and what is not."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.instagram import CONNECTOR
from connectors.instagram.api import Api, App, Usage
from connectors.instagram.chat import InstagramChat
from connectors.instagram.comments import fragments_of, message
from connectors.instagram.destination import InstagramAudience, InstagramDestination
from connectors.instagram.errors import classify, graph_error
from connectors.instagram.fake import Fake
from connectors.instagram.oauth import InstagramConsent
from connectors.instagram.replies import InstagramReplier
from connectors.instagram.webhooks import InstagramWebhooks
from connectors.types import Audience, ChatDeletion, ChatMessage, ChatNews
from tests.connectors.conftest import Clock, Rig, next_message, reaching, serving
from tests.connectors.facebook import Door, next_deletion, next_health
from tests.connectors.test_instagram_nasty import SHOW, account, reading, say

SAMPLES = Path(__file__).parents[2] / "connectors" / "instagram" / "samples"
BACK = "http://127.0.0.1:9/connect/callback"
CONSENT = InstagramConsent()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


# --- streaming ------------------------------------------------------------------------------------


async def test_the_entered_key_is_handed_out_and_no_key_is_a_sentence(rig: Rig) -> None:
    made = await InstagramDestination(rig.session).open(SHOW)
    assert made.url == "rtmps://live-upload.instagram.com:443/rtmp"
    assert made.key.get_secret_value() == rig.fake.connection()[0]["key"]
    assert (made.backup, made.chat_ref) == (None, account(rig))
    assert made.watch_url == "https://www.instagram.com/shop/live/"
    config, tokens = rig.fake.connection()
    assert tokens is not None
    async with rig.linked({**config, "key": ""}, tokens) as session:
        with pytest.raises(Refused, match="Enter the stream key first"):
            await InstagramDestination(session).open(SHOW)


async def test_a_brand_that_brings_only_a_key_can_stream_and_is_told_what_nobody_knows() -> None:
    async with reaching(CONNECTOR, Fake(seed=3), tokens=lambda _: None) as rig:
        destination = InstagramDestination(rig.session)
        assert (await destination.open(SHOW)).chat_ref is None
        status = await destination.started("show-1")
        assert (status.state, status.receiving) == ("starting", None)
        assert "Look in Live Producer" in (status.reason or "")
        assert await InstagramAudience(rig.session).now("show-1") == Audience()
        with pytest.raises(Refused, match="Link the Instagram account"):
            await anext(aiter(InstagramChat(rig.session).messages("1")))
        assert (await rig.state())["calls"] == []


async def test_a_login_that_may_not_look_for_lives_never_claims_one(rig: Rig) -> None:
    await rig.ctl("fault", kind="no_live_media")
    assert (await InstagramDestination(rig.session).status("show-1")).state == "starting"
    async with reading(rig) as items:
        with pytest.raises(Refused, match="does not tell this login"):
            await next_message(items)


async def test_viewers_and_reactions_are_told_as_far_as_the_app_may_see_them(rig: Rig) -> None:
    audience = InstagramAudience(rig.session)
    await rig.ctl("measure", viewers=55, reactions=9)
    assert await audience.now("show-1") == Audience(viewers=55, reactions=9)
    await rig.ctl("fault", kind="unknown_field", field="live_reactions")
    assert await audience.now("show-1") == Audience(viewers=55)
    await rig.ctl("fault", kind="unknown_field", field="current_live_viewer_count")
    assert await audience.now("show-1") == Audience()
    assert (await InstagramDestination(rig.session).status("show-1")).state == "live"
    await rig.ctl("fault", kind="usage", percent=96)
    with pytest.raises(RetryLater, match="figures can wait"):
        await audience.now("show-1")


# --- comments -------------------------------------------------------------------------------------


async def test_what_is_hidden_elsewhere_is_taken_back_and_what_we_hide_is_hidden(rig: Rig) -> None:
    moderation = CONNECTOR.moderation
    assert moderation is not None
    assert moderation.hide is not None
    assert moderation.unhide is not None
    assert moderation.delete is not None
    async with reading(rig) as items:
        rude, other = await say(rig, "rude"), await say(rig, "other")
        assert [(await next_message(items)).id for _ in range(2)] == [rude, other]
        await moderation.hide(rig.session, account(rig), rude)
        assert await next_deletion(items) == ChatDeletion(message_ids=(rude,))
    assert (await rig.state())["hidden"] == ["rude"]
    await moderation.unhide(rig.session, account(rig), rude)
    await moderation.delete(rig.session, account(rig), other)
    state = await rig.state()
    assert (state["hidden"], state["comments"]) == ([], ["rude"])


async def test_a_throttled_reader_waits_as_long_as_instagram_says(rig: Rig) -> None:
    async with reading(rig) as items:
        await next_health(items, "connected")
        await rig.ctl("fault", kind="throttle", minutes=3, path="comments")
        with pytest.raises(RetryLater) as later:
            await next_message(items)
    assert later.value.after == 180


async def test_usage_headers_stretch_the_time_between_reads(clock: Clock) -> None:
    async with reaching(CONNECTOR, Fake(seed=3)) as rig:
        await rig.ctl("fault", kind="usage", percent=50, step=9)
        items = InstagramChat(rig.session, clock.sleep).messages(account(rig))
        with pytest.raises(RetryLater, match="slow down"):
            await next_message(items)
        # 0.2 s between reads at first, then four times, then twenty times as long.
        assert [round(nap, 1) for nap in dict.fromkeys(clock.naps)] == [0.2, 0.8, 4.0]


def test_a_counter_of_another_kind_or_none_at_all_makes_no_other_smaller() -> None:
    now = 0.0
    usage = Usage(lambda: now)

    def business(kind: str, percent: float) -> dict[str, str]:
        return {"x-business-use-case-usage": json.dumps({"7": [{"type": kind, "call_count": percent}]})}

    usage.note(business("instagram", 96))
    usage.note(business("messenger", 3))
    usage.note({"x-app-usage": '{"call_count": 28}'})
    usage.note({})
    assert usage.percent == 96
    usage.note(business("instagram", 40))
    assert usage.percent == 40
    now = 301.0
    usage.note(business("messenger", 5))
    assert usage.percent == 5, "what nobody told for five minutes says nothing"


async def test_an_answer_is_measured_in_bytes_before_it_is_sent(rig: Rig) -> None:
    asked = await say(rig, "SKU12 x2")
    replier = InstagramReplier(rig.session)
    with pytest.raises(Refused, match="1000 bytes"):
        await replier.reply(account(rig), asked, "😀" * 251, key="k1")
    assert await replier.reply(account(rig), asked, "😀" * 250, key="k2")


@given(text=st.text() | st.from_regex(r"(@[a-z.]{1,5} |https?://\S{1,5} |x@y\.z ){1,4}", fullmatch=True))
def test_fragments_put_together_are_the_text(text: str) -> None:
    assert "".join(piece.text for piece in fragments_of(text)) == text


def test_comments_and_webhooks_are_read_from_samples() -> None:
    page = json.loads((SAMPLES / "comments.json").read_text())
    later, first = (message(raw, "1784", username="shop") for raw in page["data"])
    assert (first.id, first.text, first.author_id) == ("1785_c", "SKU12 x2", "igsid_9")
    assert first.sent_at == datetime(2026, 11, 24, 10, 1, 2, tzinfo=UTC)
    assert (later.reply_to, [piece.kind for piece in later.fragments]) == ("1785_c", ["text", "mention"])
    webhooks = InstagramWebhooks(CONNECTOR.config(app_secret="s"))
    usual = (SAMPLES / "webhook.json").read_text()
    other = (SAMPLES / "webhook_instagram_login.json").read_text()
    [news] = webhooks.parse(usual.encode())
    assert isinstance(news, ChatNews)
    assert (news.chat_ref, [item.id for item in news.items if isinstance(item, ChatMessage)]) == (
        "1784",
        ["1785_c"],
    )
    [both] = webhooks.parse(f"[{usual},{other}]".encode())
    assert isinstance(both, ChatNews)
    assert [item.id for item in both.items if isinstance(item, ChatMessage)] == ["1785_c", "1785_d"]
    posts = usual.replace("live_comments", "comments")
    assert webhooks.parse(posts.encode()) == []


# --- logins and errors ------------------------------------------------------------------------------


async def test_the_linked_account_is_the_one_webhooks_name_and_nothing_secret_is_logged(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    app = App.model_validate(rig.fake.connection()[0])
    url = CONSENT.url(app, rig.addresses, redirect_uri=BACK, state="s1", challenge="c")
    with caplog.at_level(logging.DEBUG):
        async with httpx.AsyncClient(timeout=10) as browser:
            back = dict(parse_qsl(urlsplit((await browser.get(url)).headers["location"]).query))
        tokens = await CONSENT.exchange(rig.plain, app, code=back["code"], redirect_uri=BACK, verifier="")
        [found] = await CONSENT.accounts(rig.plain, app, tokens)
    assert tokens.expires_at is not None
    assert tokens.expires_at - datetime.now(UTC) > timedelta(days=59)
    assert (found.title, found.detail) == ("@shop", "The Shop")
    assert found.config == {
        "account_id": account(rig),
        "username": "shop",
        "host": "graph.instagram.com",
    }
    secrets = (tokens.access.get_secret_value(), app.app_secret.get_secret_value())
    logged = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert [text for text in (*logged, repr(tokens)) if any(secret in text for secret in secrets)] == []


async def test_a_person_who_ticked_off_what_is_needed_is_told_what(rig: Rig) -> None:
    await rig.ctl("consent", scopes="instagram_business_basic")
    app = App.model_validate(rig.fake.connection()[0])
    url = CONSENT.url(app, rig.addresses, redirect_uri=BACK, state="s1", challenge="c")
    async with httpx.AsyncClient(timeout=10) as browser:
        back = dict(parse_qsl(urlsplit((await browser.get(url)).headers["location"]).query))
    tokens = await CONSENT.exchange(rig.plain, app, code=back["code"], redirect_uri=BACK, verifier="")
    with pytest.raises(Refused, match="instagram_business_manage_comments"):
        await CONSENT.accounts(rig.plain, app, tokens)


@pytest.mark.parametrize(("word", "verified"), [(None, True), ("guess", False)])
async def test_instagrams_question_is_answered_when_it_knows_the_word(
    rig: Rig, word: str | None, verified: bool
) -> None:
    assert CONNECTOR.handshake is not None
    shake, config = CONNECTOR.handshake, rig.session.config
    async with serving(Door(lambda query: shake(config, query)).app) as url:
        token = word or config.verify_token.get_secret_value()
        answer = await rig.ctl("webhook_url", url=f"{url}hook", verify_token=token)
    assert answer["verified"] is verified


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ({"code": 190, "error_subcode": 463}, Reconnect, "login has expired"),
        ({"code": 190, "error_subcode": 467}, Reconnect, "invalidated"),
        ({"code": 10}, Reconnect, "lacks a permission"),
        ({"code": 10, "error_subcode": 2534022}, Refused, "only while it runs"),
        ({"code": 100, "error_subcode": 2534014}, Refused, "one private reply"),
        ({"code": 80002}, RetryLater, "slow down"),
        ({"code": 2}, RetryLater, "down"),
        ({"code": 368}, Refused, "blocked this account"),
        ({"code": 100, "message": f"bad {'x' * 40}"}, Refused, r"bad \[…\]"),
    ],
)
def test_codes_decide_what_an_error_means(error: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        raise graph_error(error, 400, {})


def test_a_refusal_is_read_whatever_the_status_and_a_page_is_left_to_the_general_rule() -> None:
    body = json.loads((SAMPLES / "error_thread.json").read_text())
    sent = json.dumps({"error": body["error"]}).encode()
    for status in (200, 400):
        refused = classify(status, {}, sent)
        assert isinstance(refused, Refused)
        assert "no conversation" in refused.reason
    assert classify(503, {}, b"<html>") is None
    assert classify(200, {}, b'{"data": []}') is None


async def test_success_is_read_from_the_body(rig: Rig) -> None:
    api = Api(rig.session)
    # A login that is said to be bad is renewed once, which does not mend what it may not do.
    await rig.ctl("fault", kind="status", status=200, code=10, count=2, path="live_media")
    with pytest.raises(Reconnect, match="lacks a permission"):
        await api.live()
    await rig.ctl("fault", kind="answer", body={"success": False})
    with pytest.raises(RetryLater, match="unreadable"):
        await api.live()
    await rig.ctl("fault", kind="answer", body=True)
    assert await api.call("POST", "me/anything") == {}
