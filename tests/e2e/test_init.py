"""A shop of a real Prometheus, Alertmanager and blackbox exporter, PagerDuty and GitHub, connected by `init` alone."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result

from monitor.cli.main import cli
from monitor.core.model.events import HOUR, MINUTE, SECOND, Instant, to_text
from monitor.feeds.states import FeedName
from monitor.ops.clock import SystemClock
from monitor.store.database import open_store
from tests.support import tool_pages
from tests.support.prometheus import RealPrometheus, Samples
from tests.support.service import Service
from tests.support.shop import alertmanager, blackbox_exporter
from tests.support.waiting import until

SCRAPE = 30
SEEN_BY_USERS = ("account", "checkout", "mobile", "search")
RULES = {
    "groups": [
        {
            "name": "shop",
            "interval": "1s",
            "rules": [
                {
                    "alert": "PaymentErrors",
                    "expr": "vector(0) > 1",
                    "labels": {"service": "payments", "team": "team-pay"},
                },
            ],
        }
    ]
}
FIRING = [
    {"alert": "BasketSlow", "expr": "vector(1) > 0", "labels": {"service": "checkout"}},
    {"alert": "QueueGrows", "expr": "vector(1) > 0", "labels": {"service": "index"}},
]
"""Rules whose alerts fire as soon as they are there."""


def series(now: int, probe: str) -> dict[str, Samples]:
    """Five hours in which all was well; the probe of search was away for ten minutes, three hours ago."""
    times = range(now - 5 * 3600, now + 1, SCRAPE)
    ones = [(at, 1.0) for at in times]
    found: dict[str, Samples] = {f'{probe}{{service="{name}"}}': ones for name in SEEN_BY_USERS}
    found[f'{probe}{{service="search"}}'] = [(at, 1.0) for at in times if not now - 185 * 60 < at <= now - 175 * 60]
    for client, server in (
        ("account", "payments"),
        ("checkout", "payments"),
        ("mobile", "payments"),
        ("search", "index"),
    ):
        found[f'traces_service_graph_request_total{{client="{client}",server="{server}"}}'] = ones
    return found


class Shop:
    """The servers of one shop and what `init` wrote for them."""

    def __init__(self, folder: Path, now: Instant, stack: ExitStack) -> None:
        self.folder, self.now = folder, now
        self.alertmanager = stack.enter_context(alertmanager(folder))
        self.blackbox = stack.enter_context(blackbox_exporter(folder))
        host = self.alertmanager.removeprefix("http://")
        probes = [{"targets": [f"{self.alertmanager}/-/ready"], "labels": {"service": name}} for name in SEEN_BY_USERS]
        self.settings: dict[str, Any] = {
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [host]}]}]},
            "scrape_configs": [
                {
                    "job_name": "blackbox",
                    "metrics_path": "/probe",
                    "params": {"module": ["http_2xx"]},
                    "static_configs": probes,
                    "relabel_configs": [
                        {"source_labels": ["__address__"], "target_label": "__param_target"},
                        {"target_label": "__address__", "replacement": self.blackbox.removeprefix("http://")},
                    ],
                }
            ],
        }
        self.prometheus = RealPrometheus(folder, json.dumps(RULES), yaml.safe_dump(self.settings))
        self.prometheus.fill(series(now // SECOND, self.probed()))
        stack.enter_context(self.prometheus.running())
        until(lambda: bool(self.known_alertmanagers()), "Prometheus knows its Alertmanager")

    def probed(self) -> str:
        """The series by which the real exporter says that a probe succeeded."""
        asked = {"target": f"{self.alertmanager}/-/ready", "module": "http_2xx"}
        answer = httpx.get(f"{self.blackbox}/probe", params=asked, trust_env=False).text
        found = re.search(r"^(probe_success) 1$", answer, re.MULTILINE)
        assert found is not None, answer
        return found[1]

    def known_alertmanagers(self) -> list[Any]:
        answer = httpx.get(f"{self.prometheus.address}/api/v1/alertmanagers", trust_env=False).json()
        found: list[Any] = answer["data"]["activeAlertmanagers"]
        return found

    def init(self, *more: str) -> Result:
        arguments = ["--non-interactive", "--directory", str(self.folder), "--prometheus", self.prometheus.address]
        return CliRunner().invoke(cli, ["init", *arguments, "--github", "acme", "--pagerduty", *more])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with ExitStack() as stack:
        now = Instant(SystemClock().now() // MINUTE * MINUTE)
        yield Shop(tmp_path_factory.mktemp("shop"), now, stack)


def pagerduty(kind: str, at: int, incident: str, service: str) -> dict[str, Any]:
    """In the shape of a v3 webhook."""
    person = {"id": "PANN", "type": "user_reference", "summary": "Ann"}
    data = {
        "id": incident,
        "type": "incident",
        "title": f"{service}: queue grows",
        "service": {"id": f"P{service.upper()}", "summary": service, "type": "service_reference"},
        "urgency": "high",
        "status": kind,
        "assignees": [person],
        "created_at": to_text(at),
    }
    agent = None if kind == "triggered" else person
    return {
        "event": {
            "id": f"{incident}-{kind}",
            "event_type": f"incident.{kind}",
            "occurred_at": to_text(at),
            "agent": agent,
            "data": data,
        }
    }


def deployment(at: int, service: str, number: int) -> dict[str, Any]:
    """In the shape of GitHub's deployment_status: a person put the release before back."""
    ann = {"login": "ann", "type": "User"}
    return {
        "action": "created",
        "deployment_status": {
            "id": number,
            "state": "success",
            "environment": "production",
            "creator": ann,
            "created_at": to_text(at),
            "updated_at": to_text(at),
        },
        "deployment": {
            "id": number,
            "sha": "0f1e2d3c4b5a",
            "ref": "v41",
            "task": "rollback",
            "environment": "production",
            "creator": ann,
            "created_at": to_text(at - MINUTE),
        },
        "repository": {"name": service, "full_name": f"acme/{service}"},
        "sender": ann,
    }


