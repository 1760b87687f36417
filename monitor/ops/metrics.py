"""The catalogue of metrics: every one is an attribute, every label value known in advance exists at zero.

Counts and nothing else: must not know where the numbers come from. A misspelt metric or label value fails type
checking. `docs/reference/metrics.md` lists what is here, and a test compares the two.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from monitor.core.model.near_miss import Dismissal, Move, ReportKind
from monitor.core.model.reasons import (
    ChatRequest,
    FeedFailure,
    FeedStep,
    Ignored,
    NotOpened,
    Rejected,
    Sent,
    StateKind,
    Withdrawn,
)
from monitor.ops.arrivals import Arrivals

Label = TypeVar("Label", bound=str)

CONTENT_TYPE = CONTENT_TYPE_LATEST
OTHER = "other"
NO_REASON = "none"

REFUSED = ("401", "403", "408", "413", "421", "429", "503")
PARTS = ("reload", "housekeeping", "queue_metrics", "feeds", "sources", "pulls", "chat", "coverage")


class Closed(StrEnum):
    """Why a connection was closed by us, without an answer or before a request was read."""

    HEAD_LATE = "head_late"  # no whole head of a request in time
    EVICTED = "evicted"  # it asked nothing yet, and another one came when all were taken
    STALLED = "stalled"  # it did not read its answer
    FULL = "full"  # all were busy


PRUNED = ("journal", "history", "rejects", "rejects_evicted", "not_opened")

_APPEND_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REVIEW_SECONDS = (60, 300, 900, 3600, 4 * 3600, 8 * 3600, 86_400, 3 * 86_400, 7 * 86_400, 30 * 86_400)


_WITHOUT_PLAIN_COUNT = frozenset(
    {Move.DISMISS, Move.WITHDRAW}
)  # the one is counted by reason, the other is the machine's

# A second series for each counter that tells when it was created helps nobody here and doubles the answer.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no annotation there


class CounterBy(Generic[Label]):
    """A counter with one label whose values are a closed list."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str, label: str, values: Iterable[Label]) -> None:
        counter = Counter(name, help, [label], registry=registry)
        self._children = {value: counter.labels(str(value)) for value in values}

        self.totals = dict.fromkeys(self._children, 0.0)

    def inc(self, value: Label, amount: float = 1) -> None:
        """Raises KeyError for a value outside of the list, which is a defect of the caller."""
        self._children[value].inc(amount)
        self.totals[value] += amount


class CounterByName:
    """A counter with one label whose values are told at start; any other value counts as "other"."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str, label: str) -> None:
        self._counter = Counter(name, help, [label], registry=registry)
        self._children = {OTHER: self._counter.labels(OTHER)}

    def know(self, values: Iterable[str]) -> None:
        """Create these label values at zero, beside those that are known already."""
        for value in sorted(values):
            if value not in self._children:
                self._children[value] = self._counter.labels(value)

    def inc(self, value: str, amount: float = 1) -> None:
        self._children.get(value, self._children[OTHER]).inc(amount)

    def total(self) -> int:
        """Over all values, since the process started."""
        samples = (sample for metric in self._counter.collect() for sample in metric.samples)
        return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))


class GaugeByName:
    """A gauge with one label whose values are told at start; any other value counts as "other"."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str, label: str) -> None:
        self._gauge = Gauge(name, help, [label], registry=registry)
        self._children = {OTHER: self._gauge.labels(OTHER)}

    def know(self, values: Iterable[str]) -> None:
        """Create these label values at zero, beside those that are known already."""
        for value in sorted(values):
            if value not in self._children:
                self._children[value] = self._gauge.labels(value)

    def show(self, numbers: Mapping[str, float]) -> None:
        """These and nothing else: what is not named is zero."""
        for value, child in self._children.items():
            child.set(numbers.get(value, 0))
        self._children[OTHER].set(sum(number for value, number in numbers.items() if value not in self._children))


class Decisions:
    """What people decided: each legal move, and for a dismissal each reason of the closed list."""

    def __init__(self, registry: CollectorRegistry, name: str, help: str) -> None:
        counter = Counter(name, help, ["decision", "reason"], registry=registry)
        pairs: list[tuple[Move, str]] = [(move, NO_REASON) for move in Move if move not in _WITHOUT_PLAIN_COUNT]
        pairs += [(Move.DISMISS, reason.value) for reason in Dismissal]
        self._children = {pair: counter.labels(*pair) for pair in pairs}

    def inc(self, decision: Move, reason: str | None = None) -> None:
        """`reason` counts only for a dismissal. Raises KeyError for a reason outside of the closed list."""
        self._children[decision, str(reason) if decision is Move.DISMISS else NO_REASON].inc()


