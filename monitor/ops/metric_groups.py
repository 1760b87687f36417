"""The metrics by part, each group with what is counted there, and when it is shown.

Counts and nothing else: must not know where the numbers come from.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from monitor.core.model.near_miss import ReportKind
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
from monitor.ops.labelled import Closed, CounterBy, CounterByName, Decisions, GaugeByName

REFUSED = ("401", "403", "408", "413", "421", "429", "503")
PARTS = ("reload", "housekeeping", "queue_metrics", "feeds", "sources", "pulls", "chat", "coverage", "closing")


PRUNED = ("journal", "history", "rejects", "rejects_evicted", "not_opened")

_APPEND_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REVIEW_SECONDS = (60, 300, 900, 3600, 4 * 3600, 8 * 3600, 86_400, 3 * 86_400, 7 * 86_400, 30 * 86_400)


class IntakeMetrics:
    """What arrives, and what is refused at the door. `sources`: kinds of source that can be decoded ("pagerduty")."""

    def __init__(self, r: CollectorRegistry) -> None:
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

    def know_sources(self, sources: Iterable[str]) -> None:
        """Create the label values of these kinds of source at zero."""
        kinds = list(sources)
        self.events_received.know(kinds)
        self.silent_sources.know(kinds)


class FeedMetrics:
    """What is pulled: impact feeds, and tools that send nothing by themselves."""

    def __init__(self, r: CollectorRegistry) -> None:
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


class EngineMetrics:
    """What the engines of this process tell; the numbers of several parts of the journal are added up."""

    def __init__(self, r: CollectorRegistry) -> None:
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
        self.state_bytes = Gauge(
            "nearmiss_engine_state_bytes",
            "What the engine remembers, as counted last, and a bound on what came since.",
            registry=r,
        )
        self.state_limit = Gauge(
            "nearmiss_engine_state_limit_bytes", "The budget: `engine_memory`, less where memory ended.", registry=r
        )
        self.out_of_memory = Counter(
            "nearmiss_out_of_memory_total",
            "Memory ended: the engine went back to its last commit and halved its budget.",
            registry=r,
        )
        self.evicted = CounterBy(
            r, "nearmiss_evicted_total", "Evictions since the engine's memory reached its budget.", "kind", StateKind
        )
        self.capped_by_our_clock = Counter(
            "nearmiss_events_capped_by_our_clock_total",
            "Events decided at a capped time while our own clock was behind; a rewind repairs it.",
            registry=r,
        )
        self.parts_owned = Gauge(
            "nearmiss_parts_owned", "Parts of the journal owned by this process; 0 on a standby.", registry=r
        )
        self.fenced = Counter(
            "nearmiss_fenced_total",
            "Leases lost to another process.",
            registry=r,
        )
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


class StoreMetrics:
    """Commits, the size of what is stored, and what retention deletes."""

    def __init__(self, r: CollectorRegistry) -> None:
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
        self.database_bytes = Gauge(
            "nearmiss_database_bytes", "Database size on disk, measured once a minute.", registry=r
        )
        self.kept_events_bytes = Gauge(
            "nearmiss_kept_events_bytes", "Approximate size of stored events with indexes.", registry=r
        )
        self.pruned_rows = CounterBy(r, "nearmiss_pruned_rows_total", "Rows deleted by retention.", "what", PRUNED)
        self.journal_entries_lost = Counter(
            "nearmiss_journal_entries_lost_total",
            "Entries of the database's journal that retention removed before the engine read them, at most.",
            registry=r,
        )


class KafkaMetrics:
    """What reading Kafka's topics lost, halted or set aside."""

    def __init__(self, r: CollectorRegistry) -> None:
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


class ChatMetrics:
    """Messages to chats and mail, and what chats ask for."""

    def __init__(self, r: CollectorRegistry) -> None:
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


class ReviewMetrics:
    """Drafts that wait for people, and what people did."""

    def __init__(self, r: CollectorRegistry) -> None:
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


class ProgramMetrics:
    """Rules in force, optional parts, and the program itself."""

    def __init__(self, r: CollectorRegistry, version: str) -> None:
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
        self.part_failures = CounterBy(
            r, "nearmiss_part_failures_total", "Failures of optional parts, which are restarted.", "part", PARTS
        )
        self.build_info = Gauge(
            "nearmiss_build_info", "Always 1; the labels tell what runs.", ["version", "python"], registry=r
        )
        self.build_info.labels(version, platform.python_version()).set(1)

    def show_pack(self, rules: str, catalogue: str, at: float) -> None:
        """The content hashes of what is in use since `at` (seconds); the series of what was before goes."""
        self._pack_info.clear()
        self._pack_info.labels(rules, catalogue).set(1)
        self.pack_loaded_timestamp.set(at)
