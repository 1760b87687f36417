"""The figures of both policies and of the risk index, written out: a change of one changes them here too."""

from __future__ import annotations

import msgspec

from monitor.core.model.events import DAY, HOUR, MINUTE
from monitor.core.model.retention_policy import RETENTION
from monitor.core.model.risk import Barrier, Outcome, Risk
from monitor.core.model.verdict_policy import POLICY


def test_what_is_kept_how_long_and_how_many_of_it() -> None:
    kept = msgspec.structs.asdict(RETENTION)
    assert {name: value // HOUR for name, value in kept.items() if not name.startswith("most_")} == {
        "impact": (14 + 7 + 1) * 24,
        "event": 25,
        "change": 6,
        "context": (7 + 2) * 24,
        "recovery": 24,
        "late_allowance": 1,
        "last_value": 400 * 24,
        "incident_service": 14 * 24,
        "measured_value": 30 * 24,
        "repeat": 180 * 24,
        "past_draft": 400 * 24,
        "evict_every": 24,
        "long": 16 * 24,
    }
    assert all(value % HOUR == 0 for name, value in kept.items() if not name.startswith("most_"))
    assert {name: value for name, value in kept.items() if name.startswith("most_")} == {
        "most_per_kind": 256,
        "most_beyond_ttl": 12,
        "most_values": 20,
        "most_tracks": 64,
        "most_references": 512,
    }
    assert RETENTION.event > DAY


def test_the_index_of_both_answers() -> None:
    index = {outcome.value: [Risk(outcome, barrier).index for barrier in Barrier] for outcome in Outcome}
    assert index == {
        "lasting_harm": [50, 102, 500, 2500],
        "outage": [10, 21, 100, 500],
        "degraded": [2, 4, 20, 100],
        "internal": [1, 1, 1, 1],
    }


def test_the_boundaries_of_the_verdict() -> None:
    assert {name: value / MINUTE for name, value in msgspec.structs.asdict(POLICY).items()} == {
        "before_first_sign": 5,
        "reopen_within": 24 * 60,
        "reported_within": 48 * 60,
        "grave_within": 60,
        "tied_within": 7 * 24 * 60,
        "longest_episode": 7 * 24 * 60,
        "deadline_slack": 60,
        "chain_within": 60,
        "feed_retires": 60,
        "sibling_close": 15,
        "never_ends": 24 * 60,
        "unplaced_before": 2 * 60,
        "lone_end_within": 15,
        "report_delay": 60,
    }
