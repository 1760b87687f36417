"""Opens the journal that the settings ask for, with the work that belongs to it in the roles of this process.

The database's, Kafka's, or a topic that several engines share: decides which adapters fit together. Must not know the
web, the rules, or how engines are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol

import msgspec

from monitor.app.metrics import Metrics
from monitor.core.sharding.routing import Router, shards_of
from monitor.kafka.dead_letters import DeadLetters
from monitor.kafka.group import Membership
from monitor.kafka.offset_committer import OffsetCommitter
from monitor.kafka.routed import RoutedReader, RoutingWriter, settle_partitions
from monitor.kafka.settings import INTAKE, PLACES_OF_INTAKE, KafkaSettings
from monitor.kafka.source import KafkaReader
from monitor.kafka.writer import KafkaWriter
from monitor.ops.clock import SystemClock
from monitor.ops.logs import get_logger
from monitor.ops.tasks import TaskFailed, WatchedTasks
from monitor.pipeline.forward import Forwarder, NoTopics, forward_rest
from monitor.pipeline.lease import LeaseSettings, LoopState
from monitor.pipeline.loop import EngineLoop
from monitor.pipeline.store_watch import watch_store
from monitor.pipeline.worker_pool import Worker, WorkerPool
from monitor.ports import WHOLE, Commit, EngineStore, Held, JournalReader, JournalWriter, Saved, Unavailable
from monitor.settings import Settings
from monitor.store.database import Store
from monitor.store.journal import JournalLost

_log = get_logger("app")
FLUSH_GRACE = 20.0
"""Seconds that the engine gets at the stop to commit what is whole."""
_GROUP_OF_INTAKE = "{}-ingest"
_LEASE = LeaseSettings()
Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Runs until the event is set."""


class MakeLoop(Protocol):
    """A loop over a reader. With `shards` it has their engines, and owns the part of that name."""

    def __call__(
        self,
        reader: JournalReader,
        memory: EngineStore,
        *,
        keeps_history: bool,
        part: str = WHOLE,
        shards: Sequence[int] = (),
    ) -> EngineLoop: ...


class Journal(msgspec.Struct, frozen=True):
    """Where events are written, what this process does with them, and what an operator should know.

    `works` by name in the order in which they start; `engine` says why the engine is not ready, `trouble` what is wrong
    although it works.
    """

    writer: JournalWriter
    works: dict[str, Work]
    engine: Callable[[], str | None]
    trouble: Callable[[], Awaitable[str | None]]


class Context(msgspec.Struct, frozen=True):
    """What every journal needs. `owner` names this process; `router` is by the catalogue in force."""

    settings: Settings
    store: Store
    clock: SystemClock
    metrics: Metrics
    owner: str
    make_loop: MakeLoop
    router: Callable[[], Router]

    def has(self, role: str) -> bool:
        return role in self.settings.roles


async def open_journal(context: Context, stack: AsyncExitStack) -> Journal:
    """Kafka's topics where they are set, else the journal of the database.

    Raises KafkaProblem, JournalLost, Unavailable.
    """
    kafka = context.settings.kafka
    if not kafka.is_used:
        return await _of_database(context)
    journal = await (_shared(context, stack) if kafka.canonical else _alone(context, stack))
    if kafka.dead_letter and context.has("ingest"):
        letters = DeadLetters(kafka, context.store.rejects, context.metrics)
        journal.works["dead_letters"] = letters.run
    return journal


async def _of_database(context: Context) -> Journal:
    """Raises JournalLost before anything is taken in that could not be read."""
    store = context.store
    await store.binding.check()
    loop = context.make_loop(store.journal, store.engine_store, keeps_history=False)
    return _with_one_engine(context, store.journal, loop, _no_trouble)


