"""Puts the service together and takes it apart again: settings → adapters → running roles; orderly stop.

The only module that knows every adapter. Decides the order of start and stop, and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib.metadata import version
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Response

from monitor.app.chat import build_office
from monitor.app.journals import FLUSH_GRACE, Context, Journal, MakeLoop, open_journal
from monitor.app.metrics import Metrics
from monitor.app.readiness import readiness_of
from monitor.app.server import ConnectionLimits, Server, room_for
from monitor.asking import webs
from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.matching.last_values import LastValues
from monitor.core.matching.matcher import Matcher
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import SECOND
from monitor.core.model.feed_views import FeedsView
from monitor.core.sharding.routing import Router
from monitor.core.sharding.shards import Shards, scopes_of
from monitor.decode.registry import SOURCES
from monitor.feeds.overview import overview
from monitor.feeds.pull import Puller
from monitor.feeds.queries import PulledFeed
from monitor.feeds.tools import Tools
from monitor.intake.backlog import Backlog
from monitor.intake.flight import Flight
from monitor.intake.receiver import Receiver
from monitor.intake.webhooks import IntakeSettings, build_router
from monitor.ops import logs
from monitor.ops.clock import SystemClock
from monitor.ops.exposition import CONTENT_TYPE
from monitor.ops.hangup import asked_by_hangup
from monitor.ops.memory_limit import within_limit
from monitor.ops.refusals import Refusals
from monitor.ops.sampling import Sampler
from monitor.ops.stop import stop_on_signals
from monitor.ops.tasks import WatchedTasks, in_thread, restarted
from monitor.packs.language.regex import make_regex
from monitor.packs.pack import LoadedPack, load_pack, marks_of
from monitor.pipeline.bookkeeping import Bookkeeper
from monitor.pipeline.coverage_watch import CoverageWatch
from monitor.pipeline.current_pack import Current, Pack
from monitor.pipeline.housekeeping import Housekeeper
from monitor.pipeline.loop import EngineLoop, LoopSettings
from monitor.pipeline.reload import Read, Reloader
from monitor.ports import WHOLE, Clock, EngineStore, JournalReader, Saved, Unavailable
from monitor.pullers.pull import Pulls
from monitor.review.auth import is_loopback
from monitor.review.budget import ReviewBudget
from monitor.review.hints import HINTS
from monitor.review.queue_watch import QueueWatch
from monitor.review.setup import Setup
from monitor.review.web import build_app
from monitor.settings import Settings
from monitor.store.database import Store, open_store

_log = logs.get_logger("app")

PREPARE_SECONDS = 5.0
"""So long the start waits for what the first view needs."""
COLLECT_AFTER = (10_000, 20, 100)


class PortTaken(Exception):
    """Somebody else listens at the address, or it is not ours to listen at."""


_Parts = dict[str, Callable[[], Coroutine[Any, Any, None]]]
"""Parts that the service goes on without, by name."""
Companion = Callable[[str, asyncio.Event], Awaitable[None]]
"""Runs beside the service once it answers; gets its address and the event that says that the stop has begun."""


async def serve(settings: Settings, pack: Pack, listener: socket.socket, companion: Companion) -> None:
    """Run every role until SIGTERM or SIGINT, then stop in order: intake, open requests, engine, store.

    Raises TaskFailed when a part died; NewerDatabase, OutdatedDatabase, MissingRight, Unavailable when the
    database cannot be used; KafkaProblem when the topics cannot.
    """
    with stop_on_signals() as stop, asked_by_hangup(stop) as asked:
        clock = SystemClock()
        metrics = Metrics(sources=SOURCES, version=version("nearmiss-monitor"))
        current = Current(pack, clock, metrics)
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(_open_store(settings))
            owner = f"{socket.gethostname()}/{uuid4()}"
            make_loop = loop_maker(settings, current, clock, metrics, owner)
            context = Context(settings, store, clock, metrics, owner, make_loop, _router_of(current))
            journal = await open_journal(context, stack)
            app = build_web(settings, current, store, journal, clock, metrics, owner)
            server = Server(app, ConnectionLimits(room_for(settings.connections)), metrics)
            await prepare_pages(app)
            tasks = await stack.enter_async_context(WatchedTasks())
            # What is loaded by now stays until the end; a collector that looked at it again would only delay answers.
            gc.freeze()
            # Events and their parts are in no circles: to look for some after each few hundred costs an engine that
            # has a backlog to read a fifth of its time. After so many a look still takes a few milliseconds only.
            gc.set_threshold(*COLLECT_AFTER)
            engine_stop = asyncio.Event()
            # The stop goes backwards: what was started last ends first.
            for name, work in journal.works.items():
                tasks.start(name, work(engine_stop))
            if "engine" in settings.roles:
                housekeeper = Housekeeper(store.retention, settings.retention.policy(), clock, metrics)
                failed = partial(metrics.part_failures.inc, "housekeeping")
                work = partial(housekeeper.run, engine_stop)
                tasks.start("housekeeping", restarted(work, engine_stop, "housekeeping", failed), may_end=True)
            tasks.start("http", server.serve(sockets=[listener]))
            parts = _parts_of_intake(settings, current, store, journal, clock, metrics, stop.event)
            parts["reload"] = partial(_reloader(settings, current).run, stop.event, asked)
            parts |= _parts_of_web(app, store, stop.event)
            for name, part in parts.items():
                failed = partial(metrics.part_failures.inc, name)
                tasks.start(name, restarted(part, stop.event, name, failed), may_end=True)
            tasks.start("companion", _accompany(server, companion, address_of(listener), stop.event), may_end=True)
            try:
                await tasks.watch(stop.event)
            finally:
                # Also when a part died: what was acknowledged is durable, and requests under way get their answer.
                stop.request("a part of the service ended")
                asked.set()
                _close_pages(app)
                server.should_exit = True
                await server.ended.wait()
                engine_stop.set()
                await tasks.end(grace=FLUSH_GRACE)
        _log.info("stopped")


def build_web(
    settings: Settings,
    current: Current,
    store: Store,
    journal: Journal,
    clock: SystemClock,
    metrics: Metrics,
    owner: str = "",
) -> FastAPI:
    """The one web application: what the roles of this process show, and what operators ask."""
    budget = ReviewBudget(store.near_misses, lambda: current.pack.catalogue, settings.review_budget)
    if "review" in settings.roles:
        watch = CoverageWatch(store.history, current, clock, metrics)
        app = build_app(
            store.near_misses,
            journal.writer,
            clock,
            metrics,
            sign_in=settings.sign_in(clock, store.access),
            budget=budget,
            version=version("nearmiss-monitor"),
            active_pack=lambda: current.status,
            services=lambda: current.pack.catalogue.services,
            past=store.history,
            sources=store.sources,
            known=lambda: (
                current.pack.catalogue,
                current.pack.rules,
                settings.access().expected,
            ),
            feeds=partial(_see_feeds, [each.feed() for each in settings.feeds], current, store, clock),
            awaiting=store.awaited,
            hints=HINTS if settings.blaming_phrases is None else settings.blaming_phrases,
            setup=lambda: Setup(current.pack.catalogue, watch.looked),
        )
        app.state.watch = watch
        app.state.office = build_office(
            settings.chat, app, store, journal.writer, budget, lambda: current.pack.catalogue, clock, metrics, owner
        )
    else:
        app = FastAPI(title="nearmiss", openapi_url=None, docs_url=None, redoc_url=None)
    if "ingest" in settings.roles:
        _warn_of_open_sources(settings)
        flight = Flight(settings.in_flight_limit)
        # What waits in a topic the broker bounds, not we.
        backlog = (
            None if settings.kafka.is_used else Backlog(settings.backlog_limit, settings.access().is_proved, metrics)
        )
        app.state.backlog = backlog
        tolerance = settings.future_tolerance
        receiver = Receiver(journal.writer, store.rejects, clock, metrics, tolerance, flight, backlog)
        app.include_router(
            build_router(receiver, clock, _intake_settings(settings), flight, lambda: current.pack.catalogue)
        )
        # Routes are tried in their order, and nearly every request is a delivery.
        app.router.routes.insert(0, app.router.routes.pop())
    app.add_middleware(Refusals, metrics=metrics, sampler=Sampler(clock))
    app.state.queue = queue = QueueWatch(store.near_misses, budget, clock, metrics)
    readiness = readiness_of(store, journal, metrics, reads_topics=settings.kafka.is_used)

    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> Response:
        # From memory: metrics are wanted most while the store, or whoever writes to it, does not answer.
        queue.show()
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    @app.get("/healthz", include_in_schema=False)
    async def alive() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> Response:
        report = await readiness.report()
        return Response(report.body, report.status, media_type="application/json")

    return app


def _open_store(settings: Settings) -> Store:
    """What happens to records is written down to be told where somebody is to be told, in every process."""
    return open_store(settings.database, settings.retention.rejects_size, announces=settings.chat.is_used)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        hint = "choose another with --port, or --port 0 for any free one"
        # The library adds the address once more to the words of the system.
        reason = str(error) if error.errno is None else os.strerror(error.errno)
        raise PortTaken(f"cannot listen on {host}:{port}: {reason}; {hint}") from error
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> str:
    """The address that a browser on this machine can open."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 -- shown, not bound
    return f"http://{shown}:{port}"


