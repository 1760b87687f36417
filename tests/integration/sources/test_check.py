"""A running service tells what arrived; a sample goes through its real address and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from monitor.cli.main import cli
from tests.support.service import Service

CONFIG = """
secrets:
  pagerduty: [the-secret]
  slack: [another-secret]
  github/acme: ["certificate:CN=github"]
open_sources: [statuspage]
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("sources")
    (directory / "nearmiss.yaml").write_text(CONFIG)
    running = Service(directory, *options(directory), "--database", f"sqlite:///{directory / 'n.db'}")
    try:
        yield running.start()
    finally:
        running.close()


def options(directory: object) -> tuple[str, str]:
    return "--config", f"{directory}/nearmiss.yaml"


def check(service: Service, *names: str, config: str = "nearmiss.yaml") -> Result:
    there = ["--config", str(service.directory / config), "--to", service.address]
    return CliRunner().invoke(cli, ["sources", "check", *names, *there])


def test_each_sample_comes_through_and_nothing_is_kept(service: Service) -> None:
    done = check(service)
    assert done.exit_code == 0, done.output
    github, pagerduty, slack, statuspage = done.output.splitlines()[:4]
    assert github == "github/acme: only GitHub itself can sign; look for its last delivery in `nearmiss sources list`"
    assert pagerduty.startswith("pagerduty: alert.fired  payments")
    assert slack.startswith("slack: note.added")
    assert statuspage.startswith("statuspage: ")
    assert service.metric("nearmiss_events_accepted_total") == 0
    assert service.metric('nearmiss_events_received_total{source="pagerduty"}') == 0


def test_what_does_not_come_through_says_why(service: Service) -> None:
    (service.directory / "wrong.yaml").write_text("secrets: {pagerduty: [guessed]}\n")
    wrong = check(service, "pagerduty", "nothing", config="wrong.yaml")
    assert wrong.exit_code == 1
    assert "pagerduty: answered 401: the signature does not match" in wrong.output
    assert "nothing: no tool of this name; expected one of alertmanager, alertmanager-api" in wrong.output
    assert "alertmanager_api" not in wrong.output
    away = CliRunner().invoke(cli, ["sources", "check", "slack", "--to", "http://127.0.0.1:1"])
    assert away.exit_code == 1
    assert "http://127.0.0.1:1/ingest/slack: " in away.output
    assert "is nearmiss running there? Try --to URL" in away.output.replace("\n", " ")


def test_a_new_service_claims_no_weeks(service: Service) -> None:
    where = [*options(service.directory), "--database", f"sqlite:///{service.directory / 'n.db'}"]
    done = CliRunner().invoke(cli, ["sources", *where])
    assert "pagerduty: nothing yet; try `nearmiss sources check pagerduty`" in done.output
    assert "week" not in done.output


def test_what_arrived_is_listed_when_the_service_has_stopped(service: Service) -> None:
    event = {"id": "1", "source": "probe", "time": "2026-03-10T12:00:00Z", "kind": "impact.clear", "service": "shop"}
    assert service.post("/ingest/events", json.dumps(event).encode(), content_type="application/json").is_success
    assert service.post("/ingest/events", b'{"id": 1', content_type="application/json").is_success
    service.stop()
    where = ["--database", f"sqlite:///{service.directory / 'n.db'}"]
    done = CliRunner().invoke(cli, ["sources", *where])
    assert done.exit_code == 0, done.output
    events, detail, probe, *_, rules = done.output.splitlines()
    assert events.startswith("events: last ")
    assert detail.startswith("  1 not_json (not understood): ")
    assert probe.startswith("probe: last ")
    assert "1 in 24 h, usual unknown" in probe
    assert rules.endswith("rules wait for kinds of events that nothing sends")
    as_json = CliRunner().invoke(cli, ["sources", "list", "--format", "json", *where])
    assert [each["source"] for each in json.loads(as_json.output)["sources"]] == ["events", "probe"]


def test_names_are_suggested_for_what_the_settings_say(service: Service) -> None:
    service.stop()
    (service.directory / "catalogue.yaml").write_text("services: {shops: {user_facing: true}}\n")
    settings = service.directory / "suggest.yaml"
    settings.write_text(
        f"database: sqlite:///{service.directory / 'n.db'}\ncatalogue: {service.directory / 'catalogue.yaml'}\n"
    )
    done = CliRunner().invoke(cli, ["services", "suggest", "--config", str(settings)])
    assert done.exit_code == 0, done.output
    assert "  shops:" in done.output.splitlines()
    assert "- shop  # 1 event of probe" in done.output
    both = CliRunner().invoke(cli, ["services", "suggest", str(settings), "--database", "sqlite:///n.db"])
    assert "give FILE or --database URL, not both" in both.output
