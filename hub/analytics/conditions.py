"""What a cohort is defined by: conditions on what somebody did, put together with all, any and not.

A definition is plain JSON, kept as it is and read again by whoever uses the cohort as a segment.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from hub.errors import BadInput

DEEPEST: Final = 5
MOST: Final = 20
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

QUESTION_WORDS: Final = (
    *("who", "whose", "what", "when", "where", "why", "which", "how", "is", "are", "do", "does", "did"),
    *("can", "could", "will", "would", "has", "have"),
    *("wer", "was", "wann", "wo", "warum", "wieso", "welche", "welcher", "welches", "wie", "wieviel"),
    *("gibt", "kann", "könnt", "habt", "ist", "sind", "kommt"),
    *("qui", "que", "quoi", "quand", "où", "pourquoi", "comment", "combien", "quel", "quelle", "est-ce"),
    *("quién", "qué", "cuándo", "dónde", "por qué", "cuál", "cómo", "cuánto", "cuánta"),
    *("chi", "cosa", "quando", "dove", "perché", "quale", "come", "quanto", "quanta", "c'è"),
    *("quem", "onde", "por que", "qual", "como", "quanta"),
    *("wie", "wat", "wanneer", "waar", "waarom", "welk", "hoe", "hoeveel"),
    *("vem", "vad", "när", "var", "varför", "vilken", "hur", "finns"),
)
"""English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish."""
QUESTION: Final = rf"[?？؟]\s*$|^[\s¿]*({'|'.join(dict.fromkeys(QUESTION_WORDS))})\y"
"""A regular expression of PostgreSQL, to be used without regard to case. It looks at form, not at meaning."""


class Strict(BaseModel):
    """What is not known is refused: a mistyped word would else choose everybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Chatted(Strict):
    """Wrote a message; with `questions` one that looks like a question, early in the show if so wished."""

    kind: Literal["chatted"]
    questions: bool = False
    first_minutes: int | None = Field(None, ge=1, le=1440)
    platform: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None


class CameFrom(Strict):
    """Came by a way with this name."""

    kind: Literal["came_from"]
    by: Literal["source", "channel_group", "campaign", "link", "target"] = "source"
    value: Word


class Watched(Strict):
    """Had the page open for at least so long."""

    kind: Literal["watched"]
    minutes: int = Field(ge=1, le=1440)


class Viewed(Strict):
    """Looked at a product, or clicked on it."""

    kind: Literal["viewed"]
    product_id: UUID


class HeldNotBought(Strict):
    """Reserved something, and paid for nothing."""

    kind: Literal["held_not_bought"]


class Bought(Strict):
    """Paid for something, by this channel or in this kind of offer if so wished."""

    kind: Literal["bought"]
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None
    offer_kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None


class BoughtAgain(Strict):
    """Bought here, and once more, of whatever show, within so many days."""

    kind: Literal["bought_again"]
    days: int = Field(ge=1, le=3650)


class IsMember(Strict):
    """Has joined the brand."""

    kind: Literal["member"]


class AllOf(Strict):
    """Every one of them fits."""

    kind: Literal["all"]
    of: list[Node] = Field(min_length=1, max_length=MOST)


class AnyOf(Strict):
    """At least one of them fits."""

    kind: Literal["any"]
    of: list[Node] = Field(min_length=1, max_length=MOST)


class NotOf(Strict):
    """It does not fit."""

    kind: Literal["not"]
    of: Node


Leaf = Chatted | CameFrom | Watched | Viewed | HeldNotBought | Bought | BoughtAgain | IsMember
Node = Annotated[Leaf | AllOf | AnyOf | NotOf, Field(discriminator="kind")]


class Definition(Strict):
    """A cohort. `v` goes up when old definitions have to be read in another way."""

    v: Literal[1] = 1
    where: Node

    @model_validator(mode="after")
    def small(self) -> Definition:
        """So that one can be understood, and its query be answered."""
        depth, count = measured(self.where)
        if depth > DEEPEST or count > MOST:
            raise ValueError(f"at most {MOST} conditions, {DEEPEST} deep")
        return self


def measured(node: Any) -> tuple[int, int]:
    """(depth, number of conditions)."""
    if isinstance(node, NotOf):
        depth, count = measured(node.of)
        return depth + 1, count
    if isinstance(node, AllOf | AnyOf):
        parts = [measured(one) for one in node.of]
        return 1 + max(depth for depth, _ in parts), sum(count for _, count in parts)
    return 1, 1


def read_definition(kept: Any) -> Definition:
    """A definition that was kept, or BadInput where this version cannot read it."""
    try:
        return Definition.model_validate(kept)
    except ValidationError as error:
        raise BadInput(
            "cohort_unreadable", "This cohort was made by another version. Draw it up again."
        ) from error
