"""What a stream says that the catalogue does not explain, and the lines that would explain it."""

from __future__ import annotations

from pathlib import Path

from monitor.core.model.catalogue import Catalogue, Service
from monitor.core.model.events import Actor, Event, Instant
from monitor.core.resolving.unmatched import UnmatchedWords, catalogue_lines
from monitor.packs.catalogue.loader import load_catalogue

SHOP = Catalogue({"payments": Service("payments", user_facing=True)}, frozenset({"production"}))


def said(number: int, **fields: object) -> Event:
    event = {"id": str(number), "source": "grafana/eu", "time": Instant(0), "kind": "alert.fired", "severity": "high"}
    return Event(**{**event, **fields})  # type: ignore[arg-type]


STREAM = [
    said(1, service="payments-svc", environment="prod"),
    said(2, service="payments-svc", environment="blue"),
    said(3, service="Payments"),
    said(4, service="weather: eu"),
    said(5),
    said(6, service="payments", severity=None, labels={"severity": "purple"}),
]


def test_each_name_with_what_it_resembles() -> None:
    words = UnmatchedWords(SHOP)
    words.take(STREAM)
    report = words.report()
    assert [(one.name, one.events, one.sources, one.nearest) for one in report.services] == [
        ("payments-svc", 2, ("grafana",), "payments"),
        ("weather: eu", 1, ("grafana",), None),
    ]
    assert [one.name for one in report.environments] == ["blue"]
    assert [one.name for one in report.severities] == ["purple"]
    assert [(one.name, one.nearest) for one in report.joined] == [("Payments", "payments")]
    assert (report.events, report.unnamed) == (6, 1)


def test_ids_that_a_tool_made_up_for_a_person() -> None:
    words = UnmatchedWords(SHOP)
    words.take(
        [
            said(1, source="slack", actor=Actor("U02AB3CDE", "human")),
            said(2, source="slack", actor=Actor("U02AB3CDE", "human"), labels={"actor_name": "Ann Lee"}),
            said(3, actor=Actor("ann", "human")),
            said(4, actor=Actor("123456", "automation")),
        ]
    )
    assert [(one.name, one.events, one.sources) for one in words.report().people] == [("U02AB3CDE", 1, ("slack",))]


def test_the_lines_are_a_catalogue(tmp_path: Path) -> None:
    words = UnmatchedWords(SHOP)
    words.take(STREAM)
    file = tmp_path / "more.yaml"
    file.write_text("\n".join(catalogue_lines(words.report())), encoding="utf-8")
    catalogue, problems = load_catalogue(file)
    assert [problem.message for problem in problems] == ["no service is user-facing, so nothing can reach a user"]
    again = UnmatchedWords(catalogue)
    again.take(STREAM)
    assert [one.name for one in again.report().services] == []
    assert catalogue.severities == {"purple": "warning"}


def test_without_a_catalogue_every_name_is_a_service_to_list() -> None:
    words = UnmatchedWords(Catalogue())
    words.take(STREAM[:4])
    assert catalogue_lines(words.report()) == [
        "services:",
        "  payments-svc: {}  # 2 events of grafana; resembles no service",
        "  Payments: {}  # 1 event of grafana; resembles no service",
        '  "weather: eu": {}  # 1 event of grafana; resembles no service',
    ]
