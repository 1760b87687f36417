"""Which addresses are understood, and where the journal lies."""

from __future__ import annotations

import pytest

from monitor.store.connections import Locations
from monitor.store.database import open_store


@pytest.mark.parametrize(
    ("address", "records", "journal"),
    [
        ("sqlite:///var/nearmiss.db", "var/nearmiss.db", "var/nearmiss-journal.db"),
        ("sqlite:////srv/nearmiss.db", "/srv/nearmiss.db", "/srv/nearmiss-journal.db"),
        ("sqlite:///plain", "plain", "plain-journal"),
        ("sqlite:///a.b/c.d.sqlite", "a.b/c.d.sqlite", "a.b/c.d-journal.sqlite"),
    ],
)
def test_sqlite_keeps_the_journal_in_a_file_of_its_own(address: str, records: str, journal: str) -> None:
    locations = Locations(address)
    assert locations.is_sqlite
    assert (locations.records.database, locations.journal.database) == (records, journal)


def test_postgresql_keeps_both_in_one_database() -> None:
    locations = Locations("postgresql://monitor:secret@db.example.com:5433/near?sslmode=require")
    assert not locations.is_sqlite
    assert locations.journal == locations.records
    assert locations.records.drivername == "postgresql+asyncpg"


def test_messages_show_no_password() -> None:
    assert str(Locations("postgresql://monitor:secret@db.example.com/near")) == (
        "postgresql://monitor:***@db.example.com/near"
    )
    assert str(Locations("sqlite:///var/nearmiss.db")) == "sqlite:///var/nearmiss.db"


@pytest.mark.parametrize(
    "address", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://a:b@c/d", "postgresql"]
)
def test_other_addresses_are_refused_with_what_was_expected(address: str) -> None:
    with pytest.raises(ValueError, match=r"expected sqlite:///PATH/TO/FILE.db or postgresql://USER"):
        open_store(address)


def test_a_refused_address_is_not_repeated_since_it_may_hold_a_password() -> None:
    with pytest.raises(ValueError, match="cannot be read") as refused:
        open_store("postgresql:/monitor:secret@host")
    assert "secret" not in str(refused.value)