async def _accompany(server: Server, companion: Companion, address: str, stop: asyncio.Event) -> None:
    await server.answers.wait()
    await companion(address, stop)


def _parts_of_intake(
    settings: Settings,
    current: Current,
    store: Store,
    journal: Journal,
    clock: SystemClock,
    metrics: Metrics,
    stop: asyncio.Event,
) -> _Parts:
    """What asks others, and what keeps count of all that arrives: the service goes on without each of them."""
    parts: _Parts = {}
    if "ingest" in settings.roles or settings.kafka.is_used:
        parts["sources"] = partial(Bookkeeper(store.sources, clock, metrics).run, stop)
    if "ingest" in settings.roles and settings.feeds:
        parts["feeds"] = partial(_pull_feeds, settings, current, store, journal, clock, metrics, stop)
    if "ingest" in settings.roles and settings.pulls:
        parts["pulls"] = partial(_pull_tools, settings, store, journal, clock, metrics, stop)
    return parts


def _parts_of_web(app: FastAPI, store: Store, stop: asyncio.Event) -> _Parts:
    """What goes on beside the requests, as far as the roles of this process have it."""
    names = {"queue_metrics": "queue", "chat": "office", "closing": "closing", "coverage": "watch"}
    found = {name: getattr(app.state, held, None) for name, held in names.items()}
    parts: _Parts = {name: partial(part.run, stop) for name, part in found.items() if part is not None}
    if (backlog := getattr(app.state, "backlog", None)) is not None:
        parts["backlog"] = partial(backlog.run, store.unread, stop)
    return parts


