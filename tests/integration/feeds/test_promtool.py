"""The queries in a real Prometheus' engine, as far as promtool is installed: the parts that each preset gives."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.feeds import queries

COUNTER = 'http_requests_total{service="a"}'
COUNTS: dict[str, float] = {"requests": 1000, "samples": 11, "age": 0}
ERRORS = 'sum(rate(http_requests_total{service="a",code="500"}[5m])) / sum(rate(http_requests_total{service="a"}[5m]))'
SERIES = {
    'probe_success{service="a"}': "1x20",
    'slo:current_burn_rate:ratio{sloth_service="a"}': "0.5x20",
    'http_requests_total{service="a",code="200"}': "0+100x20",
    'http_requests_total{service="a",code="500"}': "0+0x20",
    'http_requests:burnrate5m{slo="a"}': "0.25x20",
    'pyrra_objective{slo="a"}': "0.5x20",
    # Scrapes ended three minutes before.
    'probe_success{service="gone"}': "1x6 _x14",
}
CASES: list[tuple[dict[str, str], dict[str, float]]] = [
    (queries.blackbox('{service="a"}'), {"lowest": 1, "newest": 1, "samples": 11, "age": 0}),
    (queries.blackbox('{service="gone"}'), {"lowest": 1, "newest": 1, "samples": 5, "age": 180}),
    (queries.blackbox('{service="nobody"}'), {}),
    (queries.sloth('{sloth_service="a"}', COUNTER), {"burn": 0.5, **COUNTS}),
    (queries.pyrra('{slo="a"}', COUNTER), {"burn": 0.5, **COUNTS}),
    (queries.own(f"{ERRORS} < 0.01 # a comment", f"{ERRORS} > 0.1", COUNTER), {"clear": 1, **COUNTS}),
    (queries.own("up > 0", "up == 0", None), {}),
]


def test_each_preset_gives_its_parts(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: the queries of feeds were not tried (Debian: prometheus)")
    expected = [
        {
            "expr": queries.joined(parts),
            "eval_time": "6m",
            "exp_samples": [
                {"labels": f'{{{queries.PART}="{part}"}}', "value": value} for part, value in values.items()
            ],
        }
        for parts, values in CASES
    ]
    series = [{"series": name, "values": values} for name, values in SERIES.items()]
    test = {"interval": "30s", "input_series": series, "promql_expr_test": expected}
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"evaluation_interval": "30s", "tests": [test]}), encoding="utf-8")
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
