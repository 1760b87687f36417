"""Puts the service together and takes it apart again: settings → adapters → running roles; orderly stop.

The only module that knows every adapter. Decides the order of start and stop, and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from uuid import uuid4

import msgspec
import uvicorn
from fastapi import FastAPI, Response

from monitor.core.engine import Engine, EngineSettings
from monitor.core.events import SECOND
from monitor.core.lineage import Lineage
from monitor.core.matching import Matcher
from monitor.core.near_miss import UNDECIDED
from monitor.decode.registry import SOURCES
from monitor.intake.receiver import Receiver
from monitor.intake.webhooks import IntakeSettings, build_router
from monitor.kafka.dead_letters import DeadLetters
from monitor.kafka.hint import HintingStore
from monitor.kafka.source import KafkaReader
from monitor.kafka.writer import KafkaWriter
from monitor.ops import logs
from monitor.ops.clock import SystemClock
from monitor.ops.hangup import asked_by_hangup
from monitor.ops.health import Readiness
from monitor.ops.metrics import CONTENT_TYPE, Metrics
from monitor.ops.stop import stop_on_signals
from monitor.ops.tasks import WatchedTasks
from monitor.packs.pack import LoadedPack, load_pack, marks_of
from monitor.packs.regex import make_regex
from monitor.pipeline.housekeeping import Housekeeper
from monitor.pipeline.loop import EngineLoop, LoopSettings, LoopState
from monitor.pipeline.pack import Current, Pack
from monitor.pipeline.reload import Read, Reloader
from monitor.ports import EngineStore, JournalReader, JournalWriter, Saved, Unavailable
from monitor.review.auth import is_loopback
from monitor.review.budget import ReviewBudget
from monitor.review.web import build_app
from monitor.settings import Settings
from monitor.store.database import Store, open_store

_log = logs.get_logger("app")

REQUEST_GRACE = 10
"""Seconds that requests under way get at the stop before they are cut off."""
_FLUSH_GRACE = 20.0
"""Seconds that the engine gets at the stop to commit what is whole."""


class PortTaken(Exception):
    """Somebody else listens at the address, or it is not ours to listen at."""


Companion = Callable[[str, asyncio.Event], Awaitable[None]]
"""Runs beside the service once it answers; gets its address and the event that says that the stop has begun."""


async def serve(settings: Settings, pack: Pack, listener: socket.socket, companion: Companion) -> None:
    """Run every role until SIGTERM or SIGINT, then stop in order: intake, open requests, engine, store.

    Raises TaskFailed when a part died; NewerDatabase, OutdatedDatabase, Unavailable when the database cannot be used;
    KafkaProblem when the topics cannot.
    """
    with stop_on_signals() as stop, asked_by_hangup(stop) as asked:
        clock = SystemClock()
        metrics = Metrics(sources=SOURCES, version=version("nearmiss-monitor"))
        current = Current(pack, clock, metrics)
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(open_store(settings.database))
            journal = await _journal(settings, store, clock, metrics, stack)
            loop = EngineLoop(
                journal.reader,
                journal.memory,
                _engine_maker(settings, current),
                clock,
                metrics,
                LoopSettings(lateness=settings.lateness),
                owner=f"{socket.gethostname()}/{uuid4()}",
                keeps_history=journal.needs_history,
                current=current,
            )
            app = build_web(settings, current, store, journal, loop, clock, metrics)
            server = _Server(
                uvicorn.Config(
                    app,
                    log_config=None,
                    access_log=False,
                    timeout_graceful_shutdown=REQUEST_GRACE,
                    server_header=False,
                    proxy_headers=False,
                )
            )
            tasks = await stack.enter_async_context(WatchedTasks())
            # What is loaded by now stays until the end; a collector that looked at it again would only delay answers.
            gc.freeze()
            engine_stop = asyncio.Event()
            # The stop goes backwards: what was started last ends first.
            tasks.start("engine", loop.run(engine_stop))
            housekeeper = Housekeeper(store.retention, settings.retention.policy(), clock, metrics)
            tasks.start("housekeeping", housekeeper.run(engine_stop))
            if settings.kafka.is_used and settings.kafka.dead_letter:
                letters = DeadLetters(settings.kafka, store.rejects, metrics)
                tasks.start("dead_letters", letters.run(engine_stop))
            tasks.start("http", server.serve(sockets=[listener]))
            tasks.start("reload", _reloader(settings, current).run(stop.event, asked), may_end=True)
            tasks.start("companion", _accompany(server, companion, address_of(listener), stop.event), may_end=True)
            try:
                await tasks.watch(stop.event)
            finally:
                # Also when a part died: what was acknowledged is durable, and requests under way get their answer.
                stop.request("a part of the service ended")
                asked.set()
                app.state.live.close()
                server.should_exit = True
                await server.ended.wait()
                engine_stop.set()
                await tasks.end(grace=_FLUSH_GRACE)
        _log.info("stopped")


class _Journal(msgspec.Struct, frozen=True):
    """The journal of this service, seen by who writes it, who reads it and who remembers the place in it."""

    writer: JournalWriter
    reader: JournalReader
    memory: EngineStore
    trouble: Callable[[], Awaitable[str | None]]
    needs_history: bool
    """Whether events must be kept as history beside it: Kafka forgets, the SQL journal does not."""


async def _journal(
    settings: Settings, store: Store, clock: SystemClock, metrics: Metrics, stack: AsyncExitStack
) -> _Journal:
    """Kafka's topics where they are set, else the journal of the database. Raises KafkaProblem."""
    if not settings.kafka.is_used:
        return _Journal(store.journal, store.journal, store.engine_store, _no_trouble, needs_history=False)
    writer = KafkaWriter(settings.kafka)
    stack.push_async_callback(writer.close)
    reader = KafkaReader(settings.kafka, clock, metrics, future_tolerance=settings.future_tolerance, book=store.topics)
    stack.push_async_callback(reader.close)
    memory = HintingStore(store.engine_store, settings.kafka, clock)
    stack.push_async_callback(memory.close)
    try:
        await reader.start()
    except Unavailable as error:
        # The engine tries again for as long as it takes; until then the readiness says that it is paused.
        _log.warning("kafka_away_at_start", why=str(error))
    return _Journal(writer, reader, memory, reader.trouble, needs_history=True)