class Metrics:
    """Every metric of the program, in a registry of its own unless one is given.

    `sources` are the kinds of source that can be decoded ("pagerduty"), `rules` the ids of the loaded rules.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        sources: Iterable[str] = (),
        rules: Iterable[str] = (),
        version: str = "unknown",
    ) -> None:
        r = self.registry = CollectorRegistry(auto_describe=True) if registry is None else registry

        # Intake
        self.events_received = CounterByName(
            r, "nearmiss_events_received_total", "Events received, by kind of source.", "source"
        )
        self.events_accepted = Counter("nearmiss_events_accepted_total", "Events stored in the journal.", registry=r)
        self.events_duplicates = Counter("nearmiss_events_duplicates_total", "Duplicate events.", registry=r)
        self.events_rejected = CounterBy(
            r, "nearmiss_events_rejected_total", "Input that was rejected.", "reason", Rejected
        )
        self.events_ignored = CounterBy(
            r, "nearmiss_events_ignored_total", "Input without an event, by intention.", "reason", Ignored
        )
        self.journal_append_seconds = Histogram(
            "nearmiss_journal_append_seconds",
            "Duration of an append to the journal.",
            registry=r,
            buckets=_APPEND_SECONDS,
        )
        self.intake_paused = Gauge(
            "nearmiss_intake_paused", "1 while ingest answers 503 because nothing can be stored.", registry=r
        )

        self._add_web(r)

        # Engine
        self.events_processed = Counter(
            "nearmiss_events_processed_total", "Events processed by the engine.", registry=r
        )
        self.late_events = Counter(
            "nearmiss_late_events_total", "Events that arrived later than `lateness`.", registry=r
        )
        self.watermark_timestamp = Gauge("nearmiss_watermark_timestamp_seconds", "The watermark.", registry=r)
        self.watermark_lag = Gauge(
            "nearmiss_watermark_lag_seconds", "Lag of the watermark behind the clock after a batch.", registry=r
        )
        self.open_instances = Gauge("nearmiss_open_instances", "Candidates in progress.", registry=r)
        self.open_episodes = Gauge("nearmiss_open_episodes", "Episodes whose hold has not passed.", registry=r)
        self.pending_events = Gauge("nearmiss_pending_events", "Events waiting for the watermark.", registry=r)
        self.standing_drafts = Gauge(
            "nearmiss_standing_drafts", "Drafts that late impact can still withdraw.", registry=r
        )
        self.feeds = Gauge("nearmiss_feeds", "Known feeds.", registry=r)
        self.drafts_opened = CounterByName(r, "nearmiss_drafts_opened_total", "Drafts opened, by naming rule.", "rule")
        self.drafts_withdrawn = CounterBy(
            r, "nearmiss_drafts_withdrawn_total", "Drafts withdrawn.", "reason", Withdrawn
        )
        self.contradictions = Counter(
            "nearmiss_contradictions_total", "Decided records contradicted by later impact.", registry=r
        )
        self.not_opened = CounterBy(
            r, "nearmiss_not_opened_total", "Partial matches without a draft, by reason.", "reason", NotOpened
        )

        # Ownership
        self.parts_owned = Gauge(
            "nearmiss_parts_owned", "Parts of the journal owned by this process; 0 on a standby.", registry=r
        )
        self.fenced = Counter(
            "nearmiss_fenced_total",
            "Leases lost to another process.",
            registry=r,
        )

        # Store
        self.commits = Counter("nearmiss_commits_total", "Engine commits.", registry=r)
        self.commit_duration = Histogram(
            "nearmiss_commit_duration_seconds",
            "Duration of an engine commit.",
            registry=r,
            buckets=_COMMIT_SECONDS,
        )
        self.store_unavailable = Counter(
            "nearmiss_store_unavailable_total", "Failed database calls that are retried.", registry=r
        )

        self._add_retention(r)
        self._add_chat(r)
        self._add_losses(r)

        # Review
        self.undecided_drafts = Gauge("nearmiss_undecided_drafts", "Drafts waiting for review.", registry=r)
        self.folded_drafts = Gauge(
            "nearmiss_folded_drafts",
            "Drafts folded beyond the review budget.",
            registry=r,
        )
        self.oldest_undecided_age = Gauge(
            "nearmiss_oldest_undecided_age_seconds", "Age of the oldest draft waiting for review.", registry=r
        )
        self.decisions = Decisions(r, "nearmiss_decisions_total", "Decisions on drafts.")
        self.review_latency = Histogram(
            "nearmiss_review_latency_seconds",
            "Time from opening to decision.",
            registry=r,
            buckets=_REVIEW_SECONDS,
        )

        self.reports = CounterBy(r, "nearmiss_reports_total", "Reports by people, by kind.", "kind", ReportKind)

        # Rules and the program itself
        self.rules_loaded = Gauge("nearmiss_rules_loaded", "Rules in force.", registry=r)
        self._pack_info = Gauge(
            "nearmiss_pack_info",
            "Always 1; labels are the content hashes of rules and catalogue in force.",
            ["rules", "catalogue"],
            registry=r,
        )
        self.pack_loaded_timestamp = Gauge(
            "nearmiss_pack_loaded_timestamp_seconds", "When rules and catalogue in force were loaded.", registry=r
        )
        self.pack_last_reload_success = Gauge(
            "nearmiss_pack_last_reload_success",
            "0 while edited rules or catalogue are invalid; the last good ones stay in force.",
            registry=r,
        )
        self.pack_reload_failures = Counter(
            "nearmiss_pack_reload_failures_total", "Reloads that found errors.", registry=r
        )
        self.build_info = Gauge(
            "nearmiss_build_info", "Always 1; the labels tell what runs.", ["version", "python"], registry=r
        )
        self.build_info.labels(version, platform.python_version()).set(1)

        ProcessCollector(registry=r)

        self.know_sources(sources)
        self.know_rules(rules)
        self._gauges: dict[str, Mapping[str, float]] = {}
        self._watermarks: dict[str, float] = {}
        self._owned: set[str] = set()
        self._engine_gauges = {
            "open_instances": self.open_instances,
            "open_episodes": self.open_episodes,
            "pending_events": self.pending_events,
            "standing_drafts": self.standing_drafts,
            "feeds": self.feeds,
            "state_bytes": self.state_bytes,
        }

    def _add_memory(self, r: CollectorRegistry) -> None:
        self.state_bytes = Gauge(
            "nearmiss_engine_state_bytes",
            "What the engine remembers, as counted last, and a bound on what came since.",
            registry=r,
        )
        self.state_limit = Gauge("nearmiss_engine_state_limit_bytes", "The budget `engine_memory`.", registry=r)
        self.evicted = CounterBy(
            r, "nearmiss_evicted_total", "Evictions since the engine's memory reached its budget.", "kind", StateKind
        )

    def _add_web(self, r: CollectorRegistry) -> None:
        self.arrivals = Arrivals()
        self.silent_sources = GaugeByName(
            r,
            "nearmiss_silent_sources",
            "Sources that are silent for longer than they usually are, by kind of source.",
            "source",
        )

        self.requests_refused = CounterBy(r, "nearmiss_requests_refused_total", "Refused requests.", "status", REFUSED)
        self.connections_closed = CounterBy(
            r, "nearmiss_connections_closed_total", "Connections closed by a limit.", "reason", Closed
        )
        self.part_failures = CounterBy(
            r, "nearmiss_part_failures_total", "Failures of optional parts, which are restarted.", "part", PARTS
        )

        self.feed_steps = CounterBy(
            r,
            "nearmiss_feed_steps_total",
            "Steps of pulled feeds, by state; most are reasons to be blind.",
            "state",
            FeedStep,
        )
        self.feed_failures = CounterBy(
            r,
            "nearmiss_feed_failures_total",
            "Failed queries of pulled feeds; they are repeated.",
            "reason",
            FeedFailure,
        )
        self.pull_failures = CounterBy(
            r,
            "nearmiss_pull_failures_total",
            "Failed requests to tools that are pulled; they are repeated.",
            "reason",
            FeedFailure,
        )
        self.feed_lag = Gauge(
            "nearmiss_feed_lag_seconds", "How far the slowest pulled feed is behind the clock.", registry=r
        )

    def _add_chat(self, r: CollectorRegistry) -> None:
        self.chat_letters = CounterBy(
            r, "nearmiss_chat_letters_total", "Messages to chats and mail, by outcome.", "outcome", Sent
        )
        self.chat_requests = CounterBy(
            r, "nearmiss_chat_requests_total", "Requests from chats, by what became of them.", "outcome", ChatRequest
        )
        self.foretold = Counter(
            "nearmiss_foretold_incidents_total", "Incidents that resemble earlier near misses.", registry=r
        )
        self.chat_waiting = Gauge("nearmiss_chat_waiting", "Messages that wait for chats and mail.", registry=r)
        self.chat_failing = Gauge(
            "nearmiss_chat_failing_destinations", "Destinations that failed at their last try.", registry=r
        )

    def _add_retention(self, r: CollectorRegistry) -> None:
        self.database_bytes = Gauge(
            "nearmiss_database_bytes", "Database size on disk, measured once a minute.", registry=r
        )
        self.kept_events_bytes = Gauge(
            "nearmiss_kept_events_bytes", "Approximate size of stored events with indexes.", registry=r
        )
        self.pruned_rows = CounterBy(r, "nearmiss_pruned_rows_total", "Rows deleted by retention.", "what", PRUNED)

    def _add_losses(self, r: CollectorRegistry) -> None:
        self._add_memory(r)
        self.capped_by_our_clock = Counter(
            "nearmiss_events_capped_by_our_clock_total",
            "Events decided at a capped time while our own clock was behind; a rewind repairs it.",
            registry=r,
        )
        self.journal_entries_lost = Counter(
            "nearmiss_journal_entries_lost_total",
            "Entries of the database's journal that retention removed before the engine read them, at most.",
            registry=r,
        )
        self.kafka_halted_topics = Gauge(
            "nearmiss_kafka_halted_topics", "Topics that are not read until someone resumes them.", registry=r
        )
        self.kafka_positions_lost = Counter(
            "nearmiss_kafka_positions_lost_total",
            "Lost offsets that were skipped (`kafka.on_lost_position`).",
            registry=r,
        )
        self.kafka_messages_lost = Counter(
            "nearmiss_kafka_messages_lost_total", "Messages that were removed before they were read.", registry=r
        )
        self.kafka_dead_letters = Counter(
            "nearmiss_kafka_dead_letters_total", "Rejects that were sent to the dead-letter topic.", registry=r
        )

    def know_sources(self, sources: Iterable[str]) -> None:
        """Create the label values of these kinds of source at zero."""
        kinds = list(sources)
        self.events_received.know(kinds)
        self.silent_sources.know(kinds)

    def know_rules(self, rules: Iterable[str]) -> None:
        """Create the label values of these rules at zero and count them as the rules in use."""
        names = list(rules)
        self.drafts_opened.know(names)
        self.rules_loaded.set(len(names))

    def show_pack(self, rules: str, catalogue: str, at: float) -> None:
        """The content hashes of what is in use since `at` (seconds); the series of what was before goes."""
        self._pack_info.clear()
        self._pack_info.labels(rules, catalogue).set(1)
        self.pack_loaded_timestamp.set(at)

    def episodes_waiting(self) -> int:
        """Episodes whose hold has not passed, as the engines of this process told last."""
        return int(sum(each.get("open_episodes", 0) for each in self._gauges.values()))

    def set_engine_gauges(self, gauges: Mapping[str, float], part: str = "") -> None:
        """Take over what `Engine.gauges()` tells; the parts of one process are added up.

        Raises KeyError for a name that has no metric.
        """
        self._gauges[part] = gauges
        for name in gauges:
            self._engine_gauges[name].set(sum(each.get(name, 0) for each in self._gauges.values()))

    def set_watermark(self, watermark: float, now: float, part: str = "") -> None:
        """Seconds since the epoch; of several parts the one that is farthest behind is shown."""
        self._watermarks[part] = watermark
        slowest = min(self._watermarks.values())
        self.watermark_timestamp.set(slowest)
        self.watermark_lag.set(now - slowest)

    def owns(self, part: str, owned: bool) -> None:
        """Whether this process works on the part."""
        (self._owned.add if owned else self._owned.discard)(part)
        self.parts_owned.set(len(self._owned))

    def forget_part(self, part: str) -> None:
        """Someone else tells its numbers from now on."""
        self._watermarks.pop(part, None)
        if not self._watermarks:
            self.watermark_timestamp.set(0)
            self.watermark_lag.set(0)
        if (gauges := self._gauges.pop(part, None)) is not None:
            self.set_engine_gauges(dict.fromkeys(gauges, 0.0), part)
            del self._gauges[part]

    def render(self) -> bytes:
        """The metrics in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self.registry)
