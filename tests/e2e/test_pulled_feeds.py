"""A real Prometheus is asked by the real service: what its verdicts rest on, and what is found there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli.main import cli
from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant, to_text
from monitor.feeds.states import FeedName
from monitor.ops.clock import SystemClock
from monitor.store.database import open_store
from tests.support.prometheus import RealPrometheus, Samples
from tests.support.service import Service
from tests.support.waiting import until

SCRAPE = 30
AWAY = 4 * HOUR
CATALOGUE = """
services:
  checkout: {user_facing: true}
  search: {user_facing: true}
  account: {user_facing: true}
production: [production]
feeds:
  - {service: checkout, source: blackbox, evidence: synthetic, freshness: 10m}
  - {service: checkout, source: sloth, evidence: slo, freshness: 10m}
  - {service: checkout, source: errors, evidence: slo, freshness: 10m}
  - {service: checkout, source: alert, evidence: slo, freshness: 10m}
  - {service: search, source: blackbox, evidence: synthetic, freshness: 10m}
"""
FEEDS = """
feeds:
  - {{service: checkout, pull: {{prometheus: "{0}", preset: blackbox}}}}
  - service: checkout
    pull: {{prometheus: "{0}", preset: sloth, requests: 'http_requests_total{{service="checkout"}}'}}
  - service: checkout
    source: errors
    pull:
      prometheus: "{0}"
      preset: openslo
      requests: http_requests_total{{service="checkout"}}
      good: http_requests_total{{service="checkout",code="200"}}
      objective: 0.999
      floor: 30 requests
      samples: 8
  - {{service: checkout, pull: {{prometheus: "{0}", alert: CheckoutSlow}}}}
  - {{service: search, pull: {{prometheus: "{0}", preset: blackbox}}}}