async def _alone(context: Context, stack: AsyncExitStack) -> Journal:
    """One engine reads all topics itself."""
    kafka, store = context.settings.kafka, context.store
    writer = KafkaWriter(kafka)
    stack.push_async_callback(writer.close)
    await _empty_the_database(context, writer)
    reader = _reader(context, kafka)
    stack.push_async_callback(reader.close)
    memory = OffsetCommitter(store.engine_store, kafka, context.clock)
    stack.push_async_callback(memory.close)
    try:
        await reader.start()
    except Unavailable as error:
        # The engine tries again for as long as it takes; until then the readiness says that it is paused.
        _log.warning("kafka_away_at_start", why=str(error))
    loop = context.make_loop(reader, memory, keeps_history=True)
    return _with_one_engine(context, writer, loop, reader.trouble)


async def _empty_the_database(context: Context, writer: JournalWriter) -> None:
    """What was taken in before there were topics and not read yet was acknowledged: it goes the new way."""
    if not (context.has("engine") or context.has("ingest")):
        return
    journal, memory = context.store.journal, context.store.engine_store
    try:
        rest = await journal.read(await context.store.topics.positions(), 1)
        if rest.events or rest.rejects or not rest.at_head:
            carried = await forward_rest(journal, writer, memory, context.clock, context.owner, _LEASE.ttl)
            _log.info("journal_forwarded", events=carried)
    except Held as error:
        raise Unavailable(
            f"the journal of the database has events that nobody has read, and {error.owner} is at work on it; "
            "expected that it is stopped before kafka.* is set. Stop it, and start this again a few seconds later"
        ) from None
    except JournalLost as error:
        # What is gone cannot be carried, and is no reason not to read the topics.
        _log.warning("journal_not_forwarded", why=str(error))


def _with_one_engine(
    context: Context, writer: JournalWriter, loop: EngineLoop, trouble: Callable[[], Awaitable[str | None]]
) -> Journal:
    if not context.has("engine"):
        return Journal(writer, {}, _nothing, _no_trouble)

    def engine() -> str | None:
        works = loop.state in (LoopState.RUNNING, LoopState.STANDBY)
        return None if works else f"the engine is {loop.state}"

    return Journal(writer, {"engine": loop.run}, engine, trouble)


async def _shared(context: Context, stack: AsyncExitStack) -> Journal:
    """Several engines share the canonical topic; whoever takes in what arrives writes it there."""
    kafka, store = context.settings.kafka, context.store
    partitions = await settle_partitions(kafka, store.topics)
    writer = RoutingWriter(kafka.shared, context.router, partitions)
    stack.push_async_callback(writer.close)
    await _empty_the_database(context, writer)
    works: dict[str, Work] = {}
    troubles: list[Callable[[], str | None]] = []
    if context.has("engine"):
        member = Membership(kafka, str(kafka.group), kafka.canonical, partitions)
        pool = WorkerPool(member, lambda part: _engines(context, member, part, partitions), FLUSH_GRACE)
        troubles.append(lambda: pool.trouble)
        works["engine"] = lambda stop: _in_group(member, pool, store.ping, stop)
    trouble: Callable[[], Awaitable[str | None]] = _no_trouble
    if context.has("ingest"):
        source: JournalReader = NoTopics()
        if kafka.topics:
            source = reader = _reader(context, kafka)
            stack.push_async_callback(reader.close)
            trouble = reader.trouble
        memory = _memory_of_intake(context)
        stack.push_async_callback(memory.close)
        carrier = Forwarder(
            source,
            writer,
            memory,
            context.clock,
            context.metrics,
            owner=context.owner,
            part=INTAKE,
            lateness=context.settings.lateness,
            settings=_LEASE,
        )
        troubles.append(lambda: "reading the topics is paused" if carrier.state is LoopState.PAUSED else None)
        works["intake"] = carrier.run
    return Journal(writer, works, lambda: next(filter(None, (told() for told in troubles)), None), trouble)


