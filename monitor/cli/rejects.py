"""`nearmiss rejects`: what arrived and could not be read — list it, look at it, and have it read again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

import click
import msgspec

from monitor.cli.engine_options import printable
from monitor.cli.existing import open_existing
from monitor.cli.main import Group
from monitor.cli.settings_options import with_settings_of_group, with_shared_settings
from monitor.core.model.events import to_text
from monitor.intake.requeue import Requeued, can_be_read_again, plain_body, requeue
from monitor.ops.clock import SystemClock
from monitor.ports import JournalWriter, Reject
from monitor.settings import Settings
from monitor.store.database import Store, open_for_reading

_FAILED = 1
_PAGE = 200
_DETAIL_SHOWN = 100
Answer = TypeVar("Answer")


@click.group("rejects", cls=Group, short_help="List, show and requeue rejects.")
@with_settings_of_group
def group() -> None:
    """Input that could not be read, with its reason and its bytes.

    Accepted deliveries are stored in full; of refused ones only the beginning, as the detail says.
    """


@group.command("list")
@click.option("--format", "output", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Include requeued ones.")
@with_shared_settings
def list_rejects(settings: Settings, output: str, everything: bool) -> None:
    """List rejects, oldest first."""

    async def work(store: Store) -> None:
        async for reject in _every(store):
            if everything or reject.requeued_at is None:
                click.echo(_as_json(reject) if output == "jsonl" else _as_line(reject))

    _carry_out(work, open_for_reading(settings.database))


@group.command("show")
@click.argument("reject_id", metavar="ID", type=int)
@click.option("--body", "only_body", is_flag=True, help="Write only the body to standard output.")
@with_shared_settings
def show(settings: Settings, reject_id: int, only_body: bool) -> None:
    """Show one reject: reason, headers and bytes."""

    async def work(store: Store) -> Reject | None:
        return await store.rejects.get(reject_id)

    reject = _carry_out(work, open_for_reading(settings.database))
    if reject is None:
        raise click.ClickException(_missing(reject_id))
    if only_body:
        sys.stdout.buffer.write(plain_body(reject))
        return
    click.echo(f"id        {reject.id}")
    click.echo(f"source    {printable(reject.source)}")
    click.echo(f"received  {to_text(reject.received_at)}")
    click.echo(f"requeued  {to_text(reject.requeued_at) or 'no'}")
    click.echo(f"reason    {reject.reason}")
    for place, line in enumerate(reject.detail.splitlines() or [""]):
        click.echo(f"{'' if place else 'detail':<8}  {printable(line)}")
    for name, value in sorted(reject.headers.items()):
        click.echo(f"header    {printable(name)}: {printable(value)}")
    body = plain_body(reject)
    click.echo(f"body      {len(body)} bytes")
    for line in body.decode("utf-8", "backslashreplace").splitlines():
        click.echo(f"  {printable(line)}")


@group.command("requeue", short_help="Read rejects again with the current decoders.")
@click.argument("reject_ids", metavar="[ID]...", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All pending ones that were accepted.")
@with_shared_settings
def requeue_rejects(settings: Settings, reject_ids: tuple[int, ...], everything: bool) -> None:
    """Read rejects again with the current decoders, and append the events to the journal.

    Refused deliveries (bad signature, unknown source, too large, damaged compression) are skipped: the sender has to
    resend. Exits 1 if one still cannot be read; it stays a reject.
    """
    if everything == bool(reject_ids):
        raise click.UsageError("name the rejects or give --all, not both")

    async def work(store: Store) -> bool:
        async with _journal(settings, store) as writer:
            return await again(store, writer)

    async def again(store: Store, writer: JournalWriter) -> bool:
        clock = SystemClock()
        good = True
        wanted = sorted(reject_ids)
        if everything:
            wanted = [found.id async for found in _every(store) if can_be_read_again(found) and found.id is not None]
        for reject_id in wanted:
            reject = await store.rejects.get(reject_id)
            if reject is None:
                click.echo(_missing(reject_id), err=True)
                good = False
                continue
            done = await requeue(reject, writer, store.rejects, clock, settings.future_tolerance, settings.access())
            click.echo(_said(done))
            good = good and done.is_done
        return good

    if not _carry_out(work, open_existing(settings.database)):
        sys.exit(_FAILED)


@asynccontextmanager
async def _journal(settings: Settings, store: Store) -> AsyncIterator[JournalWriter]:
    """Where the engine reads: the configured topic, or the journal in the database."""
    if not settings.kafka.is_used:
        await store.binding.check()
        yield store.journal
        return
    # Imported here: where Kafka is not used, nothing of it is loaded.
    from monitor.kafka.writer import KafkaWriter

    writer = KafkaWriter(settings.kafka)
    try:
        yield writer
    finally:
        await writer.close()


def _said(done: Requeued) -> str:
    if done.still:
        return f"{done.reject_id}: still unreadable: {printable(done.still[0])}"
    if done.accepted or done.duplicates:
        return f"{done.reject_id}: {done.accepted} accepted, {done.duplicates} known already"
    return f"{done.reject_id}: read, and gives no event: {', '.join(done.ignored) or 'empty'}"


def _as_line(reject: Reject) -> str:
    detail = printable((reject.detail.splitlines() or [""])[0])
    if len(detail) > _DETAIL_SHOWN:
        detail = detail[: _DETAIL_SHOWN - 1] + "…"
    again = " (requeued)" if reject.requeued_at is not None else ""
    return (
        f"{reject.id:>6}  {to_text(reject.received_at)}  {printable(reject.source)}  {reject.reason}{again}  {detail}"
    )


def _as_json(reject: Reject) -> bytes:
    return msgspec.json.encode(
        {
            "id": reject.id,
            "source": reject.source,
            "received_at": to_text(reject.received_at),
            "reason": reject.reason,
            "detail": reject.detail,
            "bytes": len(reject.body),
            "requeued_at": to_text(reject.requeued_at),
        }
    )


def _missing(reject_id: int) -> str:
    return f"there is no reject {reject_id}; `nearmiss rejects list` shows those that there are"


async def _every(store: Store) -> AsyncIterator[Reject]:
    after: int | None = None
    while page := await store.rejects.page(after, _PAGE):
        for reject in page:
            yield reject
        after = page[-1].id


def _carry_out(work: Callable[[Store], Awaitable[Answer]], opened: AbstractAsyncContextManager[Store]) -> Answer:
    async def run() -> Answer:
        async with opened as store:
            return await work(store)

    return asyncio.run(run())
