"""How many bytes of rejects are kept: a quarter of all for a source, a sixteenth for strangers, the oldest go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, insert, select

from monitor.store.reject_budget import DEFAULT_BYTES, RejectBudget, category_of
from monitor.store.tables import rejects

ROW = 300 + 100
"""What one of these takes, with its body of a hundred bytes."""


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    rejects.metadata.create_all(engine, tables=[rejects])
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def row(source: str, reason: str = "not_json", size: int = 100) -> dict[str, object]:
    given: dict[str, object] = {
        column.name: 0 if str(column.type) in ("INTEGER", "BIGINT") else ""
        for column in rejects.c
        if not column.nullable
    }
    given |= {"source": source, "reason": reason, "detail": "", "body": bytes(size), "headers": b"", "forward": False}
    del given["id"]
    return given


def add(connection: Connection, budget: RejectBudget, *rows: dict[str, object]) -> None:
    for each in rows:
        found = connection.execute(insert(rejects).values(each))
        assert found.inserted_primary_key is not None
        budget.added(connection, [each], int(found.inserted_primary_key[0]))


def kept(connection: Connection) -> list[int]:
    return list(connection.execute(select(rejects.c.id).order_by(rejects.c.id)).scalars())


@pytest.mark.parametrize(
    ("source", "reason", "category"),
    [
        ("pagerduty/acme", "not_json", "pagerduty"),
        ("events", "too_deep", "events"),
        ("events", "bad_signature", "strangers"),
        ("events", "unknown_source", "strangers"),
        ("events", "too_large", "strangers"),
    ],
)
def test_whose_room_a_reject_takes(source: str, reason: str, category: str) -> None:
    assert category_of(source, reason) == category
    assert DEFAULT_BYTES == 256 * 1024 * 1024


@pytest.mark.parametrize(("limit", "left"), [(12 * ROW, [1, 2, 3]), (12 * ROW - 1, [2, 3])])
def test_a_source_has_a_quarter(connection: Connection, limit: int, left: list[int]) -> None:
    budget = RejectBudget(limit)
    add(connection, budget, row("a"), row("a"), row("a"))
    assert kept(connection) == left
    assert (budget.take_evicted(), budget.take_evicted()) == (3 - len(left), 0)


@pytest.mark.parametrize(("limit", "left"), [(32 * ROW, [1, 2]), (32 * ROW - 1, [2])])
def test_strangers_have_a_sixteenth_together(connection: Connection, limit: int, left: list[int]) -> None:
    add(connection, RejectBudget(limit), row("a", "bad_signature"), row("b", "too_large"))
    assert kept(connection) == left


def test_all_together_have_the_whole_and_the_largest_gives_up_its_oldest(connection: Connection) -> None:
    budget = RejectBudget(16 * ROW)
    rows = [row(name) for name in ("a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "d", "d")]
    add(connection, budget, *rows, row("e"), row("e"), row("e"))
    assert len(kept(connection)) == 16
    add(connection, budget, row("e"))
    assert kept(connection) == [n for n in range(1, 18) if n != 10]


def test_the_newest_stays_however_large_it_is(connection: Connection) -> None:
    budget = RejectBudget(4 * ROW)
    add(connection, budget, row("a"), row("a", size=10 * ROW))
    assert kept(connection) == [2]


def test_what_others_added_is_counted_anew(connection: Connection) -> None:
    budget = RejectBudget(8 * ROW)
    budget.make_room(connection)
    connection.execute(insert(rejects), [row("a"), row("a")])
    assert not budget.recount(connection)
    connection.execute(insert(rejects), [row("a")])
    assert budget.recount(connection)
    budget.make_room(connection)
    assert kept(connection) == [2, 3]
    budget.forget()
    connection.execute(insert(rejects), [row("a")])
    add(connection, budget, row("a"))
    assert kept(connection) == [4, 5]


def test_what_waits_to_be_forwarded_is_not_evicted(connection: Connection) -> None:
    budget = RejectBudget(4 * ROW)
    add(connection, budget, row("a") | {"forward": True}, row("a"))
    assert kept(connection) == [1, 2]