"""
SLO = {"sloth_id": "checkout-requests", "sloth_service": "checkout", "sloth_slo": "requests"}
RATIO = (
    'sum(rate(http_requests_total{service="checkout",code=~"5.."}[5m])) '
    '/ sum(rate(http_requests_total{service="checkout"}[5m]))'
)
SLO_FOUND = """match: '{sloth_id="checkout-requests"}', requests: 'http_requests_total{service="checkout"}'"""
RULES = {
    "groups": [
        {"name": "shop", "rules": [{"alert": "CheckoutSlow", "expr": "vector(0) > 1"}]},
        {"name": "slo", "rules": [{"record": "slo:sli_error:ratio_rate5m", "expr": RATIO, "labels": SLO}]},
    ]
}


def series(now: int, rules_file: Path) -> dict[str, Samples]:
    """Five hours in which all was well, and the probe of search was away for ten minutes, an hour ago."""
    times = range(now - 5 * 3600, now + 1, SCRAPE)
    ones = [(at, 1.0) for at in times]
    seen = [(at, 1.0) for at in times if not now - 70 * 60 < at <= now - 60 * 60]
    count = [(at, 100.0 * place) for place, at in enumerate(times)]
    none = [(at, 0.0) for at in times]
    slo = ",".join(f'{name}="{value}"' for name, value in SLO.items())
    group = f'rule_group="{rules_file};shop"'
    return {
        'probe_success{service="checkout"}': ones,
        'probe_success{service="search"}': seen,
        'http_requests_total{service="checkout",code="200"}': count,
        'http_requests_total{service="checkout",code="500"}': none,
        f"slo:current_burn_rate:ratio{{{slo}}}": [(at, 0.1) for at in times],
        f"sloth_slo_info{{{slo}}}": ones,
        'ALERTS{alertname="Watchdog",alertstate="firing"}': ones,
        f"prometheus_rule_group_last_evaluation_timestamp_seconds{{{group}}}": [(at, float(at)) for at in times],
        f"prometheus_rule_evaluation_failures_total{{{group}}}": none,
    }


@pytest.fixture(scope="module")
def now() -> Instant:
    return Instant(SystemClock().now() // MINUTE * MINUTE)


@pytest.fixture(scope="module")
def prometheus(now: Instant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    found = RealPrometheus(tmp_path_factory.mktemp("prometheus"), json.dumps(RULES))
    found.fill(series(now // SECOND, found.rules_file))
    with found.running():
        yield found


@pytest.fixture
def files(prometheus: RealPrometheus, tmp_path: Path) -> Path:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    (tmp_path / "nearmiss.yaml").write_text(
        f"lateness: 1s\ncatalogue: [{tmp_path / 'catalogue.yaml'}]\n{FEEDS.format(prometheus.address)}",
        encoding="utf-8",
    )
    return tmp_path


async def read_until(database: str, at: int) -> None:
    """As if the service had stopped then."""
    async with open_store(database) as store:
        for service, source, evidence in [
            ("checkout", "blackbox", "synthetic"),
            ("checkout", "sloth", "slo"),
            ("checkout", "errors", "slo"),
            ("checkout", "alert", "slo"),
            ("search", "blackbox", "synthetic"),
        ]:
            digest = FeedName(service, source, evidence).digest
            await store.feed_cursors.save(digest, Instant(at), json.dumps({"at": at}))


def flipped(service: str, on: int) -> list[dict[str, Any]]:
    """A flag that somebody set and took back after six minutes."""
    common = {"source": "flags", "kind": "change.flag_set", "service": service, "environment": "production"}
    common |= {"subject": "new-basket", "title": "new-basket"}
    return [
        {**common, "id": f"{service}-{word}", "time": to_text(Instant(at)), "labels": {"value": word}, "actor": actor}
        for word, at, actor in (
            ("on", on, {"id": "pm-1", "kind": "human"}),
            ("off", on + 6 * MINUTE, {"id": "dev-1", "kind": "human"}),
        )
    ]


def test_a_verdict_rests_on_what_was_pulled_and_a_gap_of_ten_minutes_is_one(now: Instant, files: Path) -> None:
    database = f"sqlite:///{files / 'nearmiss.db'}"
    asyncio.run(read_until(database, now - AWAY))
    service = Service(files, "--database", database, "--config", str(files / "nearmiss.yaml"))
    try:
        service.start()
        on = now - 190 * MINUTE
        body = "\n".join(json.dumps(event) for name in ("checkout", "search") for event in flipped(name, on))
        answer = service.post("/ingest/events", body.encode(), content_type="application/x-ndjson")
        assert answer.json()["accepted"] == 4
        drafts = until(lambda: _two(service.near_misses()), "both drafts are open")
        by_service = {each["services"][0]: each for each in drafts}
        spared, unknown = by_service["checkout"], by_service["search"]
        assert (spared["verdict"], unknown["verdict"]) == ("none", "unknown")
        rests_on = service.get(f"/api/v1/near-misses/{spared['id']}").json()
        assert [each["source"] for each in rests_on["coverage"] if each["clear"]] == [
            "alert",
            "blackbox",
            "errors",
            "sloth",
        ]
        assert "feed_gap" in service.get(f"/api/v1/near-misses/{unknown['id']}").json()["missing_evidence"]
        assert "feed_gap" not in rests_on["missing_evidence"]
        page = service.get("/feeds").text
        assert page.count('<svg class="strip"') == 5
        assert "<strong>checkout</strong>: watched by blackbox, sloth, errors, alert" in page
        assert "<strong>account</strong>: no; no feed" in page
        assert "<code>stale</code> for" in page
    finally:
        service.close()


def _two(found: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return found if len(found) == 2 else None


def test_the_check_sees_the_gap_and_why(files: Path) -> None:
    done = CliRunner().invoke(cli, ["feeds", "check", "--config", str(files / "nearmiss.yaml")])
    assert done.exit_code == 0, done.output
    search = done.output[done.output.index("search  blackbox  synthetic") :].splitlines()
    assert re.fullmatch(r"\.+=+\.+=+", search[1])
    assert any("stale" in line for line in search[2:])


def test_discover_prints_lines_that_can_be_pasted(prometheus: RealPrometheus, files: Path, tmp_path: Path) -> None:
    catalogue = ["--catalogue", str(files / "catalogue.yaml")]
    done = CliRunner().invoke(cli, ["feeds", "discover", prometheus.address, *catalogue])
    assert done.exit_code == 0, done.output
    settings, _, rest = done.output.partition("# Catalogue\n")
    named = [line.strip() for line in settings.splitlines() if line.startswith("  - ")]
    assert [re.sub(r"prometheus: '[^']*', ", "", line) for line in named] == [
        """- {service: checkout, pull: {preset: blackbox, match: '{service="checkout"}'}}  # service, score 1.00""",
        f"- {{service: checkout, pull: {{preset: sloth, {SLO_FOUND}}}}}  # sloth_service, score 1.00",
        """- {service: search, pull: {preset: blackbox, match: '{service="search"}'}}  # service, score 1.00""",
    ]
    assert "- {service: checkout, source: sloth, evidence: slo}" in rest
    assert "# account is user-facing, and nothing here watches it" in rest
    pasted = tmp_path / "pasted.yaml"
    pasted.write_text(settings, encoding="utf-8")
    checked = CliRunner().invoke(cli, ["feeds", "check", "--config", str(pasted)])
    assert checked.exit_code == 0, checked.output