async def _see_feeds(feeds: list[PulledFeed], current: Current, store: Store, clock: SystemClock) -> FeedsView:
    """What the pulled feeds saw, whichever process pulls them. Raises Unavailable."""
    return overview(feeds, await store.feed_cursors.everything(), current.pack.catalogue, clock.now())


async def _pull_feeds(
    settings: Settings,
    current: Current,
    store: Store,
    journal: Journal,
    clock: SystemClock,
    metrics: Metrics,
    stop: asyncio.Event,
) -> None:
    def freshness(feed: PulledFeed) -> int | None:
        return current.pack.catalogue.freshness(feed.name.service, feed.name.source, feed.name.evidence)

    feeds = [each.feed() for each in settings.feeds]
    async with Tools() as tools:
        puller = Puller(feeds, tools, journal.writer, store.feed_cursors, clock, metrics, freshness)
        await puller.run(stop)


async def _pull_tools(
    settings: Settings,
    store: Store,
    journal: Journal,
    clock: SystemClock,
    metrics: Metrics,
    stop: asyncio.Event,
) -> None:
    targets = [target for each in settings.pulls for target in each.targets()]
    async with webs(target.ca_file for target in targets) as asks:
        tolerance = settings.future_tolerance
        pulls = Pulls(targets, asks, journal.writer, store.rejects, store.feed_cursors, clock, metrics, tolerance)
        await pulls.run(stop)