def send(service: Service, source: str, body: dict[str, Any], secret: str) -> None:
    raw = json.dumps(body).encode()
    signed = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"x_pagerduty_signature": f"v1={signed}"}
    if source == "github":
        headers = {"x_hub_signature_256": f"sha256={signed}", "x_github_event": "deployment_status"}
    answer = service.post(f"/ingest/{source}", raw, content_type="application/json", **headers)
    assert answer.json()["accepted"] == 1, answer.text


def test_init_finds_the_shop_and_running_it_again_changes_nothing(shop: Shop) -> None:
    done = shop.init()
    assert done.exit_code == 0, done.output
    assert "path_prefix: /ingest/prometheus" in done.output
    assert "Payload URL: http://127.0.0.1:8080/ingest/github" in done.output
    catalogue = yaml.safe_load((shop.folder / "catalogue.yaml").read_text())
    assert {name for name, each in catalogue["services"].items() if each.get("user_facing")} == set(SEEN_BY_USERS)
    assert catalogue["services"]["checkout"]["depends_on"] == ["payments"]
    assert catalogue["services"]["payments"] == {"owner": "team-pay"}
    settings = yaml.safe_load((shop.folder / "nearmiss.yaml").read_text())
    assert settings["pulls"] == [{"tool": "alertmanager", "url": shop.alertmanager}]
    assert [feed["service"] for feed in settings["feeds"]] == list(SEEN_BY_USERS)
    assert sorted(settings["secrets"]) == ["github", "pagerduty"]
    assert (shop.folder / "nearmiss.yaml").stat().st_mode & 0o077 == 0
    checked = CliRunner().invoke(cli, ["config", "check", "--config", str(shop.folder / "nearmiss.yaml")])
    assert checked.exit_code == 0, checked.output
    again = shop.init()
    assert again.output.count("nothing to add") == 2


def test_what_is_new_is_proposed_as_a_diff(shop: Shop) -> None:
    path = shop.folder / "catalogue.yaml"
    whole = path.read_text()
    without = "\n".join(line for line in whole.splitlines() if not line.startswith("  payments:")) + "\n# mine\n"
    path.write_text(without)
    proposed = shop.init()
    assert "\n+  payments: {owner: team-pay}" in proposed.output
    assert "apply this with --write" in proposed.output
    assert path.read_text() == without
    assert shop.init("--write").exit_code == 0
    assert "  payments: {owner: team-pay}" in path.read_text()
    assert path.read_text().endswith("# mine\n")
    path.write_text(whole)


async def read_until(database: str, at: int) -> None:
    """As if the service had stopped then."""
    async with open_store(database) as store:
        for name in SEEN_BY_USERS:
            digest = FeedName(name, "blackbox", "synthetic").digest
            await store.feed_cursors.save(digest, Instant(at), json.dumps({"at": at}))


def silence(shop: Shop, name: str) -> None:
    """Somebody silences an alert."""
    now = SystemClock().now()
    silenced = {
        "matchers": [{"name": "alertname", "value": name, "isRegex": False, "isEqual": True}],
        "startsAt": to_text(now),
        "endsAt": to_text(now + HOUR),
        "createdBy": "bob",
        "comment": "later",
    }
    assert httpx.post(f"{shop.alertmanager}/api/v2/silences", json=silenced, trust_env=False).is_success


def fire(shop: Shop) -> None:
    """An alert of somebody else than this Prometheus."""
    now = SystemClock().now()
    ends = to_text(now + HOUR)
    alert = {
        "labels": {"alertname": "DiskFills", "service": "index"},
        "startsAt": to_text(now - MINUTE),
        "endsAt": ends,
    }
    assert httpx.post(f"{shop.alertmanager}/api/v2/alerts", json=[alert], trust_env=False).is_success


