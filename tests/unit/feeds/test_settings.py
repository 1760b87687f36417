"""Feeds in the settings: what a short entry means, and what is said about a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.core.model.events import MINUTE
from monitor.feeds.queries import PulledFeed
from monitor.feeds.settings import FeedPull, FeedSettings
from monitor.feeds.states import FeedName, Limits
from monitor.settings import BadSettings, load_settings
from tests.architecture.files import text

SECRET = "Bearer correct-horse-battery"
PYRRA = "prometheus: 'http://p:9090', preset: pyrra, match: '{slo=\"s\",}', requests: r_total"
AT = "prometheus: 'http://p:9090'"


def entry(pull: str, around: str = "") -> str:
    """A feed of checkout."""
    return f"{{service: checkout, {around}pull: {{{pull}}}}}"


def feed_of(pull: Mapping[str, object]) -> PulledFeed:
    return FeedSettings.model_validate({"service": "checkout", "pull": pull}).feed()


def load(folder: Path, *feeds: str) -> list[str]:
    path = folder / "nearmiss.yaml"
    path.write_text("feeds:\n" + "".join(f"  - {entry(feed)}\n" for feed in feeds), encoding="utf-8")
    try:
        load_settings({"config": str(path)}, {})
    except BadSettings as error:
        return list(error.problems)
    return []


def test_a_short_entry_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "nearmiss.yaml"
    path.write_text(f"feeds: [{entry(f'{AT}, preset: blackbox')}]\n", encoding="utf-8")
    feed = load_settings({"config": str(path)}, {}).feeds[0].feed()
    assert feed.name == FeedName("checkout", "blackbox", "synthetic")
    assert (feed.step, feed.limits) == (MINUTE, Limits(30, 8, has_counts=True, has_requests=False))
    assert 'probe_success{service="checkout"}' in feed.query


def test_a_ratio_never_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "nearmiss.yaml"
    path.write_text(f"feeds: [{entry(PYRRA)}]\n", encoding="utf-8")
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
        (f"{AT}, preset: blackbox, match: job=x", "feeds.0.pull.match"),
        (f"{AT}, preset: blackbox, step: 1s", "feeds.0.pull.step"),
        (f"{AT}, preset: blackbox, flor: 3", "did you mean floor?"),
        ("prometheus: 'http://me:pw@p:9090', preset: blackbox", "feeds.0.pull.prometheus"),
        (
            f"{AT}, preset: openslo, requests: r_total, objective: 0.9",
            "expected a file, or requests, objective and either",
        ),
        (f"{AT}, preset: openslo, file: /nowhere/slo.yaml", "/nowhere/slo.yaml"),
        (f"{AT}, preset: grafana_slo, requests: r_total", "expected the SLO"),
        (f"{AT}, preset: blackbox, scrape: 5m", "expected scrape to be at most 2m"),
        (f"{AT}, preset: blackbox, alert: Slow", "expected either a preset, or clear and hurt, or an alert"),
        (f"{AT}, datadog: abc", "expected one of prometheus and datadog"),
        ("datadog: abc, preset: sloth", "preset is for a Prometheus"),
        (
            "checkly: c, authorization: a, authorization_file: b",
            "authorization or authorization_file",
        ),
        ("google: slo-1", "feeds.0.pull.google"),
        ("preset: blackbox", "feeds.0: prometheus: missing; expected the address"),
    ],
)
def test_a_wrong_feed_says_what_was_expected(tmp_path: Path, feed: str, said: str) -> None:
    (line,) = load(tmp_path, feed)
    assert said in line
    assert "try " in line or "did you mean" in line


@pytest.mark.parametrize(("scrape", "samples"), [("15s", 16), ("30s", 8), ("1m", 4), ("2m", 2)])
def test_the_interval_of_scrapes_says_how_many_are_enough(scrape: str, samples: int) -> None:
    given = {"prometheus": "http://p:9090", "preset": "blackbox", "scrape": scrape}
    assert feed_of(given).limits.samples == samples
    assert feed_of({**given, "samples": 3}).limits.samples == 3


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
    openslo = {"prometheus": "http://p:9090", "preset": "openslo"}
    requests, good = 'http_requests_total{job="x"}', 'http_requests_total{code!~"5.."}'
    written = {**openslo, "requests": requests, "good": good, "objective": 0.999}
    assert feed_of({**openslo, "file": file}) == feed_of(written)


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
    path = tmp_path / "nearmiss.yaml"
    path.write_text(
        f"feeds: [{entry(f'{AT}, preset: kuma')}, {entry(f'{AT}, preset: kuma', 'source: probe-2, ')}]",
        encoding="utf-8",
    )
    assert [feed.name.source for feed in load_settings({"config": str(path)}, {}).feeds] == ["kuma", "probe-2"]


@pytest.mark.parametrize("wrong", ["step: x", "clear: up", "match: 3", "preset: 5", "zzz: 1"])
def test_a_credential_is_never_shown(tmp_path: Path, wrong: str) -> None:
    said = load(tmp_path, f"{AT}, authorization: '{SECRET}', {wrong}")
    assert said
    assert "horse" not in "\n".join(said)


def problems(folder: Path, written: str) -> list[str]:
    path = folder / "nearmiss.yaml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(BadSettings) as caught:
        load_settings({"config": str(path)}, {})
    return list(caught.value.problems)


@pytest.mark.parametrize(
    "flat",
    [
        "{service: checkout, prometheus: 'http://p:9090', preset: blackbox}",
        "{service: checkout, source: slow, prometheus: 'http://p:9090', alert: It's slow, step: 30s}",
        "{service: checkout, prometheus: 'http://p:9090', preset: pyrra, requests: 'r{a=\"b\"}', floor: 9, samples: 8}",
        "{service: checkout, pull: {prometheus: 'http://p:9090', step: 2m}, preset: kuma, environment: production}",
        "{service: checkout, prometheus: 'http://p', preset: openslo, requests: r, good: g, objective: 0.999}",
        "{service: checkout, datadog: '12', headers: {DD-API-KEY: horse}, authorization: horse}",
    ],
)
def test_what_is_said_about_a_flat_entry_works_where_it_is_pasted(tmp_path: Path, flat: str) -> None:
    (line,) = problems(tmp_path, f"feeds:\n  - {entry(f'{AT}, preset: blackbox')}\n  - {flat}\n")
    assert line.startswith(f"{tmp_path / 'nearmiss.yaml'}:3:5: feeds.1: expected ")
    assert "horse" not in line
    _, _, hint = line.partition("; try ")
    path = tmp_path / "nearmiss.yaml"
    path.write_text(f"feeds:\n  - {hint}\n", encoding="utf-8")
    (feed,) = load_settings({"config": str(path)}, {}).feeds
    assert feed.service == "checkout"


def test_a_flat_entry_shows_no_word_that_may_be_a_credential(tmp_path: Path) -> None:
    written = "authorisation: horse, prometheus: 'http://me:horse@p', pull: {autorization: horse}"
    (line,) = problems(tmp_path, f"feeds: [{{service: checkout, {written}}}]\n")
    assert "expected prometheus below pull; try {service: checkout, authorisation: '…', pull: {" in line
    assert "horse" not in line


@pytest.mark.parametrize("floor", ["30 requests", "1 request", "0 requests", "2.5 requests"])
def test_a_floor_says_what_it_counts(floor: str) -> None:
    given: dict[str, object] = {"prometheus": "http://p:9090", "preset": "blackbox", "floor": floor}
    assert feed_of(given).limits.floor == float(floor.split(maxsplit=1)[0])


@pytest.mark.parametrize("floor", ["30", "thirty", "-1 requests", "'30 errors'", "{a: 1}"])
def test_a_floor_that_counts_nothing_is_told_so(tmp_path: Path, floor: str) -> None:
    (line,) = load(tmp_path, f"{AT}, preset: blackbox, floor: {floor}")
    assert "feeds.0.pull.floor: expected a number of requests in five minutes; try floor: 30 requests" in line


def test_the_page_names_every_key() -> None:
    page = text(Path("docs/how-to/feeds.md")) or ""
    keys = [*FeedSettings.model_fields, *FeedPull.model_fields]
    assert [name for name in keys if f"`{name}`" not in page] == []
