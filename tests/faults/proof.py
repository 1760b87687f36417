"""What the database says after the faults: who wrote in which epoch, which drafts there are, and whether all was kept.

A trigger writes down each takeover and each commit with the login that made it. It is part of the same transaction, and
the owner's row is locked meanwhile, so that its numbers are the order in which they took effect.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # comes without types
import msgspec

from monitor.core.model.near_miss import public_line
from monitor.ports import Query, Record
from monitor.store.database import open_store

_PAGE = 200
_LEDGER = """
CREATE SCHEMA proof;
CREATE TABLE proof.ledger (
    number bigserial PRIMARY KEY, part text, epoch bigint, login text, address text, what text,
    at timestamptz DEFAULT clock_timestamp()
);
CREATE TABLE proof.steps_back (partition text, before bigint, after bigint);
CREATE FUNCTION proof.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch <> OLD.epoch THEN
        INSERT INTO proof.ledger (part, epoch, login, address, what)
        VALUES (NEW.part, NEW.epoch, session_user, host(inet_client_addr()), 'takeover');
    ELSIF NEW.last_commit <> OLD.last_commit THEN
        INSERT INTO proof.ledger (part, epoch, login, address, what)
        VALUES (NEW.part, NEW.epoch, session_user, host(inet_client_addr()), 'commit');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON engine_owners FOR EACH ROW EXECUTE FUNCTION proof.note();
CREATE FUNCTION proof.only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position < OLD.position THEN
        INSERT INTO proof.steps_back VALUES (NEW.partition, OLD.position, NEW.position);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER only_forward AFTER UPDATE ON engine_positions FOR EACH ROW EXECUTE FUNCTION proof.only_forward();
"""


class Entry(msgspec.Struct, frozen=True):
    """One takeover or one commit, as the database took it. `login` tells which life of which process it was."""

    part: str
    epoch: int
    login: str
    address: str
    what: str
    at: float


class Ledger:
    """What was written down in one database."""

    def __init__(self, url: str) -> None:
        self._url = url
        asyncio.run(_execute(url, _LEDGER))

    def entries(self) -> list[Entry]:
        """In the order in which they took effect."""
        query = "SELECT part, epoch, login, address, what, extract(epoch FROM at)::float8 AS at FROM proof.ledger"
        return [Entry(**dict(row)) for row in ask(self._url, f"{query} ORDER BY number")]

    def takeovers(self) -> int:
        return sum(entry.what == "takeover" for entry in self.entries())

    def check(self) -> Counter[str]:
        """How many commits and takeovers there were, if none of them was made by somebody who had been replaced."""
        holders: dict[str, Entry] = {}
        for entry in self.entries():
            if entry.what == "takeover":
                before = holders.get(entry.part)
                assert before is None or entry.epoch == before.epoch + 1, f"epochs of {entry.part} do not go on by one"
                holders[entry.part] = entry
                continue
            holder = holders[entry.part]
            assert (entry.login, entry.epoch) == (holder.login, holder.epoch), (
                f"{entry.login} committed to {entry.part} although {holder.login} owned it (epoch {holder.epoch})"
            )
        assert ask(self._url, "SELECT * FROM proof.steps_back") == [], "a position went back"
        return Counter(entry.what for entry in self.entries())


def ask(url: str, query: str, *values: object) -> list[Any]:
    """The rows of one query. Raises OSError and what asyncpg raises when the database is away."""
    return asyncio.run(_ask(url, query, *values))


def position(url: str, names: str) -> int | None:
    """How far the parts whose names are like this were read, together; None while the database does not tell."""
    try:
        [row] = ask(url, "SELECT coalesce(sum(position), 0) FROM engine_positions WHERE partition LIKE $1", names)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    return int(row[0])


def drafts(url: str) -> list[bytes]:
    """The published lines of all records, by id, as `undisturbed` gives them."""
    return asyncio.run(_drafts(url))


def check_nothing_lost_or_doubled(url: str, events: int) -> None:
    """Every event is in the history once, nothing was refused, and each record was opened once."""
    [[kept]] = ask(url, "SELECT count(*) FROM event_history")
    [[different]] = ask(url, "SELECT count(*) FROM (SELECT DISTINCT source, event_id FROM event_history) AS one")
    [[refused]] = ask(url, "SELECT count(*) FROM rejects")
    assert (kept, different, refused) == (events, events, 0)
    opened = ask(url, "SELECT record_id, count(*) FROM audit WHERE action = 'open' GROUP BY record_id")
    [[records]] = ask(url, "SELECT count(*) FROM near_misses")
    assert len(opened) == records
    assert {count for _, count in opened} <= {1}


def difference(found: Sequence[bytes], expected: Sequence[bytes]) -> str:
    """The first lines that only one of the two has, to see what went wrong."""
    only_found, only_expected = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
    counts = f"{len(found)} drafts found, {len(expected)} expected"
    shown = [f"found    {line.decode()}" for line in only_found[:2]]
    shown += [f"expected {line.decode()}" for line in only_expected[:2]]
    return "\n".join([f"{counts}; {len(only_found)} only found, {len(only_expected)} only expected", *shown])


async def _drafts(url: str) -> list[bytes]:
    lines: list[bytes] = []
    async with open_store(url) as store:
        after: str | None = None
        while True:
            page = await store.near_misses.page(Query(), after, _PAGE)
            lines += [_line(record) for record in page.records]
            after = page.next
            if after is None:
                return sorted(lines)


def _line(record: Record) -> bytes:
    line = public_line(record.draft, record.state, record.reason)
    if record.merged_into is not None:
        line["merged_into"] = record.merged_into
    return msgspec.json.encode(line)


async def _ask(url: str, query: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


async def _execute(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()
