"""Private answers to comments on a Page's live video, and when Facebook allows none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.errors import Reconnect, Refused, RetryLater
from connectors.facebook import CONNECTOR
from connectors.facebook.comments import comment_id
from connectors.facebook.fake import Fake
from connectors.facebook.replies import FacebookComments, FacebookPrivateReplier
from tests.connectors.conftest import Rig, deaf_relay, reaching
from tests.connectors.facebook import opened, say


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with reaching(CONNECTOR, Fake(seed=3)) as made:
        yield made


async def test_a_private_answer_goes_once_per_comment_and_never_into_the_chat(rig: Rig) -> None:
    ref, replier = await opened(rig), FacebookPrivateReplier(rig.session)
    first, second = await say(rig, "SKU12 x2"), await say(rig, "me too")
    assert await replier.reply(ref, comment_id(ref, first), "Pay here", key="k1")
    with pytest.raises(Refused, match="answered already") as again:
        await replier.reply(ref, comment_id(ref, first), "Pay here!", key="k2")
    assert again.value.code == "answered"
    assert await replier.reply(ref, comment_id(ref, second), "And you here", key="k3")
    state = await rig.state()
    assert (state["answered"], state["sent"]) == (["Pay here", "And you here"], [])


async def test_a_private_answer_comes_within_seven_days_and_to_people_who_can_be_written_to(
    rig: Rig,
) -> None:
    ref, replier = await opened(rig), FacebookPrivateReplier(rig.session)

    async def code(comment: str, text: str = "Pay here") -> str | None:
        with pytest.raises(Refused) as refused:
            await replier.reply(ref, comment_id(ref, comment), text, key="k1")
        assert refused.value.reason.endswith(".")
        return refused.value.code

    comment = await say(rig, "SKU12 x2")
    assert await code(await FacebookComments(rig.session).send(ref, "ours", key="c1")) == "unreachable"
    assert await code(await say(rig, "who am I", anonymous=True)) == "unreachable"
    assert await code("unknown") == "100/2018292"
    assert await code(comment, "x" * 2001) == "too_long"
    await rig.ctl("fault", kind="week")
    assert await code(comment) == "closed"


async def test_a_login_without_messages_is_refused_them_and_nothing_else(rig: Rig) -> None:
    ref, replier = await opened(rig), FacebookPrivateReplier(rig.session)
    comment = comment_id(ref, await say(rig, "SKU12 x2"))
    await rig.ctl("consent", scopes="pages_show_list,pages_manage_posts,pages_read_engagement")
    with pytest.raises(Refused, match="allow messages") as refused:
        await replier.reply(ref, comment, "Pay here", key="k1")
    # No Reconnect: the account stays linked, and the link goes public.
    assert refused.value.code == "permission"
    assert await FacebookComments(rig.session).send(ref, "Pay here", key="k2")
    await rig.ctl("fault", kind="revoke")
    with pytest.raises(Reconnect):
        await replier.reply(ref, comment, "Pay here", key="k3")


async def test_a_private_answer_whose_answer_is_lost_is_unknown_and_not_sent_again_by_itself() -> None:
    async with reaching(CONNECTOR, Fake(seed=3), through=deaf_relay) as rig:
        ref = await opened(rig)
        comment = comment_id(ref, await say(rig, "SKU12 x2"))
        with pytest.raises(RetryLater) as lost:
            await FacebookPrivateReplier(rig.session).reply(ref, comment, "Pay here", key="k1")
        assert lost.value.unknown
        assert (await rig.state())["answered"] == ["Pay here"]
        assert len([call for call in (await rig.state())["calls"] if call.endswith("/messages")]) == 1
