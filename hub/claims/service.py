"""What staff do with claims: see them, offer one again, restrict a person, set numbers, words and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.claims.answers import Answers, tell_staff
from hub.claims.catalogue import catalogue_of
from hub.claims.intake import viewer_of
from hub.claims.judge import Judge
from hub.claims.links import Links
from hub.claims.models import Claim, ClaimBlock, ClaimRules, ClaimWord
from hub.claims.parser import Catalogue
from hub.claims.reading import words_of
from hub.claims.words import CLAIMS, NEVER, NUMBERS, PLEASANTRIES
from hub.clock import Clock
from hub.db import run
from hub.errors import BadInput, Conflict, NotFound
from hub.shows.models import Show, ShowProduct

AGAIN = ("lapsed", "sold_out", "refused", "queued")
LEAVE = text(
    """
    UPDATE waitlist SET state = 'left', network_hash = NULL
    WHERE show_id = :show AND variant_id = :variant
        AND viewer_id = :viewer AND state = 'waiting'
    """
)


@dataclass(frozen=True)
class Named:
    """A product's number and word in a show; `own_number`: given by staff."""

    product_id: UUID
    title: str
    number: int
    word: str | None
    own_number: bool


class Claims:
    """The claims of every show."""

    def __init__(self, clock: Clock, links: Links, judge: Judge, answers: Answers) -> None:
        self._clock = clock
        self.links = links
        self.judge = judge
        self.answers = answers

    async def of_show(self, session: AsyncSession, show_id: UUID, limit: int = 200) -> Sequence[Claim]:
        """The newest claims first."""
        query = select(Claim).where(col(Claim.show_id) == show_id).order_by(col(Claim.n).desc())
        return (await session.exec(query.limit(limit))).all()

    async def of_message(self, session: AsyncSession, show: Show, message_id: UUID) -> Claim:
        """The claim a message made."""
        query = select(Claim).where(col(Claim.message_id) == message_id, col(Claim.show_id) == show.id)
        claim = (await session.exec(query.with_for_update())).first()
        if claim is None:
            raise NotFound("claim_unknown", "This message is no claim.")
        return claim

    async def again(self, session: AsyncSession, show: Show, message_id: UUID) -> Claim:
        """Offer it again, behind everybody who claims now; its old link is dead."""
        claim = await self.of_message(session, show, message_id)
        if claim.state not in AGAIN or claim.variant_id is None:
            raise Conflict("claim_open", "Only a claim that came to nothing can be offered again.")
        if show.state == "ended":
            raise Conflict("show_ended", "The show has ended.")
        values = {"show": show.id, "variant": claim.variant_id, "viewer": claim.viewer_id}
        await run(session, LEAVE, values)
        claim.state, claim.detail, claim.round = "waiting", "", claim.round + 1
        claim.said_at = claim.due_at = claim.updated_at = self._clock()
        claim.hold_id = claim.expires_at = claim.opened_by = claim.answer_id = None
        claim.answer, claim.public, claim.tries = "none", False, 0
        tell_staff(session, show.id)
        return claim

    async def restrict(self, session: AsyncSession, show: Show, message_id: UUID, *, on: bool) -> Claim:
        """Take no more claims of whoever wrote this, or take them again."""
        claim = await self.of_message(session, show, message_id)
        who = {"brand_id": claim.brand_id, "platform": claim.platform, "author_id": claim.author_id}
        if on:
            fresh = insert(ClaimBlock).values(**who, created_at=self._clock())
            await run(session, fresh.on_conflict_do_nothing())
        else:
            await session.exec(
                delete(ClaimBlock).where(
                    col(ClaimBlock.brand_id) == claim.brand_id,
                    col(ClaimBlock.platform) == claim.platform,
                    col(ClaimBlock.author_id) == claim.author_id,
                )
            )
        tell_staff(session, show.id)
        return claim

    async def blocked(self, session: AsyncSession, brand_id: UUID) -> set[str]:
        """Whose claims are not taken, by the viewer their reservations would belong to."""
        rows = await session.exec(select(ClaimBlock).where(col(ClaimBlock.brand_id) == brand_id))
        return {viewer_of(one.platform, one.author_id) for one in rows}

    async def rules(self, session: AsyncSession, show: Show) -> ClaimRules:
        """A show's rules; changing them keeps them."""
        found = await session.get(ClaimRules, show.id)
        if found is None:
            found = ClaimRules(show_id=show.id, brand_id=show.brand_id)
            session.add(found)
        return found

    async def names(self, session: AsyncSession, show: Show) -> list[Named]:
        """What each product is called by, in show order."""
        own = await session.exec(select(ClaimWord).where(col(ClaimWord.show_id) == show.id))
        given = {one.product_id for one in own if one.number is not None}
        catalogue: Catalogue = await catalogue_of(session, show.id)
        return [
            Named(one.product_id, one.name, one.number, next(iter(one.words), None), one.product_id in given)
            for one in catalogue.items
        ]

    async def name(
        self, session: AsyncSession, show: Show, product_id: UUID, number: int | None, word: str | None
    ) -> None:
        """Set a product's number and word in a show; None: the number in show order, and no word."""
        placed = await session.get(ShowProduct, (show.id, product_id))
        if placed is None:
            raise NotFound("product_unknown", "This product is not in this show.")
        plain = plain_word(word) if word else None
        query = select(ClaimWord).where(
            col(ClaimWord.show_id) == show.id, col(ClaimWord.product_id) != product_id
        )
        for other in await session.exec(query):
            if number is not None and other.number == number:
                raise Conflict("number_taken", f"Another product has the number {number} already.")
            if plain and other.word == plain:
                raise Conflict("word_taken", f"Another product has the word {plain} already.")
        own = await session.get(ClaimWord, (show.id, product_id))
        if own is None:
            own = ClaimWord(show_id=show.id, product_id=product_id, brand_id=show.brand_id)
            session.add(own)
        own.number, own.word = number, plain


def plain_word(word: str) -> str:
    """As the parser reads it. BadInput for what people say anyway, or what is not one word of letters."""
    words = words_of(word)
    if len(words) != 1 or not words[0].isalpha() or not 2 <= len(words[0]) <= 30:
        raise BadInput("word_invalid", "Choose one word of at least two letters, without digits.")
    if words[0] in CLAIMS | NEVER | PLEASANTRIES | NUMBERS.keys():
        raise BadInput("word_common", "People say this word anyway. Choose one that is only this product's.")
    return words[0]