def test_verdicts_rest_on_what_init_connected(shop: Shop) -> None:
    shop.init()
    silence(shop, "DiskFills")
    fire(shop)
    database = f"sqlite:///{shop.folder / 'nearmiss.db'}"
    asyncio.run(read_until(database, shop.now - 4 * HOUR))
    config = shop.folder / "nearmiss.yaml"
    secrets = {name: one[0] for name, one in yaml.safe_load(config.read_text())["secrets"].items()}
    # Nobody has to wait for a minute of lateness here.
    quick = {"NEARMISS_LATENESS": "1s"}
    service = Service(shop.folder, "--database", database, "--config", str(config), environment=quick)
    try:
        service.start()
        on = shop.now - 190 * MINUTE
        for number, name in enumerate(("payments", "search")):
            incident = f"Q{number}"
            send(service, "pagerduty", pagerduty("triggered", on, incident, name), secrets["pagerduty"])
            send(service, "pagerduty", pagerduty("acknowledged", on + MINUTE, incident, name), secrets["pagerduty"])
            send(service, "github", deployment(on + 5 * MINUTE, name, 41 + number), secrets["github"])
            send(service, "pagerduty", pagerduty("resolved", on + 8 * MINUTE, incident, name), secrets["pagerduty"])
        drafts = until(lambda: found if len(found := service.near_misses()) == 2 else None, "both drafts are open")
        by_service = {each["services"][0]: each for each in drafts}
        spared, unknown = by_service["payments"], by_service["search"]
        assert (spared["verdict"], unknown["verdict"]) == ("none", "unknown")
        whole = service.get(f"/api/v1/near-misses/{spared['id']}").json()
        clear = sorted(each["service"] for each in whole["coverage"] if each["clear"])
        assert clear == ["account", "checkout", "mobile"]
        assert "feed_gap" in service.get(f"/api/v1/near-misses/{unknown['id']}").json()["missing_evidence"]

        def muted() -> dict[str, int] | None:
            sources = service.get("/api/v1/sources").json()["sources"]
            kinds = {each["source"]: each["kinds"] for each in sources}
            return kinds.get("alertmanager-api")

        assert until(muted, "the silenced alert is seen") == {"alert.silenced": 2, "alert.fired": 1}

        def all_watched() -> bool:
            services = service.get("/api/v1/sources").json()["services"]
            by_probe = {name: ["blackbox"] for name in SEEN_BY_USERS}
            return {each["service"]: each["sources"] for each in services} == by_probe

        until(all_watched, "each service that users see is watched")
        arrived = shop.init("--address", service.address, "--wait", "1")
        assert "first events: alertmanager-api: alert.silenced" in arrived.output
    finally:
        service.close()


def pasted(output: str, first: str) -> dict[str, Any]:
    """The YAML that `init` prints below a line that begins so."""
    lines = output[output.index(first) :].splitlines()[1:]
    found: dict[str, Any] = yaml.safe_load("\n".join(lines[: lines.index("")] if "" in lines else lines))
    return found


def test_what_init_and_the_page_say_to_paste_brings_every_alert_silenced_or_not(shop: Shop) -> None:
    """Prometheus by the lines of `init`, the Alertmanager by its section of the page of tools; nothing else is done."""
    (section,) = (each for each in tool_pages.sections() if each.title == "Prometheus Alertmanager")
    (block,) = section.blocks("yaml")
    silence(shop, "QueueGrows")
    database = f"sqlite:///{shop.folder / 'pasted.db'}"
    secret = {"NEARMISS_SECRETS__ALERTMANAGER": tool_pages.SECRET}
    config = ("--config", str(shop.folder / "nearmiss.yaml"))
    service = Service(shop.folder, "--database", database, *config, environment=secret)
    try:
        shop.init()
        service.start()
        written = yaml.safe_load(block.replace("http://nearmiss:8080", service.address))
        written["route"]["receiver"] = "nobody"
        written["receivers"].append({"name": "nobody"})
        (shop.folder / "alertmanager.yml").write_text(yaml.safe_dump(written))
        assert httpx.post(f"{shop.alertmanager}/-/reload", trust_env=False).is_success
        lines = pasted(shop.init("--address", service.address).output, "# prometheus.yml")
        alerting = {
            name: [*shop.settings["alerting"].get(name, []), *found] for name, found in lines["alerting"].items()
        }
        (group,) = RULES["groups"]
        groups = [group, {**group, "name": "new", "rules": FIRING}]
        shop.prometheus.rules_file.write_text(json.dumps({"groups": groups}))
        shop.prometheus.reload(yaml.safe_dump({**shop.settings, "alerting": alerting}))

        def fired(source: str) -> set[str]:
            journal = shop.folder / "pasted-journal.db"
            with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
                bodies = [json.loads(row[0]) for row in database.execute("SELECT body FROM journal")]
            return {
                each["labels"]["alertname"]
                for each in bodies
                if each["kind"] == "alert.fired" and each["source"] == source
            }

        # Prometheus tells of both alerts, the silenced one too; the Alertmanager pages with the other one alone.
        until(lambda: fired("prometheus") == {"BasketSlow", "QueueGrows"}, "Prometheus told of both")
        until(lambda: fired("alertmanager") == {"BasketSlow"}, "the Alertmanager sent what it pages with")
    finally:
        service.close()
