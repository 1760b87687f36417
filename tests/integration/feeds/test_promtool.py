"""The queries in a real Prometheus' engine, as far as promtool is installed: the parts that each preset gives."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.core.model.reasons import FeedStep
from monitor.feeds import queries
from monitor.feeds.queries import AlertingRule
from monitor.feeds.states import STALE_AFTER, Limits, state_of

Case = tuple[dict[str, str], dict[str, float], FeedStep]

COUNTER = 'http_requests_total{service="a"}'
IDLE = 'http_requests_total{service="idle"}'
DEAD = 'http_requests_total{service="dead"}'
GOOD = 'http_requests_total{service="a",code="200"}'
BAD = 'http_requests_total{service="a",code="500"}'
COUNTS: dict[str, float] = {"requests": 1000, "samples": 11, "age": 0}
NOTHING = {"requests": 0.0, "samples": 11.0, "age": 0.0}
# It stopped three minutes before: eleven scrapes became five, and Prometheus fills the window up.
GONE = {"requests": 450.0, "samples": 5.0, "age": 180.0}
PROBE: dict[str, float] = {"lowest": 1, "newest": 1, "samples": 11, "age": 0}
PROOF: dict[str, float] = {"watchdog": 1, "evaluated": 0, "failures": 0}
ERRORS = 'sum(rate(http_requests_total{service="a",code="500"}[5m])) / sum(rate(http_requests_total{service="a"}[5m]))'
SERIES = {
    'probe_success{service="a"}': "1x20",
    'probe_success{service="down"}': "1x11 0x9",
    'probe_success{service="flaps"}': "1x6 0 1x13",
    'slo:current_burn_rate:ratio{sloth_service="a"}': "0.5x20",
    'http_requests_total{service="a",code="200"}': "0+100x20",
    'http_requests_total{service="a",code="500"}': "0+0x20",
    'http_requests_total{service="idle",code="200"}': "5x20",
    'http_requests_total{service="dead",code="200"}': "0+100x6 _x14",
    'http_requests:burnrate5m{slo="a"}': "0.25x20",
    'pyrra_objective{slo="a"}': "0.5x20",
    'grafana_slo_sli_5m{grafana_slo_uuid="u"}': "0.75x20",
    'grafana_slo_objective{grafana_slo_uuid="u"}': "0.5x20",
    'gatus_results_endpoint_success{name="a",key="g_a"}': "1x20",
    'gatus_results_total{name="a",key="g_a",success="true"}': "0+1x20",
    # Its last result is shown for ever, and no further check is made.
    'gatus_results_endpoint_success{name="frozen",key="g_f"}': "1x20",
    'gatus_results_total{name="frozen",key="g_f",success="true"}': "7x20",
    'monitor_status{monitor_name="a"}': "1x20",
    'monitor_status{monitor_name="pending"}': "1x10 2 1x9",
    'ALERTS{alertname="Watchdog",alertstate="firing"}': "1x20",
    'ALERTS{alertname="Hot",alertstate="firing",service="hot"}': "1x20",
    'ALERTS{alertname="Hot",alertstate="pending",service="warm"}': "1x20",
    'prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group="/r.yml;shop"}': "0+30x20",
    'prometheus_rule_evaluation_failures_total{rule_group="/r.yml;shop"}': "0x20",
    'prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group="/r.yml;stuck"}': "0x20",
    'prometheus_rule_evaluation_failures_total{rule_group="/r.yml;stuck"}': "0x20",
    'prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group="/r.yml;slow"}': "0+30x2 60x18",
    'prometheus_rule_evaluation_failures_total{rule_group="/r.yml;slow"}': "0x20",
    'slo:current_burn_rate:ratio{sloth_service="burns"}': "20x20",
    'http_requests:burnrate5m{slo="burns"}': "0.5x20",
    'pyrra_objective{slo="burns"}': "0.96875x20",
    'grafana_slo_sli_5m{grafana_slo_uuid="burns"}': "0.5x20",
    'grafana_slo_objective{grafana_slo_uuid="burns"}': "0.96875x20",
    'gatus_results_endpoint_success{name="down",key="g_d"}': "0x20",
    'gatus_results_total{name="down",key="g_d",success="false"}': "0+1x20",
    'monitor_status{monitor_name="down"}': "0x20",
    'monitor_status{monitor_name="gone"}': "1x6 _x14",
    # Scrapes ended three minutes before.
    'probe_success{service="gone"}': "1x6 _x14",
}
CASES: list[Case] = [
    (queries.blackbox('{service="a"}'), PROBE, FeedStep.CLEAR),
    (queries.blackbox('{service="gone"}'), PROBE | {"samples": 5, "age": 180}, FeedStep.STALE),
    (queries.blackbox('{service="nobody"}'), {}, FeedStep.NO_DATA),
    (queries.blackbox('{service="down"}'), PROBE | {"lowest": 0, "newest": 0}, FeedStep.HURT),
    (queries.blackbox('{service="flaps"}'), PROBE | {"lowest": 0}, FeedStep.BETWEEN),
    (queries.sloth('{sloth_service="a"}', COUNTER), {"burn": 0.5, **COUNTS}, FeedStep.CLEAR),
    # The recorded ratio looks well for both.
    (queries.sloth('{sloth_service="a"}', IDLE), {"burn": 0.5, **NOTHING}, FeedStep.BELOW_FLOOR),
    (queries.sloth('{sloth_service="a"}', DEAD), {"burn": 0.5, **GONE}, FeedStep.STALE),
    (queries.sloth('{sloth_service="a"}', 'http_requests_total{srv="a"}'), {"burn": 0.5}, FeedStep.NO_DATA),
    (queries.pyrra('{slo="a"}', COUNTER), {"burn": 0.5, **COUNTS}, FeedStep.CLEAR),
    (queries.pyrra('{slo="a"}', IDLE), {"burn": 0.5, **NOTHING}, FeedStep.BELOW_FLOOR),
    (queries.grafana_slo('{grafana_slo_uuid="u"}', COUNTER), {"burn": 0.5, **COUNTS}, FeedStep.CLEAR),
    (queries.grafana_slo('{grafana_slo_uuid="u"}', IDLE), {"burn": 0.5, **NOTHING}, FeedStep.BELOW_FLOOR),
    (queries.openslo(GOOD, None, COUNTER, 0.999), {"burn": 0, **COUNTS}, FeedStep.CLEAR),
    (queries.openslo(None, BAD, COUNTER, 0.999), {"burn": 0, **COUNTS}, FeedStep.CLEAR),
    (queries.openslo(None, GOOD, COUNTER, 0.5), {"burn": 2, **COUNTS}, FeedStep.BETWEEN),
    # A counter of errors that is misspelt is no absence of errors.
    (queries.openslo(None, "http_errors_total", COUNTER, 0.999), COUNTS, FeedStep.NO_DATA),
    (queries.gatus('{name="a"}'), PROBE | {"requests": 10}, FeedStep.CLEAR),
    (queries.gatus('{name="frozen"}'), PROBE | {"requests": 0}, FeedStep.BELOW_FLOOR),
    (queries.kuma('{monitor_name="a"}'), PROBE | {"highest": 1}, FeedStep.CLEAR),
    (queries.kuma('{monitor_name="pending"}'), PROBE | {"highest": 2}, FeedStep.BETWEEN),
    # Each of them hurts, and each is blind once its scrapes have ended.
    (queries.sloth('{sloth_service="burns"}', COUNTER), {"burn": 20, **COUNTS}, FeedStep.HURT),
    (queries.pyrra('{slo="burns"}', COUNTER), {"burn": 16, **COUNTS}, FeedStep.HURT),
    (queries.pyrra('{slo="a"}', DEAD), {"burn": 0.5, **GONE}, FeedStep.STALE),
    (queries.grafana_slo('{grafana_slo_uuid="burns"}', COUNTER), {"burn": 16, **COUNTS}, FeedStep.HURT),
    (queries.grafana_slo('{grafana_slo_uuid="u"}', DEAD), {"burn": 0.5, **GONE}, FeedStep.STALE),
    (queries.openslo(None, GOOD, COUNTER, 0.96875), {"burn": 32, **COUNTS}, FeedStep.HURT),
    (queries.openslo(DEAD, None, DEAD, 0.999), {"burn": 0, **GONE}, FeedStep.STALE),
    (queries.gatus('{name="down"}'), PROBE | {"lowest": 0, "newest": 0, "requests": 10}, FeedStep.HURT),
    (
        queries.kuma('{monitor_name="down"}'),
        PROBE | {"lowest": 0, "newest": 0, "highest": 0},
        FeedStep.HURT,
    ),
    (queries.kuma('{monitor_name="gone"}'), PROBE | {"highest": 1, "samples": 5, "age": 180}, FeedStep.STALE),
    (queries.alert(AlertingRule("Cold"), "/r.yml;shop", 30), PROOF, FeedStep.CLEAR),
    (
        queries.alert(AlertingRule("Hot", '{service="hot"}'), "/r.yml;shop", 30),
        PROOF | {"firing": 1, "pending": 1},
        FeedStep.HURT,
    ),
    (
        queries.alert(AlertingRule("Hot", '{service="warm"}'), "/r.yml;shop", 30),
        PROOF | {"pending": 1},
        FeedStep.BETWEEN,
    ),
    (queries.alert(AlertingRule("Cold"), "/r.yml;stuck", 30), PROOF | {"evaluated": 360}, FeedStep.NOT_EVALUATED),
    (queries.alert(AlertingRule("Cold"), "/r.yml;slow", 300), PROOF | {"evaluated": 60}, FeedStep.CLEAR),
    (queries.alert(AlertingRule("Cold"), "/r.yml;gone", 30), {"watchdog": 1}, FeedStep.NOT_EVALUATED),
    (queries.own(f"{ERRORS} < 0.01 # a comment", f"{ERRORS} > 0.1", COUNTER), {"clear": 1, **COUNTS}, FeedStep.CLEAR),
    (queries.own("up > 0", "up == 0", None), {}, FeedStep.NO_DATA),
]


def limits(parts: dict[str, str]) -> Limits:
    floor = 1 if "highest" not in parts and "lowest" in parts else 30
    return Limits(floor, 8, "samples" in parts, "requests" in parts, STALE_AFTER, needs_proof="watchdog" in parts)


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
        for parts, values, _ in CASES
    ]
    series = [{"series": name, "values": values} for name, values in SERIES.items()]
    test = {"interval": "30s", "input_series": series, "promql_expr_test": expected}
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"evaluation_interval": "30s", "tests": [test]}), encoding="utf-8")
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_the_state_that_these_parts_make(case: Case) -> None:
    parts, values, state = case
    assert state_of(values, limits(parts)) is state


def test_without_a_watchdog_the_silence_of_alerts_proves_nothing() -> None:
    silent = {name: value for name, value in PROOF.items() if name != "watchdog"}
    asked = limits(queries.alert(AlertingRule("Cold"), "/r.yml;shop", 30))
    assert state_of(silent, asked) is FeedStep.NO_WATCHDOG
    assert state_of(PROOF | {"failures": 1}, asked) is FeedStep.NOT_EVALUATED
    assert state_of({"rule": 0}, asked) is FeedStep.NO_RULE
    # What fires is bad news, whoever proves what.
    assert state_of({"firing": 1}, asked) is FeedStep.HURT
