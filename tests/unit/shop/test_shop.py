"""What answers of tools mean, and how files are added to without changing what a person wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.shop import prometheus
from monitor.shop.found import FoundServices
from monitor.shop.kubernetes import take_workloads
from monitor.shop.plan import Configured, ShopAnswers, catalogue_sections, paste, settings_sections
from monitor.shop.text import FileSection, difference, merged


def answer(*labels: dict[str, str]) -> bytes:
    return json.dumps({"status": "success", "data": {"result": [{"metric": each} for each in labels]}}).encode()


def found(**answers: bytes) -> FoundServices:
    known = FoundServices()
    for question, body in answers.items():
        prometheus.take(question, prometheus.labels_of(body), known)
    return known


def test_services_dependencies_and_environments_are_found() -> None:
    known = found(
        services=answer({"service": "payments"}, {"service": "kube-state-metrics"}, {"service": "{{ $labels.x }}"}, {}),
        probes=answer({"service": "checkout"}),
        calls=answer({"client": "checkout", "server": "payments"}, {"client": "payments", "server": "payments"}),
        owners=answer({"service": "payments", "team": "team-pay"}),
        environments=answer({"env": "production"}, {"environment": "staging"}),
    )
    assert sorted(known.services) == ["checkout", "payments"]
    assert known.services["checkout"].user_facing
    assert known.services["checkout"].depends_on == {"payments"}
    assert (known.services["payments"].owner, known.services["payments"].depends_on) == ("team-pay", set())
    assert known.environments == {"production", "staging"}


def test_rules_tell_owners_and_a_prometheus_its_alertmanagers() -> None:
    known = FoundServices()
    rules = {"data": {"groups": [{"rules": [{"labels": {"service": "mail", "owner": "team-x"}}, {}]}]}}
    prometheus.take_rules(json.dumps(rules).encode(), known)
    assert known.services["mail"].owner == "team-x"
    own = ("http://nearmiss:8080/ingest/prometheus/api/v2/alerts", "http://nearmiss:8080/api/v2/alerts")
    urls = ("http://am/prefix/api/v2/alerts", "unix:x", *own)
    peers = json.dumps({"data": {"activeAlertmanagers": [{"url": url} for url in urls]}}).encode()
    assert prometheus.alertmanagers_of(peers, "http://nearmiss:8080") == ["http://am/prefix"]


@pytest.mark.parametrize("body", [b"<html>", b'{"status": "error", "error": "parse"}', b'{"status": 1}'])
def test_what_is_no_answer_is_named(body: bytes) -> None:
    with pytest.raises(prometheus.BadAnswer):
        prometheus.labels_of(body)


def test_workloads_of_the_platform_are_left_out() -> None:
    def workload(name: str, namespace: str, **labels: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}

    known = FoundServices()
    listed = [
        workload("web", "shop", team="team-shop"),
        workload("coredns", "kube-system"),
        workload("x-exporter", "shop"),
    ]
    assert take_workloads(json.dumps({"items": listed}).encode(), known) == 1
    assert (known.services["web"].owner, known.services["web"].told_by) == ("team-shop", "a workload in shop")


class Feeds:
    def __init__(self, *feeds: Any) -> None:
        self.feeds = feeds


def test_a_catalogue_lacks_only_what_nobody_described() -> None:
    known = found(
        services=answer({"service": "Pay-Ments"}, {"service": "new: one"}), environments=answer({"env": "prod"})
    )
    known.edges([("new: one", "payments")], "traces")
    known.services["new: one"].depends_on.add("unheard-of")
    catalogue = Catalogue({"payments": Service("payments")}, feeds=(Feed("payments", "blackbox", "synthetic"),))
    text, left = merged(None, "# head\n", catalogue_sections(known, Feeds(), catalogue))
    assert left == []
    read = yaml.safe_load(text)
    assert read == {"services": {"new: one": {"depends_on": ["payments"]}}, "production": ["prod"]}
    assert "# found in the label service" in text


def test_a_file_that_is_there_is_added_to_and_not_changed() -> None:
    before = "services:\n  a: {}   # mine\nfeeds: [{service: a}]\n"
    sections = [
        FileSection("services", "about", ("  a: {}   # mine", "  b: {}")),
        FileSection("feeds", "about", ("  - {service: b}",)),
        FileSection("secrets", "who is who", ("  github: [x]",)),
    ]
    after, left = merged(before, "# head", sections)
    assert after == (
        "services:\n  b: {}\n  a: {}   # mine\nfeeds: [{service: a}]\n\n# who is who\nsecrets:\n  github: [x]\n"
    )
    assert left == ["feeds:", "  - {service: b}"]
    assert "+  b: {}" in difference("x", before, after)
    assert "-" not in [line[0] for line in difference("x", before, after).splitlines()[2:]]
    assert merged(after, "# head", sections[:1]) == (after, [])
    assert difference("x", after, after) == ""


def test_the_lines_to_paste_name_the_address_and_the_secret() -> None:
    secrets = {"github": "the-secret", "prometheus": "another"}
    answers = ShopAnswers(
        prometheus="http://p", github="acme", address="https://nearmiss.example:8443", secrets=secrets
    )
    lines = "\n".join(paste(answers))
    block = yaml.safe_load(lines)["alerting"]["alertmanagers"][0]
    assert block == {
        "static_configs": [{"targets": ["nearmiss.example:8443"]}],
        "scheme": "https",
        "path_prefix": "/ingest/prometheus",
        "authorization": {"credentials": "another"},
    }
    assert "https://nearmiss.example:8443/ingest/github" in lines
    assert "Secret: the-secret" in lines


class Probe:
    is_sure, is_whole, score, told_by = False, True, 0.6, "instance"

    def setting(self, shown: Mapping[str, str]) -> dict[str, object]:
        return {"service": "checkout", "pull": {"preset": "blackbox", **shown}}

    def catalogue_entry(self) -> dict[str, str]:
        return {"service": "checkout", "source": "blackbox", "evidence": "synthetic"}


def test_a_feed_is_asked_as_init_asked_and_confirmed_where_it_is_not_sure() -> None:
    answers = ShopAnswers(
        prometheus="http://p",
        authorization_file=Path("/etc/token"),
        tenant="shop",
        address="http://n",
        grafana="http://g",
    )
    text, _ = merged(None, "", settings_sections(answers, Feeds(Probe()), None))
    assert (
        "# feeds:\n  # - {service: checkout, pull: {preset: blackbox, tenant: shop, authorization_file: '/etc/token'}}"
        "  # instance, score 0.60\n"
    ) in text
    assert "# pulls:\n  # - {tool: grafana, url: 'http://g', authorization: Bearer …}" in text
    assert yaml.safe_load(text) is None


def test_settings_that_a_person_changed_lack_nothing() -> None:
    before = Configured(
        frozenset({Path("/c.yaml")}),
        frozenset({("checkout", "blackbox", "synthetic")}),
        frozenset({"http://am", "http://g"}),
        frozenset({"github"}),
    )
    answers = ShopAnswers(alertmanagers=("http://am",), grafana="http://g", address="http://n", secrets={"github": "x"})
    sections = settings_sections(answers, Feeds(Probe()), Path("/c.yaml"), before)
    assert [section.lines for section in sections] == [()] * 5