def loop_maker(settings: Settings, current: Current, clock: Clock, metrics: Metrics, owner: str) -> MakeLoop:
    """Makes the loops of the engines by these settings, each engine by the pack in force then."""

    def make_loop(
        reader: JournalReader,
        memory: EngineStore,
        *,
        keeps_history: bool,
        part: str = WHOLE,
        shards: Sequence[int] = (),
    ) -> EngineLoop:
        def engine(saved: Saved) -> Engine | Shards:
            pack = current.pack
            how = EngineSettings(settings.lateness, weights=pack.weights, state_bytes=saved.memory)
            if shards:
                return Shards(
                    part,
                    shards,
                    pack.rules,
                    pack.catalogue,
                    make_regex,
                    how,
                    saved.scopes,
                    compiled=pack.compiled,
                    aside=saved.aside,
                )
            return Engine(
                pack.rules, pack.catalogue, make_regex, how, saved.cells, compiled=pack.compiled, aside=saved.aside
            )

        return EngineLoop(
            reader,
            memory,
            engine,
            clock,
            metrics,
            LoopSettings(settings.lateness, settings.future_tolerance, memory=within_limit(settings.engine_memory)),
            owner=owner,
            keeps_history=keeps_history,
            part=part,
            scopes=scopes_of(part, shards) if shards else (),
            current=current,
            is_paced=bool(shards),
        )

    return make_loop


def _router_of(current: Current) -> Callable[[], Router]:
    """The router by the catalogue in force, made anew when that is another one."""
    known: list[tuple[Catalogue, Router]] = []

    def router() -> Router:
        catalogue = current.pack.catalogue
        if not known or known[0][0] is not catalogue:
            known[:] = [(catalogue, Router(catalogue))]
        return known[0][1]

    return router


async def prepare_pages(app: FastAPI) -> None:
    """What the first view needs and takes long, before anybody asks for it; without the role there are no pages."""
    if (pages := getattr(app.state, "pages", None)) is None:
        return
    # Half a second of work, in which whatever runs already is not to stand still.
    await in_thread(pages.compile)
    # A store that is away, or slow, is told by the readiness; the first look that finds it reads the fold.
    with suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(PREPARE_SECONDS):
            await app.state.review.budget.folded()


def _close_pages(app: FastAPI) -> None:
    """The streams of open pages would keep the server waiting; without the role there are none."""
    if (live := getattr(app.state, "live", None)) is not None:
        live.close()


def compiled_pack(loaded: LoadedPack) -> Pack:
    """What the engines need of rules and catalogue that were read without an error."""
    rules, catalogue = loaded.rules.rules, loaded.catalogue.catalogue
    compiled = Matcher(rules, catalogue, LastValues(), make_regex)
    return Pack(
        rules,
        catalogue,
        loaded.rules.content_hash,
        loaded.catalogue.content_hash,
        compiled,
        weights=loaded.weights.weights,
        marks=loaded.marks,
        tools=loaded.mappings.tools,
        tools_hash=loaded.mappings.content_hash,
    )


def _reloader(settings: Settings, current: Current) -> Reloader:
    def read() -> Read:
        loaded = load_pack(settings.rules, settings.catalogue, settings.mappings, settings.weights)
        if loaded.errors:
            return Read(None, tuple(str(problem) for problem in loaded.errors))
        return Read(compiled_pack(loaded))

    every = settings.watch_every / SECOND if settings.watch_every else None
    marks = partial(marks_of, settings.rules, settings.catalogue, settings.mappings, settings.weights)
    return Reloader(current, read, marks, every)


def _intake_settings(settings: Settings) -> IntakeSettings:
    return IntakeSettings(settings.body_limit, settings.group_limit, settings.access(), settings.trusted_proxies)


def _warn_of_open_sources(settings: Settings) -> None:
    """Accounts protect the review, not the intake: there each source proves itself by its secret."""
    if not is_loopback(settings.host) and settings.open_sources:
        _log.warning("sources_without_secret", sources=sorted(settings.open_sources), host=settings.host)