def _engines(context: Context, membership: Membership, part: str, partitions: int) -> Worker:
    """The engines of one partition."""
    number = int(part.rpartition("/")[2])
    reader = _reader(context, context.settings.kafka.shared, only=part)
    routed = RoutedReader(reader, context.router, number, partitions, context.clock)
    memory = _Telling(context.store.engine_store, membership)
    shards = shards_of(number, partitions)
    return _Closing(context.make_loop(routed, memory, keeps_history=True, part=part, shards=shards), reader)


def _reader(context: Context, kafka: KafkaSettings, only: str | None = None) -> KafkaReader:
    return KafkaReader(
        kafka,
        context.clock,
        context.metrics,
        future_tolerance=context.settings.future_tolerance,
        book=context.store.topics,
        only=only,
    )


def _memory_of_intake(context: Context) -> OffsetCommitter:
    """Where the reading of the topics stands, which the engines' places do not tell."""
    kafka = context.settings.kafka
    hinted = kafka.model_copy(update={"group": _GROUP_OF_INTAKE.format(kafka.group)})
    return OffsetCommitter(_Apart(context.store.engine_store, PLACES_OF_INTAKE), hinted, context.clock)


async def _in_group(
    membership: Membership, pool: WorkerPool, ping: Callable[[], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Be a member for as long as the pool works: first it commits what is whole, then the group is left.

    Raises what either of them died of.
    """
    leave, end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await pool.run(end)
        finally:
            leave.set()

    async with WatchedTasks() as tasks:
        tasks.start("group", membership.run(leave), may_end=True)
        tasks.start("pool", work(), may_end=True)
        tasks.start("reach", watch_store(lambda: pool.silence, ping, membership, end), may_end=True)
        try:
            await tasks.watch(stop)
        except TaskFailed as error:
            raise error.__cause__ or error from error
        finally:
            end.set()
            await tasks.end(FLUSH_GRACE)


class _Closing:
    """A worker whose connection ends with it."""

    def __init__(self, worker: Worker, reader: KafkaReader) -> None:
        self._worker = worker
        self._reader = reader

    @property
    def state(self) -> LoopState:
        return self._worker.state

    @property
    def silence(self) -> float:
        return self._worker.silence

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await self._worker.run(stop)
        finally:
            await self._reader.close()


class _Behind:
    """An `EngineStore` that hands everything on."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        """Raises Held, Unavailable."""
        return await self._store.acquire(owner, part, scopes, lease)

    async def commit(self, commit: Commit) -> int:
        """Raises Fenced, Unavailable."""
        return await self._store.commit(commit)

    async def heartbeat(self, part: str, epoch: int) -> None:
        """Raises Fenced, Unavailable."""
        await self._store.heartbeat(part, epoch)

    async def release(self, part: str, epoch: int) -> None:
        """Raises Unavailable."""
        await self._store.release(part, epoch)


class _Telling(_Behind):
    """Lets the group know where its owner stands, after each commit."""

    def __init__(self, store: EngineStore, membership: Membership) -> None:
        super().__init__(store)
        self._membership = membership

    async def commit(self, commit: Commit) -> int:
        contradicted = await super().commit(commit)
        self._membership.stands_at(commit.positions)
        return contradicted


class _Apart(_Behind):
    """Keeps positions under names of their own: an engine that reads the same topics by itself has other ones."""

    def __init__(self, store: EngineStore, prefix: str) -> None:
        super().__init__(store)
        self._prefix = prefix

    async def acquire(self, owner: str, part: str = WHOLE, scopes: Sequence[str] = (), lease: int = 0) -> Saved:
        saved = await super().acquire(owner, part, scopes, lease)
        positions = {name.removeprefix(self._prefix): position for name, position in saved.positions.items()}
        return msgspec.structs.replace(saved, positions=positions)

    async def commit(self, commit: Commit) -> int:
        positions = {f"{self._prefix}{name}": position for name, position in commit.positions.items()}
        return await super().commit(msgspec.structs.replace(commit, positions=positions))


def _nothing() -> None:
    """There is no engine here that could be in trouble."""


async def _no_trouble() -> None:
    """There are no topics here that could be halted."""
