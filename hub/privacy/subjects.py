"""What is kept for a time only: one subject each, with its default and what is done when the time is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Subject:
    """Rows of one table. `what`: many of them, in words; `why`: the reason of its default.

    `days` None: kept for ever unless the brand says otherwise. `where` finds what is over (`:before`), and
    does not find a row again that `set` (columns to blank; empty: the row goes) was applied to.
    """

    name: str
    what: str
    why: str
    days: int | None
    table: str
    where: str
    set: str = ""

    @property
    def count(self) -> str:
        """How many there are."""
        return f"SELECT count(*) FROM {self.table} WHERE brand_id = :brand AND {self.where}"  # noqa: S608

    @property
    def some(self) -> str:
        """The ids of at most `:most`; rows that somebody is working on wait for the next time."""
        return (
            f"SELECT id FROM {self.table} WHERE brand_id = :brand AND {self.where}"  # noqa: S608
            " LIMIT :most FOR UPDATE SKIP LOCKED"
        )

    @property
    def remove(self) -> str:
        """Carries it out on `:ids`."""
        begin = f"UPDATE {self.table} SET {self.set}" if self.set else f"DELETE FROM {self.table}"  # noqa: S608
        return f"{begin} WHERE id = ANY(:ids)"


UNTOUCHED: Final = """
    at < :before AND NOT EXISTS (
        SELECT FROM orders WHERE first_touch_id = touch.id OR last_touch_id = touch.id)
"""
STRANGERS: Final = """
    created_at < :before AND merged_into IS NULL AND member_since IS NULL
    AND NOT EXISTS (SELECT FROM orders WHERE customer_id = customer.id)
    AND NOT EXISTS (SELECT FROM touch WHERE customer_id = customer.id AND at >= :before)
    AND NOT EXISTS (SELECT FROM shopper_session WHERE customer_id = customer.id AND last_seen_at >= :before)
    AND NOT EXISTS (SELECT FROM rights_request WHERE customer_id = customer.id
                    AND state IN ('queued', 'working', 'failed'))
"""
NO_BUYER: Final = (
    """jsonb_set(data::jsonb, '{buyer}', '{"name": "", "address": [], "vat_id": "", "contact": ""}')"""
)
SAID: Final = (
    "received_at < :before AND author_id IS NOT NULL AND NOT outgoing AND author_id NOT LIKE 'nobody-%'"
)
SUBJECTS: Final[tuple[Subject, ...]] = (
    Subject(
        "clicks",
        "clicks on tracked links",
        "Counts of a link are of use for about a year.",
        400,
        "link_click",
        "at < :before",
    ),
    Subject(
        "networks",
        "network and device marks of clicks",
        "They tell machines from people, in the first days.",
        30,
        "link_click",
        "at < :before AND network_hash IS NOT NULL",
        set="network_hash = NULL",
    ),
    Subject(
        "touches",
        "touches that led to no order",
        "What brought buyers is compared over two years.",
        790,
        "touch",
        UNTOUCHED,
    ),
    Subject(
        "visits",
        "visits to the watch page",
        "Compared with the same season of last year.",
        400,
        "visit",
        "last_at < :before",
    ),
    Subject(
        "events",
        "files of viewers' events",
        "Figures of a show are reckoned from them; two seasons can be compared.",
        790,
        "event_file",
        "sealed_at < :before",
    ),
    Subject(
        "messages",
        "chat messages",
        "Author and text go; the empty line stays, so that counts stay right.",
        400,
        "message",
        SAID,
        set="author_id = 'nobody-' || gen_random_uuid(), author_name = NULL, author_picture = NULL, "
        "badges = '[]', text = '', fragments = '[]', external_id = 'old:' || id",
    ),
    Subject(
        "moderation",
        "excerpts of moderated messages",
        "Somebody may ask why they were moderated.",
        400,
        "moderation_action",
        "created_at < :before AND (author_name IS NOT NULL OR excerpt <> '')",
        set="author_name = NULL, excerpt = ''",
    ),
    Subject(
        "claims",
        "claims by comment",
        "Whose claim it was; that there was one stays.",
        400,
        "claim",
        "said_at < :before AND (author_name IS NOT NULL OR words <> '')"
        " AND state IN ('sold_out', 'refused', 'withdrawn', 'lapsed', 'paid', 'unclear')",
        set="author_name = NULL, author_id = NULL, words = ''",
    ),
    Subject(
        "webhooks",
        "bodies of platforms' deliveries",
        "Worked on within seconds; kept for who looks into an odd one.",
        30,
        "webhook_event",
        "received_at < :before AND state <> 'stored' AND length(body) > 0",
        set="body = '', headers = '{}'",
    ),
    Subject(
        "mails",
        "letters to buyers",
        "For who asks whether a letter was sent.",
        90,
        "mail",
        "created_at < :before AND state <> 'queued'",
    ),
    Subject(
        "sign_ins",
        "sign-ins of buyers",
        "Browsers that have not been seen since.",
        60,
        "shopper_session",
        "last_seen_at < :before",
    ),
    Subject(
        "ad_ids",
        "addresses and programs of browsers kept for ads",
        "Only of people who agreed; platforms take conversions for about as long.",
        90,
        "ad_ids",
        "at < :before",
    ),
    Subject(
        "exports",
        "copies of people's data",
        "To be downloaded within a week.",
        7,
        "rights_request",
        "kind = 'export' AND state = 'done' AND done_at < :before",
        set="state = 'expired', file_path = NULL",
    ),
    Subject(
        "strangers",
        "people who never bought",
        "They left an address or a comment, and were not seen since.",
        790,
        "customer",
        STRANGERS,
    ),
    Subject(
        "invoices",
        "buyers' names on invoices",
        "Tax law asks for invoices as issued for up to ten years; ask your tax adviser before changing this.",
        3653,
        "invoice",
        "issued_at < :before AND (data->'buyer'->>'name' <> ''"
        " OR json_array_length(data->'buyer'->'address') > 0)",
        set=f"data = {NO_BUYER}::json",
    ),
    Subject(
        "looks",
        "notes of who looked",
        "Long enough for an audit of the last two years.",
        790,
        "look_log",
        "at < :before",
    ),
)
BY_NAME: Final = {subject.name: subject for subject in SUBJECTS}
