"""What is found in a Prometheus, and which service each of it is taken to watch."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from monitor.asking import Caller, QueryFailed
from monitor.core.model.catalogue import Alias, Catalogue, Service
from monitor.core.model.reasons import FeedFailure
from monitor.core.resolving.names import Names
from monitor.feeds.discover import PRESETS, Discovery, FoundFeed, discover, lines, matched
from monitor.feeds.settings import FeedSettings
from monitor.located.flow import flow

SHOP = Catalogue(
    {name: Service(name, user_facing=True) for name in ("checkout", "search", "user-profile", "account")},
    aliases=(Alias("search", "name", "finder"),),
)
BY_NAME = {preset.name: preset for preset in PRESETS}


SAMPLES = "how many samples"
"""Stands among the labels of a series for what it had in ten minutes; without it ten."""


class Asked:
    """A Prometheus that has these series, as labels, and these recording rules."""

    def __init__(self, series: dict[str, list[dict[str, str]]], rules: list[dict[str, Any]] | None = None) -> None:
        self.series, self.rules = series, rules or []
        self.failing: dict[str, QueryFailed] = {}

    async def post(self, url: str, form: dict[str, str], _caller: Caller) -> tuple[int, bytes]:
        assert url == "http://p:9090/api/v1/query"
        name = form["query"].removeprefix("count_over_time(").partition("[")[0]
        if name in self.failing:
            raise self.failing[name]
        result = [
            {
                "metric": {key: text for key, text in labels.items() if key != SAMPLES},
                "value": [0, labels.get(SAMPLES, "10")],
            }
            for labels in self.series.get(name, [])
        ]
        return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()

    async def get(self, url: str, _query: dict[str, str], _caller: Caller) -> tuple[int, bytes]:
        assert url == "http://p:9090/api/v1/rules"
        return 200, json.dumps({"status": "success", "data": {"groups": [{"rules": self.rules}]}}).encode()


async def find(asked: Asked, catalogue: Catalogue = SHOP) -> Discovery:
    return await discover(asked, "http://p:9090/", catalogue)  # type: ignore[arg-type]  # all that is asked of it


@pytest.mark.parametrize(
    ("preset", "labels", "expected"),
    [
        ("sloth", {"sloth_service": "checkout", "sloth_slo": "requests"}, ("checkout", 1.0, "sloth_service")),
        ("kuma", {"monitor_name": "User Profile"}, ("user-profile", 0.95, "monitor_name")),
        ("gatus", {"name": "finder", "group": "x"}, ("search", 0.9, "name")),
        ("gatus", {"name": "front page", "group": "search"}, ("search", 0.9, "group")),
        ("pyrra", {"slo": "checkout-availability"}, ("checkout", 0.6, "slo")),
        (
            "blackbox",
            {"instance": "https://checkout.example.com/health", "job": "probe"},
            ("checkout", 1.0, "instance"),
        ),
        (
            "blackbox",
            {"instance": "https://www.example.org", "job": "probe"},
            ("https://www.example.org", 0.0, "instance"),
        ),
        ("grafana_slo", {"grafana_slo_uuid": "u"}, ("?", 0.0, "")),
    ],
)
def test_a_service_is_told_by_the_label_that_tells_it_best(
    preset: str, labels: dict[str, str], expected: tuple[str, float, str]
) -> None:
    assert matched(labels, BY_NAME[preset], SHOP, Names(SHOP)) == expected


def found(discovery: Discovery) -> list[tuple[str, str, str]]:
    return [(feed.service, feed.source, feed.match) for feed in discovery.feeds]


async def test_each_tool_is_found_by_its_series() -> None:
    asked = Asked(
        {
            "sloth_slo_info": [{"sloth_id": "checkout-requests", "sloth_service": "checkout", "sloth_slo": "requests"}],
            "pyrra_objective": [{"slo": "search", "service": "search"}],
            "grafana_slo_info": [{"grafana_slo_uuid": "u1", "grafana_slo_service": "account"}],
            # Two targets of one service are one feed.
            "probe_success": [{"service": "checkout", "instance": "a"}, {"service": "checkout", "instance": "b"}],
            "gatus_results_endpoint_success": [{"key": "core_search", "name": "search", "group": "core"}],
            "monitor_status": [{"monitor_name": "Search", "monitor_url": "https://search.example.com"}],
        }
    )
    discovery = await find(asked)
    assert found(discovery) == [
        ("account", "grafana_slo", '{grafana_slo_uuid="u1"}'),
        ("checkout", "blackbox", '{service="checkout"}'),
        ("checkout", "sloth", '{sloth_id="checkout-requests"}'),
        ("search", "gatus", '{key="core_search"}'),
        ("search", "pyrra", '{slo="search"}'),
        ("search", "kuma", '{monitor_name="Search"}'),
    ]
    assert discovery.without == ("user-profile",)
    assert discovery.feeds[1].scrape == 60


async def test_two_of_one_service_and_tool_have_two_sources() -> None:
    asked = Asked({"probe_success": [{"instance": "https://checkout.a.com"}, {"instance": "https://checkout.b.com"}]})
    assert [source for _, source, _ in found(await find(asked))] == ["blackbox", "blackbox-2"]


@pytest.mark.parametrize(
    ("series", "labels", "rule", "counter"),
    [
        (
            "sloth_slo_info",
            {"sloth_id": "i", "sloth_service": "checkout"},
            {
                "name": "slo:sli_error:ratio_rate5m",
                "query": '(sum(rate(r_total{job="c",code=~"(5..|429)"}[5m]))) / (sum(rate(r_total{job="c"}[5m])))',
                "labels": {"sloth_id": "i"},
            },
            'r_total{job="c"}',
        ),
        (
            "pyrra_objective",
            {"slo": "checkout"},
            {
                "name": "r:burnrate5m",
                "query": "sum(rate(e[5m])) / sum(rate(r_total[5m]))",
                "labels": {"slo": "checkout"},
            },
            "r_total",
        ),
        (
            "grafana_slo_info",
            {"grafana_slo_uuid": "u", "grafana_slo_service": "checkout"},
            {
                "name": "grafana_slo_total_rate_5m",
                "query": 'sum(rate(r_total{path="/a}b"}[5m]))',
                "labels": {"grafana_slo_uuid": "u"},
            },
            'r_total{path="/a}b"}',
        ),
        (
            "pyrra_objective",
            {"slo": "checkout"},
            {"name": "r:burnrate5m", "query": "sum(rate(r_total[5m]))", "labels": {"slo": "another"}},
            None,
        ),
    ],
)
async def test_the_raw_counter_is_found_in_the_rule_that_records_the_ratio(
    series: str, labels: dict[str, str], rule: dict[str, Any], counter: str | None
) -> None:
    (feed,) = (await find(Asked({series: [labels]}, [rule]))).feeds
    assert feed.requests == counter
    (line,) = [each for each in lines(Discovery((feed,), (), ())) if "preset" in each]
    assert line.startswith("  # - ") == (counter is None)
    assert ("add requests" in line) == (counter is None)


async def test_what_cannot_be_asked_hides_nothing_else() -> None:
    asked = Asked({"monitor_status": [{"monitor_name": "search"}]})
    asked.failing["probe_success"] = QueryFailed(FeedFailure.REFUSED, "answered 422")
    discovery = await find(asked)
    assert found(discovery) == [("search", "kuma", '{monitor_name="search"}')]
    assert discovery.problems == ("probe_success: refused: answered 422",)


async def test_a_server_that_is_away_is_asked_once() -> None:
    asked = Asked({})
    asked.failing = {preset.series: QueryFailed(FeedFailure.UNREACHABLE, "no route") for preset in PRESETS}
    discovery = await find(asked)
    assert discovery.problems == ("http://p:9090: unreachable: no route",)
    assert list(lines(discovery)) == [], "nothing to paste, and no word on what watches whom"


async def test_without_a_catalogue_names_are_as_they_are_and_to_be_confirmed() -> None:
    asked = Asked({"probe_success": [{"service": "basket"}]})
    (feed,) = (await find(asked, Catalogue())).feeds
    assert (feed.service, feed.score, feed.is_sure) == ("basket", 0.0, False)


@pytest.mark.parametrize("labels", [[{"service": "basket"}], [{"service": "basket"}, {"service": "search"}]])
async def test_what_is_pasted_as_it_is_can_be_read(labels: list[dict[str, str]]) -> None:
    """A key without one entry that is sure would have no value."""
    discovery = await find(Asked({"probe_success": labels}))
    sure = [feed.service for feed in discovery.feeds if feed.is_sure]
    said = list(lines(discovery))
    for part in (said[: said.index("# Catalogue")], said[said.index("# Catalogue") :]):
        read = yaml.safe_load("\n".join(part))
        assert [entry["service"] for entry in (read or {"feeds": []})["feeds"]] == sure
        assert (read is None) == (not sure)


def test_a_line_is_yaml_whatever_stands_in_it() -> None:
    feed = FoundFeed("it's: on", 1.0, "kuma", "kuma", "synthetic", '{monitor_name="a b"}', "monitor_name", "http://p")
    assert flow(feed.setting()) == (
        "{service: 'it''s: on', pull: {prometheus: 'http://p', preset: kuma, match: '{monitor_name=\"a b\"}'}}"
    )
    assert flow({"service": "on"}) == "{service: 'on'}"


@pytest.mark.parametrize(("samples", "scrape"), [("20", 30), ("5", 120), ("4", None), ("1", None), ("NaN", None)])
async def test_a_series_that_has_only_just_begun_says_nothing_of_its_scrapes(samples: str, scrape: int | None) -> None:
    """What would be no setting is not written down as one."""
    discovery = await find(Asked({"probe_success": [{"service": "checkout", SAMPLES: samples}]}))
    (feed,) = discovery.feeds
    assert feed.scrape == scrape
    FeedSettings.model_validate(feed.setting())


async def test_of_two_series_for_one_feed_the_fuller_one_says_how_often_it_is_scraped() -> None:
    young, old = ({"service": "checkout", "job": job, SAMPLES: count} for job, count in (("a", "6"), ("b", "20")))
    discovery = await find(Asked({"probe_success": [young, old]}))
    assert [feed.scrape for feed in discovery.feeds] == [30]
