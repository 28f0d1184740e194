"""What viewers are asked, in the brand's words or in ours; each version is kept, and a new one asks again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, StringConstraints
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.clock import Clock
from hub.consent.models import ConsentText
from hub.db import run
from hub.errors import Conflict
from hub.ids import new_id

Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]


class Asked(BaseModel):
    """The banner in one language. `allow` and `needed` are its two buttons, side by side and alike.

    `analytics` and `ads` say what is done for each purpose; `gpc`: what is said to whose browser sends Global
    Privacy Control; `reopen`: the line at the foot of the page.
    """

    title: Short
    text: Sentence
    allow: Short
    needed: Short
    details: Short
    save: Short
    necessary: Sentence
    analytics: Sentence
    ads: Sentence
    gpc: Sentence
    reopen: Short


Body = dict[str, Asked]

DEFAULT: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Your privacy",
        "text": "May we measure which of our links bring viewers, and tell ad networks what was bought?",
        "allow": "Allow",
        "needed": "Only what is needed",
        "details": "Details",
        "save": "Save my choice",
        "necessary": "Always: your cart, your reservations, your sign-in, and protection against fraud.",
        "analytics": "Measuring: one cookie of our own, for a year, tells us when you come back.",
        "ads": "Advertising: ad networks hear that somebody they sent here bought something.",
        "gpc": "Your browser asked us not to share your data; we don't.",
        "reopen": "Privacy choices",
    },
    "de": {
        "title": "Ihre Daten",
        "text": "Dürfen wir messen, welche Links zu uns führen, und Werbenetzen melden, was gekauft wurde?",
        "allow": "Erlauben",
        "needed": "Nur das Nötige",
        "details": "Einzelheiten",
        "save": "Auswahl speichern",
        "necessary": "Immer: Warenkorb, Reservierungen, Anmeldung und Schutz vor Betrug.",
        "analytics": "Messen: ein eigenes Cookie, ein Jahr lang, sagt uns, dass Sie wieder da sind.",
        "ads": "Werbung: Werbenetze erfahren, dass jemand gekauft hat, den sie geschickt haben.",
        "gpc": "Ihr Browser bittet, Ihre Daten nicht weiterzugeben; wir tun es nicht.",
        "reopen": "Datenschutz-Auswahl",
    },
}


NEWS: Final = "Tell me about the next shows."
"""What a buyer ticks at the checkout to hear from the shop by e-mail; the page shows the same words."""
NEWS_VERSION: Final = 1
"""Goes up with every change of `NEWS`: records say what was shown."""


@dataclass(frozen=True)
class Text:
    """A version of it. `own`: written by the brand, not ours."""

    version: int
    body: dict[str, dict[str, str]]
    own: bool

    def digest(self, language: str) -> str:
        """Tells which words exactly were shown."""
        words = json.dumps(self.body.get(language), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(words.encode()).hexdigest()


class Texts:
    """Reads and writes them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def current(self, session: AsyncSession, brand_id: UUID) -> Text:
        """What is asked now. Where ours has changed since it was last asked, that is a new version, too."""
        last = await self._last(session, brand_id)
        if last is None:
            return Text(0, DEFAULT, own=False)
        if last.author is None and last.body != DEFAULT:
            return Text(last.version + 1, DEFAULT, own=False)
        return Text(last.version, last.body, own=last.author is not None)

    async def shown(self, session: AsyncSession, brand_id: UUID, version: int) -> Text | None:
        """A version somebody was shown, which is on record from now on; None if there never was one."""
        current = await self.current(session, brand_id)
        if current.version == version:
            if not current.own:
                await self._keep(session, brand_id, current, author=None)
            return current
        query = select(ConsentText).where(
            col(ConsentText.brand_id) == brand_id, col(ConsentText.version) == version
        )
        found = (await session.exec(query)).first()
        return Text(version, found.body, found.author is not None) if found else None

    async def change(
        self, session: AsyncSession, brand_id: UUID, body: Body | None, *, version: int, author: str
    ) -> Text:
        """Ask differently from now on; everybody is asked again. `body` None: in our words.

        `version` is the one that was edited; Conflict when somebody else has changed it since.
        """
        current = await self.current(session, brand_id)
        if current.version != version:
            raise Conflict("text_changed", "Somebody has changed this text meanwhile. Look at it again.")
        words = {language: asked.model_dump() for language, asked in body.items()} if body else DEFAULT
        if words == current.body and current.own == bool(body):
            return current
        fresh = Text(current.version + 1, words, own=bool(body))
        await self._keep(session, brand_id, fresh, author=author if body else None)
        return fresh

    async def _keep(self, session: AsyncSession, brand_id: UUID, text: Text, author: str | None) -> None:
        row = {
            "id": new_id(),
            "brand_id": brand_id,
            "version": text.version,
            "body": text.body,
            "author": author,
            "at": self._clock(),
        }
        await run(session, insert(ConsentText).values(row).on_conflict_do_nothing())

    async def _last(self, session: AsyncSession, brand_id: UUID) -> ConsentText | None:
        query = (
            select(ConsentText)
            .where(col(ConsentText.brand_id) == brand_id)
            .order_by(col(ConsentText.version).desc())
            .limit(1)
        )
        return (await session.exec(query)).first()
