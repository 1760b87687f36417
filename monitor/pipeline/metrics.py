"""What is counted of the engine, of what it commits, of retention, and of the rules in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.core.model.reasons import NotOpened, StateKind, Withdrawn
from monitor.ops.instruments import Instruments
from monitor.ops.shared_metrics import SharedMetrics

PRUNED = ("journal", "history", "rejects", "rejects_evicted", "not_opened")

_COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class EngineMetrics(SharedMetrics):
    """What the engines of this process tell; the numbers of several parts of the journal are added up."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.events_processed = make.counter("nearmiss_events_processed_total", "Events processed by the engine.")
        self.late_events = make.counter("nearmiss_late_events_total", "Events that arrived later than `lateness`.")
        self.watermark_timestamp = make.gauge("nearmiss_watermark_timestamp_seconds", "The watermark.")
        self.watermark_lag = make.gauge(
            "nearmiss_watermark_lag_seconds", "Lag of the watermark behind the clock after a batch."
        )
        self.open_instances = make.gauge("nearmiss_open_instances", "Candidates in progress.")
        self.open_episodes = make.gauge("nearmiss_open_episodes", "Episodes whose hold has not passed.")
        self.pending_events = make.gauge("nearmiss_pending_events", "Events waiting for the watermark.")
        self.standing_drafts = make.gauge("nearmiss_standing_drafts", "Drafts that late impact can still withdraw.")
        self.feeds = make.gauge("nearmiss_feeds", "Known feeds.")
        self.drafts_opened = make.counter_by_name(
            "nearmiss_drafts_opened_total", "Drafts opened, by naming rule.", "rule"
        )
        self.drafts_withdrawn = make.counter_by(
            "nearmiss_drafts_withdrawn_total", "Drafts withdrawn.", "reason", Withdrawn
        )
        self.contradictions = make.counter(
            "nearmiss_contradictions_total", "Decided records contradicted by later impact."
        )
        self.not_opened = make.counter_by(
            "nearmiss_not_opened_total", "Partial matches without a draft, by reason.", "reason", NotOpened
        )
        self.state_bytes = make.gauge(
            "nearmiss_engine_state_bytes", "What the engine remembers, as counted last, and a bound on what came since."
        )
        self.state_limit = make.gauge(
            "nearmiss_engine_state_limit_bytes", "The budget: `engine_memory`, less where memory ended."
        )
        self.out_of_memory = make.counter(
            "nearmiss_out_of_memory_total",
            "Memory ended: the engine went back to its last commit and halved its budget.",
        )
        self.evicted = make.counter_by(
            "nearmiss_evicted_total", "Evictions since the engine's memory reached its budget.", "kind", StateKind
        )
        self.capped_by_our_clock = make.counter(
            "nearmiss_events_capped_by_our_clock_total",
            "Events decided at a capped time while our own clock was behind; a rewind repairs it.",
        )
        self.parts_owned = make.gauge(
            "nearmiss_parts_owned", "Parts of the journal owned by this process; 0 on a standby."
        )
        self.fenced = make.counter("nearmiss_fenced_total", "Leases lost to another process.")
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

    def set_engine_gauges(self, gauges: Mapping[str, float], part: str = "") -> None:
        """Take over what `Engine.gauges()` tells; the parts of one process are added up.

        Raises KeyError for a name that has no metric.
        """
        self._gauges[part] = gauges
        self._waiting = int(sum(each.get("open_episodes", 0) for each in self._gauges.values()))
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


class StoreMetrics(SharedMetrics):
    """Commits, the size of what is stored, and what retention deletes."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.commits = make.counter("nearmiss_commits_total", "Engine commits.")
        self.commit_duration = make.histogram(
            "nearmiss_commit_duration_seconds", "Duration of an engine commit.", _COMMIT_SECONDS
        )
        self.database_bytes = make.gauge("nearmiss_database_bytes", "Database size on disk, measured once a minute.")
        self.kept_events_bytes = make.gauge(
            "nearmiss_kept_events_bytes", "Approximate size of stored events with indexes."
        )
        self.pruned_rows = make.counter_by("nearmiss_pruned_rows_total", "Rows deleted by retention.", "what", PRUNED)
        self.journal_entries_lost = make.counter(
            "nearmiss_journal_entries_lost_total",
            "Entries of the database's journal that retention removed before the engine read them, at most.",
        )


class PackMetrics(SharedMetrics):
    """Rules and catalogue in force."""

    def __init__(self, make: Instruments) -> None:
        super().__init__(make)
        self.rules_loaded = make.gauge("nearmiss_rules_loaded", "Rules in force.")
        self._pack_info = make.info(
            "nearmiss_pack_info",
            "Always 1; labels are the content hashes of rules and catalogue in force.",
            "rules",
            "catalogue",
        )
        self.pack_loaded_timestamp = make.gauge(
            "nearmiss_pack_loaded_timestamp_seconds", "When rules and catalogue in force were loaded."
        )
        self.pack_last_reload_success = make.gauge(
            "nearmiss_pack_last_reload_success",
            "0 while edited rules or catalogue are invalid; the last good ones stay in force.",
        )
        self.pack_reload_failures = make.counter("nearmiss_pack_reload_failures_total", "Reloads that found errors.")

    def show_pack(self, rules: str, catalogue: str, at: float) -> None:
        """The content hashes of what is in use since `at` (seconds); the series of what was before goes."""
        self._pack_info.clear()
        self._pack_info.labels(rules, catalogue).set(1)
        self.pack_loaded_timestamp.set(at)


class PipelineMetrics(EngineMetrics, StoreMetrics, PackMetrics):
    """All of them."""

    def know_rules(self, rules: Iterable[str]) -> None:
        """Create the label values of these rules at zero and count them as the rules in use."""
        names = list(rules)
        self.drafts_opened.know(names)
        self.rules_loaded.set(len(names))
