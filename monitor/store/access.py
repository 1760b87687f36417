"""Sessions, API tokens, and the chained log, on SQL. Only hashes of secrets come here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.events import HOUR, Instant
from monitor.ops.tasks import to_the_end
from monitor.ports.access import ApiToken, Chained, Session
from monitor.store.codec import instant, plain
from monitor.store.connections import Database
from monitor.store.tables import access_chain, access_head, access_sessions, access_tokens

FIRST = "0" * 64
"""What the first line follows."""
_PAGE = 500


def digest(previous: str, at: int, by: str, action: str, subject: str, detail: str) -> str:
    """The hash of a line: over its predecessor's and all its fields, in one unambiguous form."""
    written = json.dumps([previous, at, by, action, subject, detail], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


async def append_to_chain(
    connection: AsyncConnection, at: Instant, by: str, action: str, subject: str, detail: str
) -> None:
    """One line, in the transaction of what it tells. The head's row is locked, so that lines follow each other."""
    by, subject, detail = plain(by), plain(subject), plain(detail)
    head = (await connection.execute(select(access_head).with_for_update())).one_or_none()
    previous = FIRST if head is None else head.hash
    hashed = digest(previous, int(at), by, action, subject, detail)
    line = {"at": int(at), "by": by, "action": action, "subject": subject, "detail": detail}
    appended = insert(access_chain).values(**line, previous=previous, hash=hashed)
    if head is None:
        await connection.execute(appended)
        await connection.execute(insert(access_head).values(id=1, lines=1, hash=hashed))
        return
    moved = update(access_head).values(lines=head.lines + 1, hash=hashed)
    if connection.sync_connection is not None and connection.sync_connection.dialect.name == "postgresql":
        # Both in one statement: a second decision meanwhile waits for the head.
        await connection.execute(moved.add_cte(appended.cte("line")))
    else:
        await connection.execute(appended)
        await connection.execute(moved)


class SqlAccess:
    """Access on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def open_session(self, session: Session, by: str) -> None:
        values = {name: getattr(session, name) for name in Session.__struct_fields__}
        async with self._database.writing() as connection:
            await connection.execute(
                delete(access_sessions).where(access_sessions.c.expires_at <= int(session.created_at))
            )
            await connection.execute(insert(access_sessions).values(**values))
            detail = json.dumps({"name": session.name, "grants": session.grants}, sort_keys=True)
            await append_to_chain(connection, session.created_at, by, "signed_in", session.id, detail)

    async def session(self, key: bytes, now: Instant) -> Session | None:
        statement = select(access_sessions).where(access_sessions.c.key == key, access_sessions.c.expires_at > int(now))
        row = await self._database.read_at_once(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else _session(row)

    async def sessions(self, now: Instant) -> list[Session]:
        statement = select(access_sessions).where(access_sessions.c.expires_at > int(now))
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(access_sessions.c.created_at))
            return [_session(row) for row in rows]

    @to_the_end
    async def end_session(self, session_id: str, by: str, at: Instant) -> bool:
        async with self._database.writing() as connection:
            ended = await connection.execute(delete(access_sessions).where(access_sessions.c.id == session_id))
            if ended.rowcount:
                await append_to_chain(connection, at, by, "session_ended", session_id, "")
        return bool(ended.rowcount)

    @to_the_end
    async def add_token(self, token: ApiToken) -> None:
        values = {name: getattr(token, name) for name in ApiToken.__struct_fields__}
        async with self._database.writing() as connection:
            await connection.execute(insert(access_tokens).values(**values))
            detail = json.dumps({"name": token.name, "grants": token.grants}, sort_keys=True)
            await append_to_chain(connection, token.created_at, token.created_by, "token_made", token.id, detail)

    async def token(self, key: bytes, now: Instant) -> ApiToken | None:
        found = select(access_tokens).where(access_tokens.c.key == key, access_tokens.c.expires_at > int(now))
        row = await self._database.read_at_once(lambda connection: connection.execute(found).one_or_none())
        if row is None:
            return None
        if row.last_used_at is None or now - row.last_used_at > HOUR:
            async with self._database.writing() as connection:
                used = update(access_tokens).where(access_tokens.c.id == row.id).values(last_used_at=int(now))
                await connection.execute(used)
        return _token(row)

    async def tokens(self) -> list[ApiToken]:
        async with self._database.reading() as connection:
            rows = await connection.execute(select(access_tokens).order_by(access_tokens.c.created_at))
            return [_token(row) for row in rows]

    @to_the_end
    async def rest_tokens(self, created_by: str, proof: str) -> None:
        rest = update(access_tokens).where(access_tokens.c.created_by == plain(created_by))
        async with self._database.writing() as connection:
            await connection.execute(rest.values(proof=proof))

    @to_the_end
    async def revoke_token(self, token_id: str, by: str, at: Instant) -> bool:
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(access_tokens).where(access_tokens.c.id == token_id))
            if gone.rowcount:
                await append_to_chain(connection, at, by, "token_revoked", token_id, "")
        return bool(gone.rowcount)

    @to_the_end
    async def log(self, by: str, action: str, subject: str, detail: str, at: Instant) -> None:
        async with self._database.writing() as connection:
            await append_to_chain(connection, at, by, action, subject, detail)

    async def chain(self) -> AsyncIterator[Chained]:
        after = 0
        while True:
            page = select(access_chain).where(access_chain.c.id > after).order_by(access_chain.c.id).limit(_PAGE)
            async with self._database.reading() as connection:
                rows = (await connection.execute(page)).all()
            for row in rows:
                yield Chained(
                    row.id, Instant(row.at), row.by, row.action, row.subject, row.detail, row.previous, row.hash
                )
            if len(rows) < _PAGE:
                return
            after = rows[-1].id

    async def head(self) -> tuple[int, str]:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(access_head))).one_or_none()
        return (0, FIRST) if row is None else (row.lines, row.hash)


async def broken_at(chain: AsyncIterator[Chained], head: tuple[int, str], expected: str | None = None) -> str | None:
    """What is wrong with the log; None where every line follows its predecessor up to the head.

    `expected`: a hash that was noted earlier and must still be in the log.
    """
    previous, lines, met = FIRST, 0, expected in (None, FIRST)
    async for line in chain:
        lines += 1
        told = digest(line.previous, int(line.at), line.by, line.action, line.subject, line.detail)
        if line.previous != previous:
            return f"line {line.id} does not follow the line before it: one was removed or put in"
        if told != line.hash:
            return f"line {line.id} was changed after it was written"
        previous, met = line.hash, met or line.hash == expected
    if (lines, previous) != head:
        return f"{head[0]} lines were written and {lines} are there: lines at the end were removed"
    return None if met else f"no line has the hash {expected}: the log was written again"


def _session(row: object) -> Session:
    values = {name: getattr(row, name) for name in Session.__struct_fields__}
    return Session(
        **{**values, "created_at": Instant(values["created_at"]), "expires_at": Instant(values["expires_at"])}
    )


def _token(row: object) -> ApiToken:
    values = {name: getattr(row, name) for name in ApiToken.__struct_fields__}
    times = {name: instant(values[name]) for name in ("created_at", "expires_at", "last_used_at")}
    return ApiToken(**{**values, **times})
