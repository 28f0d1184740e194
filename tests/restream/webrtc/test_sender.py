"""A sender process's inside, in this process: who is answered, and what a viewer is sent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import stun

from restream.webrtc.channel import Answered, Begin, Control, Forget, Gone, Leave, Open, Ready, Restart
from restream.webrtc.sdp import UnfitOffer
from restream.webrtc.sender import Sender
from tests.bench.whep_viewers import OFFER
from tests.restream.webrtc.stage import until

BODY = OFFER.format(ice="", username="them", password="p" * 24, fingerprint="AA:BB", setup="actpass")


class Worker:
    """The other end."""

    def __init__(self) -> None:
        self.heard: list[Control] = []
        self.sender = Sender(self.heard.append)
        self.sender.take(Begin("127.0.0.1", 0))
        (ready,) = self.heard
        assert isinstance(ready, Ready)
        assert not ready.trouble
        self.port = ready.port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)

    def ask(self, message: Control) -> str:
        """What is answered."""
        self.sender.take(message)
        answered = self.heard[-1]
        assert isinstance(answered, Answered)
        return answered.body

    def check(self, answer: str, *, password: str = "", controlled: bool = False) -> None:
        """Send a binding request for the session of an answer."""
        pairs = (line[2:].partition(":") for line in answer.splitlines() if line.startswith("a=ice-"))
        lines = {name: value for name, _, value in pairs}
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{lines['ice-ufrag']}:them"
        request.attributes["PRIORITY"] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = 1
        request.add_message_integrity((password or lines["ice-pwd"]).encode())
        self.socket.sendto(bytes(request), ("127.0.0.1", self.port))

    async def reply(self) -> stun.Message:
        """The next STUN message."""
        async with asyncio.timeout(30):
            while True:
                data = await asyncio.get_running_loop().sock_recv(self.socket, 2048)
                if data[0] < 4:
                    return stun.parse_message(data)


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    made = Worker()
    yield made
    made.sender.close()
    made.socket.close()


async def test_only_who_knows_the_password_is_answered(worker: Worker) -> None:
    answer = worker.ask(Open(1, "viewer", BODY.replace("\n", "\r\n"), "42c0", "show", 1, 2))
    viewer = worker.sender._viewers["viewer"]
    worker.check(answer, password="a guess")
    worker.check(answer)
    assert (await worker.reply()).message_class == stun.Class.RESPONSE
    with pytest.raises(BlockingIOError):
        worker.socket.recv(2048)  # the first request was not answered, or its answer would be here too
    assert viewer.address == worker.socket.getsockname()


async def test_a_peer_that_wants_us_to_decide_is_told_of_the_conflict(worker: Worker) -> None:
    answer = worker.ask(Open(1, "viewer", BODY, "42c0", "show", 1, 2))
    worker.check(answer, controlled=True)
    reply = await worker.reply()
    assert reply.message_class == stun.Class.ERROR
    assert reply.attributes["ERROR-CODE"][0] == 487
    assert worker.sender._viewers["viewer"].address is None


async def test_after_a_restart_the_new_name_moves_the_session_and_the_old_one_does_not(
    worker: Worker,
) -> None:
    answer = worker.ask(Open(1, "viewer", BODY, "42c0", "show", 1, 2))
    viewer = worker.sender._viewers["viewer"]
    worker.check(answer)
    await worker.reply()
    first, worker.socket = worker.socket, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    worker.socket.bind(("127.0.0.1", 0))
    worker.socket.setblocking(False)
    fragment = worker.ask(Restart(2, "viewer"))
    worker.check(answer)
    await worker.reply()
    assert viewer.address == first.getsockname()
    worker.check(fragment)
    await worker.reply()
    assert viewer.address == worker.socket.getsockname()
    assert list(worker.sender._addresses) == [viewer.address]
    first.close()


async def test_a_viewer_that_is_forgotten_leaves_nothing(worker: Worker) -> None:
    ends: tuple[Control, ...] = (Leave("viewer"), Forget(1))
    for number, end in enumerate(ends):
        worker.check(worker.ask(Open(number, "viewer", BODY, "42c0", "show", 1, 2)))
        await worker.reply()
        worker.sender.take(end)
        sender = worker.sender
        assert {len(sender._viewers), len(sender._names), len(sender._addresses)} == {0}
    assert worker.heard[-1] == Gone("viewer", "The feed has ended.")
    worker.sender.take(Forget(2))
    assert not worker.sender._lines


async def test_who_never_connects_is_given_up(worker: Worker) -> None:
    worker.ask(Open(1, "viewer", BODY, "42c0", "show", 1, 2))
    worker.sender._viewers["viewer"]._made -= 60
    await until(lambda: worker.heard[-1] == Gone("viewer", "No connection came about."))


async def test_an_offer_that_does_not_fit_is_no_harm(worker: Worker) -> None:
    assert issubclass(UnfitOffer, ValueError)
    assert worker.ask(Open(1, "viewer", BODY.replace("H264", "VP8"), "", "show", 1, 2)) == ""
    assert worker.ask(Open(2, "viewer", "nonsense", "", "show", 1, 2)) == ""
    assert worker.ask(Restart(3, "nobody")) == ""


async def test_a_port_that_is_taken_is_told(worker: Worker) -> None:
    heard: list[Control] = []
    other = Sender(heard.append)
    other.take(Begin("127.0.0.1", worker.port))
    (ready,) = heard
    assert isinstance(ready, Ready)
    assert str(worker.port) in ready.trouble
    other.close()
