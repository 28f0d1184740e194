"""Letters: queued with their cause, sent once, and readable; by a real SMTP server and as files."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from sqlmodel import col, select

from connectors.errors import RetryLater
from hub.engines.nats import free_port
from hub.mail.letters import Letter, Link, Rows
from hub.mail.models import Mail
from hub.mail.post import Files, Post, Smtp
from hub.mail.service import Mailroom
from hub.secrets import Vault
from hub.services import Services
from tests.hub.shop import Shop

LETTER = Letter.of(
    "Your order\r\nBcc: thief@example.com",
    "Thank you, <b>Ana</b> & Bo!",
    Rows([("2 × Bag", "98.00 EUR")]),
    Link("See it", "https://shop.example/orders/t?a=1&b=2"),
)


class Server:
    """A mail server that answers what the test says, one answer a letter; then it takes everything."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.taken: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers and self.answers[0].startswith("rcpt "):
            return self.answers.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers and not self.answers[0].startswith("keep "):
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        return self.answers.pop(0).removeprefix("keep ") if self.answers else "250 OK"


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Smtp]:
    port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield Smtp(SecretStr(f"smtp://127.0.0.1:{port}"))
    finally:
        controller.stop()


def room(hub: Services, post: Post) -> Mailroom:
    vault = Vault(SecretStr("a test's own secret key"))
    return Mailroom(hub.db, hub.clock, vault, post, "shop@brand.example")


async def queued(hub: Services, shop: Shop, mail: Mailroom, key: str = "") -> Mail:
    key = key or uuid4().hex
    async with hub.db.session() as session:
        await mail.queue(session, shop.brand_id, "ana@example.com", LETTER, kind="test", ref="r", key=key)
    [row] = await rows(hub, key)
    return row


async def rows(hub: Services, key: str) -> list[Mail]:
    async with hub.db.session() as session:
        return list(await session.exec(select(Mail).where(col(Mail.key) == key)))


def test_text_and_html_say_the_same_and_nothing_from_outside_is_markup() -> None:
    assert "98.00 EUR" in LETTER.text
    assert "98.00 EUR" in LETTER.html
    assert "&lt;b&gt;Ana&lt;/b&gt; &amp; Bo!" in LETTER.html
    assert "a=1&amp;b=2" in LETTER.html
    assert "\n" not in LETTER.subject
    assert Letter.loaded(LETTER.dumped()) == LETTER


async def test_a_letter_goes_out_once_and_is_forgotten(hub: Services, shop: Shop) -> None:
    server = Server()
    async with serving(server) as post:
        mail = room(hub, post)
        row = await queued(hub, shop, mail)
        for _ in range(2):
            await mail.send(row.id)
    [message] = server.taken
    assert message["Message-ID"] == f"<{row.id}@brand.example>"
    assert message["Subject"] == "Your order Bcc: thief@example.com"
    assert message["Bcc"] is None
    assert "shop@brand.example" in message["From"]
    body = message.get_body(("plain",))
    assert body is not None
    assert "98.00 EUR" in body.get_content()
    [after] = await rows(hub, row.key)
    assert (after.state, after.letter_sealed) == ("sent", None)


async def test_one_cause_is_told_once(hub: Services, shop: Shop, tmp_path: Path) -> None:
    mail = room(hub, Files(tmp_path))
    row = await queued(hub, shop, mail, "cause")
    again = await queued(hub, shop, mail, "cause")
    assert row.id == again.id


async def test_trouble_is_tried_again_with_the_same_message_id_and_a_no_is_final(
    hub: Services, shop: Shop
) -> None:
    server = Server()
    async with serving(server) as post:
        mail = room(hub, post)
        row = await queued(hub, shop, mail)
        # Busy; then taken, but with an answer that says otherwise: the second copy has the same id.
        server.answers = ["451 later", "keep 451 lost"]
        for _ in range(2):
            with pytest.raises(RetryLater):
                await mail.send(row.id)
        await mail.send(row.id)
        assert {message["Message-ID"] for message in server.taken} == {f"<{row.id}@brand.example>"}
        refused = await queued(hub, shop, mail)
        server.answers = ["rcpt 550 no such user"]
        await mail.send(refused.id)
    [after] = await rows(hub, refused.key)
    assert after.state == "failed"
    assert "does not take letters" in (after.error or "")
    away = room(hub, Smtp(SecretStr(f"smtp://ana:secret@127.0.0.1:{free_port()}")))
    lost = await queued(hub, shop, away)
    with pytest.raises(RetryLater) as told:
        await away.send(lost.id)
    assert "secret" not in str(told.value)


async def test_without_a_server_letters_become_files(hub: Services, shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    mail = room(hub, Files(folder))
    row = await queued(hub, shop, mail)
    await mail.send(row.id)
    [file] = folder.iterdir()
    assert file.name == f"{row.id}.eml"
    assert file.stat().st_mode & 0o077 == 0
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["To"] == "ana@example.com"
