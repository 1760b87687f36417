"""Adds events to the history by the thousand: those that are there already are left out.

Knows the history's columns and each database's quickest way in; must not know what events mean.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.model.events import Event
from monitor.store.bulk import add_new
from monitor.store.codec import encode_event
from monitor.store.journal import EVENT_COLUMNS, event_row
from monitor.store.tables import event_history

Arrived = tuple[Event, bytes]
"""An event, and its JSON where the caller has it."""

_ARRIVED = "arrived_events"
_COLUMNS = ", ".join(EVENT_COLUMNS)
_TABLE = text(
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {_ARRIVED} (source text, event_id text, at bigint, service text, kind text,"
    " body bytea) ON COMMIT DELETE ROWS"
)
_MOVE = text(
    f"INSERT INTO {event_history.name} ({_COLUMNS}) SELECT {_COLUMNS} FROM {_ARRIVED} ON CONFLICT DO NOTHING"  # noqa: S608 - names of our own tables
)


_RIGHT = text("SELECT current_user, current_database(), has_database_privilege(current_database(), 'TEMPORARY')")


async def missing_right(connection: AsyncConnection) -> str | None:
    """What an operator has to grant before events can be added; None where nothing is missing."""
    if connection.dialect.name == "sqlite":
        return None
    user, database, may = (await connection.execute(_RIGHT)).one()
    if may:
        return None
    return (
        f"the user {user} may create no temporary tables in the database {database}, through one of which events go "
        f'into the history: run GRANT TEMPORARY ON DATABASE "{database}" TO "{user}"'
    )


async def add_events(connection: AsyncConnection, arrived: Sequence[Arrived]) -> None:
    """Within the caller's transaction, in the order given.

    On PostgreSQL they go by COPY, which cannot leave any out, into a table of the session, and on from there in one
    statement: as arrays they would cost twice as much here and a fifth more there.
    """
    rows = (event_row(event, body or encode_event(event)) for event, body in arrived)
    if connection.dialect.name == "sqlite":
        await add_new(connection, event_history, EVENT_COLUMNS, rows)
        return
    await connection.execute(_TABLE)
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    # The driver makes rows as it sends them, half a megabyte at a time, and lets others run when the socket is full.
    await driver.copy_records_to_table(_ARRIVED, records=rows, columns=EVENT_COLUMNS)
    await connection.execute(_MOVE)
