"""Case files as people write them: a story told in the bodies of tools, with the catalogue that operators keep."""

from __future__ import annotations

from pathlib import Path

from monitor.cli.case_files import load_case

TOLD_IN_BODIES = """\
id: shop-2026-02-03-disk
label: near_miss
catalogue:
  production: [production]
  services:
    shop: {user_facing: true, depends_on: [orders-db]}
    orders-db: {aliases: {sources: {pagerduty: [Orders Database]}}}
bodies:
  - at: 2026-02-03T09:05:00Z
    source: alertmanager/acme
    body:
      version: "4"
      status: firing
      alerts:
        - {status: firing, labels: {alertname: DiskFull, service: orders-db}, startsAt: 2026-02-03T09:00:00Z,
           endsAt: 0001-01-01T00:00:00Z, fingerprint: a1b2}
  - at: 2026-02-03T09:06:00Z
    source: github/acme
    headers: {x-github-event: ping, x-github-hook-id: 7}
    body: {zen: "-"}
expect: {drafts: 1, hazard: [0]}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "story.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_story_may_be_told_in_the_bodies_of_tools(tmp_path: Path) -> None:
    loaded = load_case(written(tmp_path, TOLD_IN_BODIES))
    assert loaded.problems == ()
    assert loaded.case is not None
    (fired,) = loaded.case.events
    assert (fired.kind, fired.service) == ("alert.fired", "orders-db")
    assert loaded.case.expect.hazard == (fired.id,), "the number of a body stands for its events"
    assert loaded.case.catalogue.aliases[0].value == "Orders Database"


def test_an_id_that_is_a_number_is_an_id_first(tmp_path: Path) -> None:
    event = "events: [{id: 0, source: pager, time: 2026-02-03T09:00:00Z, kind: alert.fired, service: shop}]\n"
    loaded = load_case(written(tmp_path, TOLD_IN_BODIES + event))
    assert loaded.case is not None
    assert loaded.case.expect.hazard == ("0",)


def test_what_is_wrong_with_a_body_is_told_where_it_stands(tmp_path: Path) -> None:
    text = TOLD_IN_BODIES.replace("alertmanager/acme", "alertmangler").replace("hazard: [0]", "hazard: [1]")
    loaded = load_case(written(tmp_path, text))
    assert loaded.case is None
    (problem,) = loaded.problems
    assert (problem.line, problem.message) == (10, "bodies[0].source: nothing reads 'alertmangler'")
