"""The alert about feeds that are behind, in a real promtool; and that a missing feed is none."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ALERTS = Path(__file__).resolve().parents[3] / "deploy/prometheus/alerts.yml"
INSTANCE = 'nearmiss_feed_lag_seconds{instance="n:8080",job="nearmiss"}'


def test_a_feed_that_is_behind_is_told_after_ten_minutes(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: the alert was not tried (Debian: prometheus)")
    firing = {
        "exp_labels": {"severity": "warning", "instance": "n:8080", "job": "nearmiss"},
        "exp_annotations": {
            "summary": "A feed of n:8080 is 30m 0s behind, and verdicts stay unverified",
            "runbook": "docs/how-to/runbook.md#nearmissfeedsbehind",
        },
    }
    test = {
        "interval": "1m",
        # A quarter of an hour is nothing yet; then half an hour for longer than ten minutes; then it is caught up.
        "input_series": [{"series": INSTANCE, "values": "900x20 1800x15 60x10"}],
        "alert_rule_test": [
            {"eval_time": at, "alertname": "NearmissFeedsBehind", "exp_alerts": alerts}
            for at, alerts in (("20m", []), ("30m", []), ("32m", [firing]), ("38m", []))
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "tests": [test]}), encoding="utf-8")
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_is_paged_for_a_service_without_a_feed() -> None:
    """What one service lacks or where a feed is blind is shown: no alert asks for it."""
    asked = re.findall(r"nearmiss_feed\w*", ALERTS.read_text(encoding="utf-8"))
    assert set(asked) == {"nearmiss_feeds", "nearmiss_feed_lag_seconds"}
