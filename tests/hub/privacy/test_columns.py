"""Nothing personal is kept without somebody having said why, and no room is left out."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from sqlalchemy import Uuid
from sqlmodel import SQLModel

import hub.models
from hub.privacy.columns import PERSONAL, SEALED, classified
from hub.privacy.masks import SEE_ALL
from hub.privacy.rooms import ROOMS
from hub.privacy.search import is_text
from hub.privacy.subjects import SUBJECTS

DOCS = Path(__file__).parents[3] / "docs" / "privacy.md"
OF_STAFF_OR_SHOP = {
    *("connection", "linking", "revocation", "show", "show_target", "playback_key", "offer_key", "member"),
}
"""Sealed or personal, but nothing of a buyer."""
KEPT = {"erasure", "rights_request"}
"""The erasure's own proof and tombstone."""


def words_columns() -> set[str]:
    assert hub.models.TABLES
    return {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if (is_text(column) and not isinstance(column.type, Uuid)) or column.name.endswith("_hash")
    }


def test_every_column_with_words_in_it_is_classified_and_none_that_is_gone() -> None:
    assert classified().keys() == words_columns()


def test_every_table_that_names_a_buyer_belongs_to_a_room_that_forgets_them() -> None:
    written = "".join(inspect.getsource(sys.modules[area.erase.__module__]) for area in ROOMS)
    personal = {name.partition(".")[0] for name, kind in classified().items() if kind == "personal"}
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            keys = {key.target_fullname: key.ondelete for key in column.foreign_keys}
            if keys.get("customer.id") == "CASCADE":
                continue  # it goes with the person's row
            named = keys.keys() & {"customer.id", "identity.id"}
            if column.name.endswith(SEALED) or column.name == "customer_id" or named:
                personal.add(table.name)
    left = {
        name
        for name in personal - OF_STAFF_OR_SHOP - KEPT
        if not re.search(rf"(UPDATE|DELETE FROM) {name}\b", written) and f'"{name}"' not in written
    }
    # Evidence goes with its handles; these hold states and ids of ours beside something that is forgotten.
    assert left <= {"identity_edge", "invoice", "playback_session", "event_cursor", "risk_score"}


def test_the_docs_give_the_reason_of_every_plain_column_and_every_rule() -> None:
    said = DOCS.read_text()
    columns = " ".join(PERSONAL.values()).split()
    assert not [name for name in columns if f"`{name}`" not in said]
    assert not [rule.name for rule in SUBJECTS if f"| {rule.what} |" not in said]
    assert all(role in said for role in SEE_ALL)
