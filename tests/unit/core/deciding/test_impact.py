"""Were users hit: what counts as impact, from when to when, and which feeds looked through a window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from monitor.core.deciding.impact import (
    Span,
    counts_until,
    impact_spans,
    incident_key,
    incident_spans,
    incidents,
    is_planned,
    is_vague_report,
    maintenance_covers,
    onset,
)
from monitor.core.deciding.reach import Reach, reach_of
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.core.state.memory import Memory
from tests.support.streams import MACHINE, PERSON, START, make_event, shop

LATER = START + 10 * DAY


def at(minutes: float) -> Instant:
    return Instant(START + int(minutes * MINUTE))


def remembering(*events: Event) -> Memory:
    memory = Memory()
    for event in events:
        memory.add(event, 0)
    return memory


def started(minutes: float, name: str = "hit", **fields: Any) -> Event:
    return make_event("impact.started", minutes, name, **{"service": "shop", **fields})


def ended(minutes: float, name: str = "over", **fields: Any) -> Event:
    return make_event("impact.ended", minutes, name, **{"service": "shop", **fields})


def spans(*events: Event, of: str = "db", catalogue: Catalogue | None = None) -> list[tuple[str, int, int]]:
    """Each stretch of impact by its event, in minutes after START."""
    known = shop() if catalogue is None else catalogue
    found = impact_spans(remembering(*events), known, reach_of([of], known), LATER)
    return [(span.event.id, (span.start - START) // MINUTE, (span.end - START) // MINUTE) for span in found]


# -- one event -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "planned"),
    [("true", True), ("yes", True), ("1", True), ("", False), ("false", False), ("No", False), ("0", False)],
)
def test_which_words_announce_impact(word: str, planned: bool) -> None:
    assert is_planned(started(0, labels={"planned": word})) is planned
    assert not is_planned(started(0))


@pytest.mark.parametrize(
    ("event", "minutes"),
    [
        (started(100), 100),
        (started(100, actor=MACHINE), 100),
        (started(100, actor=PERSON), 40),
        (started(100, labels={"evidence": "ticket"}), 40),
        (started(100, labels={"evidence": "ticket"}, began_at=at(95)), 95),
        (started(100, began_at=at(300)), 100),
        (ended(100, actor=PERSON), 100),
    ],
    ids=["a probe", "automation", "a person", "a ticket", "a ticket with its beginning", "future", "the end"],
)
def test_when_impact_began(event: Event, minutes: int) -> None:
    assert onset(event) == at(minutes)


@pytest.mark.parametrize("evidence", ["ticket", "tickets", "user_report", "report", "call", "reviewer"])
def test_what_only_people_report_says_not_since_when(evidence: str) -> None:
    assert is_vague_report(started(0, labels={"evidence": evidence}))
    assert not is_vague_report(started(0, labels={"evidence": evidence}, began_at=at(0)))
    assert not is_vague_report(ended(0, labels={"evidence": evidence}))


@pytest.mark.parametrize(
    ("event", "elsewhere", "until"),
    [
        (started(0), False, 24 * HOUR),
        (started(0, actor=PERSON), False, 48 * HOUR),
        (started(0), True, 0),
        (started(0, actor=PERSON), True, 0),
    ],
)
def test_how_long_after_safe_impact_counts(event: Event, elsewhere: bool, until: int) -> None:
    assert counts_until(Span(0, 1, event, False, elsewhere), START) == START + until


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [(10, 20, True), (20, 30, True), (21, 30, False), (0, 5, True), (0, 4, False), (6, 19, True)],
)
def test_a_stretch_overlaps_what_it_touches(start: int, end: int, overlaps: bool) -> None:
    assert Span(5, 20, started(0), False).overlaps(start, end) is overlaps


# -- stretches of impact -------------------------------------------------------------------------------------


def test_a_stretch_ends_with_the_first_end_that_fits() -> None:
    assert spans(started(10), ended(20, "a"), ended(30, "b")) == [("hit", 10, 20), ("b", 30, 30)]


def test_an_end_alone_is_a_moment_of_impact_and_one_without_an_end_lasts_a_day() -> None:
    assert spans(ended(20)) == [("over", 20, 20)]
    assert spans(ended(20, began_at=at(5))) == [("over", 5, 20)]
    assert spans(started(20)) == [("hit", 20, 20 + 24 * 60)]


@pytest.mark.parametrize(
    ("end", "fits"),
    [
        (ended(10), True),
        (ended(9), False),
        (ended(20, service="db"), False),
        (ended(20, source="other"), False),
        (ended(20, source="other", labels={"evidence": "slo"}), True),
        (ended(20, labels={"evidence": "probe"}), True),
        (ended(20, subject="cart"), True),
    ],
    ids=[
        "at once",
        "before",
        "elsewhere",
        "told by another",
        "of the same evidence",
        "by the same source",
        "one named",
    ],
)
def test_which_end_fits_a_beginning(end: Event, fits: bool) -> None:
    found = spans(started(10, labels={"evidence": "slo"}), end)
    assert (("hit", 10, (end.time - START) // MINUTE) in found) is fits


def test_of_two_subjects_each_ends_by_itself() -> None:
    assert spans(started(10, subject="cart"), ended(20, subject="login")) == [("hit", 10, 1450), ("over", 20, 20)]
    assert spans(started(10, subject="cart"), ended(20, subject="cart", source="other")) == [("hit", 10, 20)]


def test_one_end_ends_every_beginning_before_it() -> None:
    assert spans(started(10, "a"), started(15, "b"), ended(20)) == [("a", 10, 20), ("b", 15, 20)]


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (started(10, service="shop"), True),
        (started(10, service="db"), True),
        (started(10, service=None), True),
        (started(10, service="mail"), False),
        (started(10, service="side"), False),
        (started(10, service="side", labels={"evidence": "slo"}), False),
        (started(10, service="side", labels={"evidence": "report"}), True),
        (started(10, service="side", labels={"evidence": "status_post"}), True),
        (started(10, service="mail", labels={"evidence": "report"}), False),
        (started(10, environment="staging"), False),
        (started(10, environment=None), True),
        (started(10, service="shop-frontend"), True),
        (started(10, service="x9"), True),
        (started(10, service="mail-relay"), False),
        (started(10, service="mail-relay", labels={"evidence": "status_post"}), True),
        (started(10, service="mail", labels={"evidence": "status_post"}), False),
    ],
    ids=["upward", "itself", "everyone", "elsewhere", "beside", "measured beside", "told beside",
         "posted beside", "told elsewhere", "staging", "no environment", "alike", "unlike all",
         "alike another", "public, unplaced", "public, elsewhere"],
)  # fmt: skip
def test_whose_impact_concerns_the_database(event: Event, counts: bool) -> None:
    assert bool(spans(event)) is counts


def test_without_a_catalogue_only_the_service_itself_and_everyone_is_concerned() -> None:
    nothing = Catalogue()
    assert spans(started(10, service="db"), catalogue=nothing)
    assert spans(started(10, service=None), catalogue=nothing)
    post = started(10, service="x9", labels={"evidence": "status_post"})
    assert not spans(post, catalogue=nothing)


def test_impact_elsewhere_is_marked_where_a_name_has_no_place() -> None:
    known, memory = shop(), remembering(started(10, service="mail"), started(11, "here", service="x9"))
    found = impact_spans(memory, known, reach_of(["x9"], known), LATER)
    assert [(span.event.service, span.elsewhere) for span in found] == [("mail", True), ("x9", False)]
    lone = impact_spans(remembering(ended(10, service="mail")), known, reach_of(["x9"], known), LATER)
    assert [(span.event.service, span.elsewhere) for span in lone] == [("mail", True)]
    announced = remembering(started(10, service="mail", labels={"planned": "true"}))
    assert impact_spans(announced, known, reach_of(["x9"], known), LATER) == []


def test_what_everyone_suffers_is_told_once() -> None:
    assert spans(started(10, service=None), ended(20, service=None), of="x9") == [("hit", 10, 20)]


@pytest.mark.parametrize(
    ("minutes", "counts"), [(-1, False), (0, True), (22 * 24 * 60, True), (22 * 24 * 60 + 1, False)]
)
def test_impact_counts_for_as_long_as_it_is_kept(minutes: int, counts: bool) -> None:
    """For 22 days; what comes after the moment that is asked for is not known yet."""
    reach = reach_of(["db"], shop())
    assert bool(impact_spans(remembering(started(0)), shop(), reach, at(minutes))) is counts
    assert bool(incidents(remembering(record("opened", 0)), shop(), ["db"], at(minutes))) is counts


# -- incident records ----------------------------------------------------------------------------------------


def record(kind: str, minutes: float, impact: str | None = None, **fields: Any) -> Event:
    labels = {} if impact is None else {"impact": impact}
    return make_event(f"incident.{kind}", minutes, f"{kind}{minutes:g}", **{"labels": labels, **fields})


def views(*events: Event, services: Iterable[str] = ("db",)) -> list[tuple[int, int, str | None, int | None]]:
    """Each record: from and to, the last word on users, and when it was closed, in minutes."""
    found = incidents(remembering(*events), shop(), services, LATER)

    def minutes(when: int | None) -> int | None:
        return None if when is None else (when - START) // MINUTE

    return [(minutes(v.span.start) or 0, minutes(v.span.end) or 0, v.impact, minutes(v.closed_at)) for v in found]


def test_a_record_goes_from_its_opening_to_its_closing_and_the_last_word_counts() -> None:
    told = record("opened", 10, "users"), record("updated", 15, "none"), record("closed", 20)
    assert views(*told) == [(10, 20, "none", 20)]
    assert views(record("opened", 10)) == [(10, 10 + 24 * 60, None, None)]
    assert views(record("opened", 10, began_at=at(5)), record("closed", 20)) == [(5, 20, None, 20)]
    assert views(record("opened", 10, environment="staging")) == []
    assert views(record("opened", 10, service="mail")) == []


def test_records_without_a_subject_are_one_until_it_is_opened_anew_after_a_closing() -> None:
    told = record("opened", 10), record("opened", 12), record("closed", 20), record("updated", 25, "users")
    again = record("opened", 30), record("closed", 40)
    assert views(*told, *again) == [(10, 20, "users", 20), (30, 40, None, 40)]


def test_an_opening_after_a_mere_update_begins_another_record() -> None:
    assert views(record("updated", 10, "users"), record("opened", 12)) == [
        (10, 10 + 24 * 60, "users", None),
        (12, 12 + 24 * 60, None, None),
    ]


def test_no_record_is_announced_work() -> None:
    (view,) = incidents(remembering(record("opened", 10)), shop(), ["db"], LATER)
    assert not view.span.planned


def test_a_record_that_is_closed_twice_ended_with_the_last_closing() -> None:
    assert views(record("opened", 10), record("closed", 20), record("closed", 25)) == [(10, 25, None, 25)]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"subject": "INC-1", "labels": {"incident": "I2"}}, "db|INC-1"),
        ({"labels": {"incident": "I2"}}, "db|I2"),
        ({}, "db|test"),
        ({"service": None, "subject": "INC-1"}, "None|INC-1"),
    ],
)
def test_what_makes_two_events_one_record(fields: dict[str, Any], key: str) -> None:
    assert incident_key(make_event("incident.opened", 0, **fields)) == key


@pytest.mark.parametrize(
    ("service", "word", "of", "elsewhere"),
    [
        ("db", "users", "api", [False]),
        ("shop", "users", "api", [False]),
        (None, "users", "api", [False]),
        ("mail", "users", "api", []),
        ("api-2", "users", "api", [False]),
        ("db", "none", "api", []),
        ("db", None, "api", []),
        ("mail", "users", "x9", [True]),
        ("x9", "users", "x9", [False]),
        ("mail", "none", "x9", []),
    ],
)
def test_records_with_users_hurt_count_in_both_directions(
    service: str | None, word: str | None, of: str, elsewhere: list[bool]
) -> None:
    known = shop()
    found = incident_spans(
        remembering(record("opened", 10, word, service=service)), known, reach_of([of], known), LATER
    )
    assert [span.elsewhere for span in found] == elsewhere


# -- announced work ------------------------------------------------------------------------------------------


def begins(minutes: float, scope: str = "db", **fields: Any) -> Event:
    return make_event(
        "maintenance.started", minutes, "begins", **{"labels": {"scope": scope}, "service": None, **fields}
    )


def ends(minutes: float, scope: str = "db", **fields: Any) -> Event:
    return make_event("maintenance.ended", minutes, "ends", **{"labels": {"scope": scope}, "service": None, **fields})


def alert(minutes: float, **fields: Any) -> Event:
    return make_event("alert.fired", minutes, "alert", **fields)


@pytest.mark.parametrize(
    ("work", "covered"),
    [
        ([begins(60)], True),
        ([begins(61)], False),
        ([begins(60 - 24 * 60)], True),
        ([begins(59 - 24 * 60)], False),
        ([begins(0), ends(60)], True),
        ([begins(0), ends(59)], False),
        ([begins(30), ends(30)], False),
        ([begins(30), ends(20)], True),
        ([begins(0), ends(50, "db,api")], True),
        ([begins(0, subject="W1"), ends(50, "api", subject="W1")], False),
        ([begins(0, subject="W1"), ends(50, subject="W2")], True),
        ([begins(0, subject="W1"), ends(50)], False),
        ([begins(0), ends(50), ends(70)], False),
        ([begins(0, environment="staging")], False),
        ([begins(0, environment=None)], True),
        ([begins(0, "api")], False),
        ([begins(0, "api"), begins(0, "api, db")], False),
    ],
)
def test_announced_work_covers_an_ordinary_alert(work: list[Event], covered: bool) -> None:
    assert maintenance_covers(remembering(*work), shop(), alert(60), LATER) is covered


@pytest.mark.parametrize(
    ("event", "covered"),
    [
        (alert(60, severity="high"), True),
        (alert(60, severity="critical"), False),
        (alert(60, environment=None), True),
        (make_event("incident.opened", 60), False),
        (make_event("note.added", 60), True),
        (alert(60, service=None), False),
    ],
)
def test_announced_work_covers_ordinary_signs_only(event: Event, covered: bool) -> None:
    assert maintenance_covers(remembering(begins(0)), shop(), event, LATER) is covered


def test_a_reach_without_strangers_hears_of_known_services_elsewhere_nothing() -> None:
    reach = Reach(frozenset({"db"}), frozenset({"db"}), frozenset())
    assert impact_spans(remembering(started(0, service="mail")), shop(), reach, LATER) == []
