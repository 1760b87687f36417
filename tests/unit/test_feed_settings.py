"""Feeds in the settings: what a short entry means, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.model.events import MINUTE
from monitor.feed_settings import FeedSettings
from monitor.feeds.states import FeedName, Limits
from monitor.settings import BadSettings, load_settings
from tests.architecture.files import text

SECRET = "Bearer correct-horse-battery"
AT = "service: checkout, prometheus: 'http://p:9090'"


def load(folder: Path, *feeds: str) -> list[str]:
    path = folder / "nearmiss.yaml"
    path.write_text("feeds:\n" + "".join(f"  - {{{feed}}}\n" for feed in feeds), encoding="utf-8")
    try:
        load_settings({"config": str(path)}, {})
    except BadSettings as error:
        return list(error.problems)
    return []


def test_a_short_entry_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "nearmiss.yaml"
    path.write_text(f"feeds: [{{{AT}, preset: blackbox}}]\n", encoding="utf-8")
    feed = load_settings({"config": str(path)}, {}).feeds[0].feed()
    assert feed.name == FeedName("checkout", "blackbox", "synthetic")
    assert (feed.step, feed.limits) == (MINUTE, Limits(30, 8, has_counts=True, has_requests=False))
    assert 'probe_success{service="checkout"}' in feed.query


def test_a_ratio_never_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "nearmiss.yaml"
    path.write_text(f"feeds: [{{{AT}, preset: pyrra, match: '{{slo=\"s\",}}', requests: r_total}}]\n", encoding="utf-8")
    feed = load_settings({"config": str(path)}, {}).feeds[0].feed()
    assert feed.limits == Limits(30, 8, has_counts=True, has_requests=True)
    assert '{__name__=~".+:burnrate5m",slo="s"}' in feed.query
    assert "sum(increase(r_total[5m]))" in feed.query


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        (AT, "expected either a preset, or clear and hurt"),
        (f"{AT}, preset: blackbox, clear: up", "expected either a preset, or clear and hurt"),
        (f"{AT}, clear: up", "expected both clear and hurt"),
        (f"{AT}, preset: sloth", "expected the raw counter"),
        (f"{AT}, preset: nagios", "expected blackbox, sloth, pyrra, grafana_slo, gatus, kuma or openslo"),
        (f"{AT}, preset: blackbox, match: job=x", "feeds.0.match"),
        (f"{AT}, preset: blackbox, step: 1s", "feeds.0.step"),
        (f"{AT}, preset: blackbox, flor: 3", "did you mean floor?"),
        ("service: checkout, prometheus: 'http://me:pw@p:9090', preset: blackbox", "feeds.0.prometheus"),
        (
            f"{AT}, preset: openslo, requests: r_total, objective: 0.9",
            "expected a file, or requests, objective and either",
        ),
        (f"{AT}, preset: openslo, file: /nowhere/slo.yaml", "/nowhere/slo.yaml"),
        (f"{AT}, preset: grafana_slo, requests: r_total", "expected the SLO"),
        (f"{AT}, preset: blackbox, scrape: 5m", "expected scrape to be at most 2m"),
        (f"{AT}, preset: blackbox, alert: Slow", "expected either a preset, or clear and hurt, or an alert"),
        (f"{AT}, datadog: abc", "expected one of prometheus and datadog"),
        ("service: checkout, datadog: abc, preset: sloth", "preset is for a Prometheus"),
        (
            "service: checkout, checkly: c, authorization: a, authorization_file: b",
            "authorization or authorization_file",
        ),
        ("service: checkout, google: slo-1", "feeds.0.google"),
        ("service: checkout, preset: blackbox", "feeds.0: prometheus: missing; expected the address"),
    ],
)
def test_a_wrong_feed_says_what_was_expected(tmp_path: Path, feed: str, said: str) -> None:
    (line,) = load(tmp_path, feed)
    assert said in line
    assert "try " in line or "did you mean" in line


@pytest.mark.parametrize(("scrape", "samples"), [("15s", 16), ("30s", 8), ("1m", 4), ("2m", 2)])
def test_the_interval_of_scrapes_says_how_many_are_enough(scrape: str, samples: int) -> None:
    given = {"service": "checkout", "prometheus": "http://p:9090", "preset": "blackbox"}
    assert FeedSettings.model_validate({**given, "scrape": scrape}).feed().limits.samples == samples
    assert FeedSettings.model_validate({**given, "scrape": scrape, "samples": 3}).feed().limits.samples == 3


OPENSLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-requests}
spec:
  service: checkout
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'sum(http_requests_total{code!~"5.."})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(http_requests_total{job="x"}[5m]))'}}}
  objectives: [{targetPercent: 99.9}]
"""


def test_an_openslo_document_gives_its_counters(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text(OPENSLO, encoding="utf-8")
    settings = FeedSettings(service="checkout", prometheus="http://p:9090", preset="openslo", file=file)
    written = FeedSettings(
        service="checkout",
        prometheus="http://p:9090",
        preset="openslo",
        requests='http_requests_total{job="x"}',
        good='http_requests_total{code!~"5.."}',
        objective=0.999,
    )
    assert settings.feed() == written.feed()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("kind: SLO", "kind: Service", "a document of the kind SLO"),
        ("targetPercent: 99.9", "target: 2", "expected a target such as 0.999"),
        ("sum(http_requests_total{code!~", "sum(a) / sum(b{c=~", "expected the selector of one counter"),
        ("good:", "better:", "expected good and total, or bad and total"),
        ("total:", "all:", "ratioMetric.total"),
    ],
)
def test_an_openslo_document_that_cannot_be_counted_says_why(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    (tmp_path / "slo.yaml").write_text(OPENSLO.replace(before, after), encoding="utf-8")
    (line,) = load(tmp_path, f"{AT}, preset: openslo, file: {tmp_path / 'slo.yaml'}")
    assert said in line
    assert "try " in line


def test_two_feeds_of_one_name_could_not_be_told_apart(tmp_path: Path) -> None:
    (line,) = load(tmp_path, f"{AT}, preset: blackbox", f"{AT}, preset: blackbox")
    assert "two feeds of checkout have the source blackbox" in line
    assert load(tmp_path, f"{AT}, preset: blackbox", f"{AT}, preset: blackbox, source: probe-2") == []


@pytest.mark.parametrize("wrong", ["step: x", "clear: up", "match: 3", "preset: 5", "zzz: 1"])
def test_a_credential_is_never_shown(tmp_path: Path, wrong: str) -> None:
    said = load(tmp_path, f"{AT}, authorization: '{SECRET}', {wrong}")
    assert said
    assert "horse" not in "\n".join(said)


def test_the_page_names_every_key() -> None:
    page = text(Path("docs/how-to/feeds.md")) or ""
    assert [name for name in FeedSettings.model_fields if f"`{name}`" not in page] == []