async def _no_trouble() -> None:
    """The journal of the database has no topics that could be halted."""


def build_web(
    settings: Settings,
    current: Current,
    store: Store,
    journal: _Journal,
    loop: EngineLoop,
    clock: SystemClock,
    metrics: Metrics,
) -> FastAPI:
    """The one web application: review, intake and what operators ask."""
    budget = ReviewBudget(store.near_misses, lambda: current.pack.catalogue, settings.review_budget)
    app = build_app(
        store.near_misses,
        journal.writer,
        clock,
        metrics,
        settings.auth(),
        budget=budget,
        version=version("nearmiss-monitor"),
        active_pack=lambda: current.status,
        services=lambda: current.pack.catalogue.services,
    )
    _warn_of_open_sources(settings)
    receiver = Receiver(journal.writer, store.rejects, clock, metrics, settings.future_tolerance)
    app.include_router(build_router(receiver, clock, _intake_settings(settings)))
    # Routes are tried in their order, and nearly every request is a delivery.
    app.router.routes.insert(0, app.router.routes.pop())
    readiness = Readiness()
    readiness.add("store", _store_check(store))
    readiness.add("engine", _engine_check(loop))
    if settings.kafka.is_used:
        readiness.add("topics", journal.trouble, is_remark=True)

    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> Response:
        await _measure_queue(store, budget, clock, metrics)
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    @app.get("/healthz", include_in_schema=False)
    async def alive() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> Response:
        report = await readiness.report()
        return Response(report.body, report.status, media_type="application/json")

    return app


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        hint = "choose another with --port, or --port 0 for any free one"
        raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror or error}; {hint}") from error
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> str:
    """The address that a browser on this machine can open."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 -- shown, not bound
    return f"http://{shown}:{port}"


async def _accompany(server: _Server, companion: Companion, address: str, stop: asyncio.Event) -> None:
    await server.answers.wait()
    await companion(address, stop)


def _engine_maker(settings: Settings, current: Current) -> Callable[[Saved], Engine]:
    def make(saved: Saved) -> Engine:
        pack, how = current.pack, EngineSettings(lateness=settings.lateness)
        return Engine(pack.rules, pack.catalogue, make_regex, how, saved.cells, compiled=pack.compiled)

    return make


def compiled_pack(loaded: LoadedPack) -> Pack:
    """What the engines need of rules and catalogue that were read without an error."""
    rules, catalogue = loaded.rules.rules, loaded.catalogue.catalogue
    compiled = Matcher(rules, catalogue, Lineage(), make_regex)
    return Pack(
        rules, catalogue, loaded.rules.content_hash, loaded.catalogue.content_hash, compiled, marks=loaded.marks
    )


def _reloader(settings: Settings, current: Current) -> Reloader:
    def read() -> Read:
        loaded = load_pack(settings.rules, settings.catalogue)
        if loaded.errors:
            return Read(None, tuple(str(problem) for problem in loaded.errors))
        return Read(compiled_pack(loaded))

    every = settings.watch_every / SECOND if settings.watch_every else None
    return Reloader(current, read, partial(marks_of, settings.rules, settings.catalogue), every)


def _intake_settings(settings: Settings) -> IntakeSettings:
    secrets = {
        source: tuple(secret.get_secret_value() for secret in several) for source, several in settings.secrets.items()
    }
    return IntakeSettings(body_limit=settings.body_limit, secrets=secrets)


def _warn_of_open_sources(settings: Settings) -> None:
    """Accounts protect the review, not the intake: there each source proves itself by its secret."""
    vendors = {source.partition("/")[0] for source in settings.secrets}
    if not is_loopback(settings.host) and (open_sources := sorted(SOURCES - vendors)):
        _log.warning("sources_without_secret", sources=open_sources, host=settings.host)


def _store_check(store: Store) -> Callable[[], Awaitable[str | None]]:
    async def check() -> str | None:
        try:
            await store.ping()
        except Unavailable:
            return "the database does not answer"
        return None

    return check


def _engine_check(loop: EngineLoop) -> Callable[[], Awaitable[str | None]]:
    async def check() -> str | None:
        works = loop.state in (LoopState.RUNNING, LoopState.STANDBY)
        return None if works else f"the engine is {loop.state}"

    return check


async def _measure_queue(store: Store, budget: ReviewBudget, clock: SystemClock, metrics: Metrics) -> None:
    """These are looked up when somebody asks, since they change without the engine too."""
    try:
        counts = await store.near_misses.counts()
        oldest = await store.near_misses.oldest_undecided_at()
        folded = await budget.folded()
    except Unavailable:
        # The last known numbers stay; `nearmiss_store_unavailable_total` and the readiness tell why.
        metrics.store_unavailable.inc()
        return
    metrics.undecided_drafts.set(sum(counts.get(state, 0) for state in UNDECIDED))
    metrics.folded_drafts.set(len(folded))
    metrics.oldest_undecided_age.set(0 if oldest is None else max(clock.now() - oldest, 0) / SECOND)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the stop is ours, since the engine must end after the last request."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()
        self.ended = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        finally:
            self.ended.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
