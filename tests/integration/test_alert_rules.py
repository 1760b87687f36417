"""The alerts about ourselves in a real promtool: each fires on what it is for, and is quiet next to it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ALERTS = Path(__file__).resolve().parents[2] / "deploy/prometheus/alerts.yml"
RULES = [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]
Series = dict[str, str]
ONCE = "0x3 1x20"
"""A counter that goes up by one after three minutes."""

CASES: dict[str, tuple[int, Series, Series]] = {
    "NearmissDown": (6, {"up": "0x10"}, {"up": "1x10"}),
    "NearmissWatermarkStuck": (
        45,
        {"nearmiss_watermark_timestamp_seconds": "1x60"},
        {"nearmiss_watermark_timestamp_seconds": "60+60x60"},
    ),
    "NearmissIntakePaused": (3, {"nearmiss_intake_paused": "1x5"}, {"nearmiss_intake_paused": "0x5"}),
    "NearmissBacklog": (
        15,
        {"nearmiss_backlog_refused_total": "0+1x20"},
        {"nearmiss_backlog_refused_total": "5x20"},
    ),
    "NearmissStoreUnavailable": (
        25,
        {"nearmiss_store_unavailable_total": "0+2x40"},
        {"nearmiss_store_unavailable_total": "0x20 2x20"},
    ),
    "NearmissCommitsSlow": (
        40,
        {
            'nearmiss_commit_duration_seconds_bucket{le="2.5"}': "0+97x60",
            'nearmiss_commit_duration_seconds_bucket{le="5"}': "0+100x60",
            'nearmiss_commit_duration_seconds_bucket{le="+Inf"}': "0+100x60",
        },
        {
            'nearmiss_commit_duration_seconds_bucket{le="2.5"}': "0+100x60",
            'nearmiss_commit_duration_seconds_bucket{le="5"}': "0+100x60",
            'nearmiss_commit_duration_seconds_bucket{le="+Inf"}': "0+100x60",
        },
    ),
    "NearmissNothingArrives": (
        430,
        {"nearmiss_events_accepted_total": "7x450", "nearmiss_events_duplicates_total": "3x450"},
        {"nearmiss_events_accepted_total": "7x450", "nearmiss_events_duplicates_total": "0+1x450"},
    ),
    "NearmissSourceSilent": (
        16,
        {'nearmiss_silent_sources{source="github"}': "1x20"},
        {'nearmiss_silent_sources{source="github"}': "0x20"},
    ),
    "NearmissEventsRejected": (
        80,
        {
            'nearmiss_events_rejected_total{reason="not_json"}': "0+1x90",
            'nearmiss_events_received_total{source="github"}': "0+10x90",
        },
        {
            'nearmiss_events_rejected_total{reason="not_json"}': "0+1x90",
            'nearmiss_events_received_total{source="github"}': "0+1000x90",
        },
    ),
    "NearmissDatabaseGrows": (480, {"nearmiss_database_bytes": "2e9+1e6x600"}, {"nearmiss_database_bytes": "2e9x600"}),
    "NearmissTopicHalted": (3, {"nearmiss_kafka_halted_topics": "1x5"}, {"nearmiss_kafka_halted_topics": "0x5"}),
    "NearmissMessagesLost": (
        8,
        {"nearmiss_kafka_positions_lost_total": ONCE},
        {"nearmiss_kafka_positions_lost_total": "1x20"},
    ),
    "NearmissJournalGap": (
        8,
        {"nearmiss_journal_entries_lost_total": ONCE},
        {"nearmiss_journal_entries_lost_total": "1x20"},
    ),
    "NearmissDecoderFailed": (
        8,
        {'nearmiss_events_rejected_total{reason="decoder_failed"}': ONCE},
        {'nearmiss_events_rejected_total{reason="not_json"}': ONCE},
    ),
    "NearmissEventQuarantined": (
        8,
        {'nearmiss_events_rejected_total{reason="quarantined"}': ONCE},
        {'nearmiss_events_rejected_total{reason="not_json"}': ONCE},
    ),
    "NearmissClockWasBehind": (
        8,
        {"nearmiss_events_capped_by_our_clock_total": ONCE},
        {"nearmiss_events_capped_by_our_clock_total": "1x20"},
    ),
    "NearmissBadSignatures": (
        16,
        {'nearmiss_events_rejected_total{reason="bad_signature"}': "0+3x20"},
        {'nearmiss_events_rejected_total{reason="bad_signature"}': "0+1x20"},
    ),
    "NearmissEventsLate": (
        100,
        {"nearmiss_late_events_total": "0+10x120", "nearmiss_events_processed_total": "0+50x120"},
        {"nearmiss_late_events_total": "0+10x120", "nearmiss_events_processed_total": "0+1000x120"},
    ),
    "NearmissNoImpactFeeds": (
        730,
        {"nearmiss_feeds": "0x800", "nearmiss_events_processed_total": "0+1x800"},
        {"nearmiss_feeds": "1x800", "nearmiss_events_processed_total": "0+1x800"},
    ),
    "NearmissNoRules": (7, {"nearmiss_rules_loaded": "0x10"}, {"nearmiss_rules_loaded": "5x10"}),
    "NearmissReloadFailed": (
        7,
        {"nearmiss_pack_last_reload_success": "0x10"},
        {"nearmiss_pack_last_reload_success": "1x10"},
    ),
    "NearmissPartFails": (
        20,
        {'nearmiss_part_failures_total{part="pulls"}': "0+1x40"},
        {'nearmiss_part_failures_total{part="pulls"}': ONCE},
    ),
    "NearmissRefusals": (
        12,
        {'nearmiss_requests_refused_total{status="401"}': "0+100x20"},
        {'nearmiss_requests_refused_total{status="404"}': "0+100x20"},
    ),
    "NearmissTooManyOpen": (
        8,
        {'nearmiss_not_opened_total{reason="too_many_open"}': ONCE},
        {'nearmiss_not_opened_total{reason="late"}': ONCE},
    ),
    "NearmissEvicted": (
        8,
        {'nearmiss_evicted_total{kind="candidates"}': ONCE},
        {'nearmiss_evicted_total{kind="candidates"}': "1x20"},
    ),
    "NearmissOutOfMemory": (8, {"nearmiss_out_of_memory_total": ONCE}, {"nearmiss_out_of_memory_total": "1x20"}),
    "NearmissContradicted": (8, {"nearmiss_contradictions_total": ONCE}, {"nearmiss_contradictions_total": "1x20"}),
    "NearmissDraftsUnreviewed": (
        70,
        {"nearmiss_oldest_undecided_age_seconds": "700000x90"},
        {"nearmiss_oldest_undecided_age_seconds": "500000x90"},
    ),
    "NearmissNobodyReviews": (
        1500,
        {"nearmiss_undecided_drafts": "3x1600", 'nearmiss_decisions_total{action="confirm"}': "4x1600"},
        {"nearmiss_undecided_drafts": "3x1600", 'nearmiss_decisions_total{action="confirm"}': "0+1x1600"},
    ),
    "NearmissFeedsBehind": (12, {"nearmiss_feed_lag_seconds": "1800x20"}, {"nearmiss_feed_lag_seconds": "600x20"}),
}
"""After how many minutes it fires, on which series, and next to which it is quiet."""


def labelled(series: str) -> str:
    """A series with the labels that a scrape adds."""
    name, _, rest = series.partition("{")
    own = f",{rest}" if rest else "}"
    return f'{name}{{instance="n:8080",job="nearmiss"{own}'


def cases(alert: str) -> Iterator[dict[str, Any]]:
    minutes, bad, quiet = CASES[alert]
    for series, fires in ((bad, True), (quiet, False)):
        asked = {
            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
            "eval_time": f"{minutes}m",
            "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
        }
        yield {
            "name": f"{alert}, {'bad' if fires else 'quiet'}",
            "interval": "1m",
            "input_series": [{"series": labelled(name), "values": values} for name, values in series.items()],
            "promql_expr_test": [asked],
        }


def test_each_alert_has_a_case() -> None:
    assert list(CASES) == [rule["alert"] for rule in RULES]


def test_each_alert_fires_on_what_it_is_for_and_is_quiet_next_to_it(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: the alerts were not tried (Debian: prometheus)")
    files = []
    for rule in RULES:
        # By itself: promtool evaluates every rule of a file at each minute of each case.
        alone, file = tmp_path / f"{rule['alert']}.json", tmp_path / f"{rule['alert']}-test.json"
        alone.write_text(json.dumps({"groups": [{"name": "nearmiss", "rules": [rule]}]}), encoding="utf-8")
        tried = {"rule_files": [str(alone)], "evaluation_interval": "1m", "tests": list(cases(rule["alert"]))}
        file.write_text(json.dumps(tried), encoding="utf-8")
        files.append(str(file))
    done = subprocess.run([promtool, "test", "rules", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
