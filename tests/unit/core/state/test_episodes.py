"""An episode: what it cites, in which order it names others, and whose alerts it follows."""

from __future__ import annotations

import pytest

from monitor.core.model.events import MINUTE, Event
from monitor.core.model.retention_policy import RETENTION
from monitor.core.state.alerts import Track
from monitor.core.state.episodes import Episode, reference_of
from tests.support.streams import START, make_event


def at(minutes: float) -> int:
    return START + int(minutes * MINUTE)


def episode(*actions: float, **fields: object) -> Episode:
    """Since minute 10; people acted at these minutes."""
    return Episode(
        "e",
        ["db"],
        first_sign_at=at(10),
        action_times=[at(minutes) for minutes in actions],
        **fields,  # type: ignore[arg-type]
    )


def fired(minutes: float, severity: str | None = "high", subject: str = "slow") -> Event:
    return make_event("alert.fired", minutes, severity=severity, subject=subject)


def over(minutes: float, kind: str = "resolved", subject: str = "slow") -> Event:
    return make_event(f"alert.{kind}", minutes, subject=subject)


def test_each_reference_subject_and_service_is_cited_once() -> None:
    found = episode()
    for event in (fired(1), fired(1), fired(2), make_event("note.added", 3, service="api"), fired(4, subject="x")):
        found.cite(event)
    assert found.cited == [
        "test\x1falert.fired@1", "test\x1falert.fired@2", "test\x1fnote.added@3", "test\x1falert.fired@4",
    ]  # fmt: skip
    assert found.subjects == ["slow", "x"]
    assert found.services == ["db", "api"]
    found.cite(make_event("note.added", 5, service=None))
    assert found.services == ["db", "api"]


def test_only_so_many_references_and_subjects_are_cited() -> None:
    found = episode()
    for n in range(RETENTION.most_references + 2):
        found.cite(fired(n, subject=f"s{n}"))
    assert (len(found.cited), len(found.subjects)) == (512, 512)


def test_a_reference_is_the_identity() -> None:
    assert reference_of(make_event("note.added", 0, "n1", source="s")) == "s\x1fn1"


def test_the_elder_of_two_is_the_one_that_began_first_then_by_name() -> None:
    one, two = episode(), episode()
    two.first_sign_at += 1
    assert one.seniority() < two.seniority()
    two.first_sign_at, two.id = one.first_sign_at, "f"
    assert one.seniority() < two.seniority()


@pytest.mark.parametrize(
    ("minutes", "severity", "actions", "follows"),
    [
        (10, "high", [20], True),
        (9, "high", [20], False),
        (20 + 60, "critical", [20], True),
        (21 + 60, "critical", [20], False),
        (21 + 60, "critical", [20, 30], True),
        (500, "high", [], True),
        (15, "warning", [20], False),
        (15, None, [20], False),
    ],
)
def test_which_alert_belongs_to_it_though_nothing_cites_it(
    minutes: float, severity: str | None, actions: list[float], follows: bool
) -> None:
    """A grave one, from the first sign until an hour after the last action."""
    found = episode(*actions)
    assert found.observe_alert("db|slow", fired(minutes, severity)) is follows
    assert ("db|slow" in found.others) is follows


def test_the_end_of_an_alert_matters_only_where_it_is_followed() -> None:
    found = episode(20)
    assert not found.observe_alert("db|slow", over(25))
    assert found.observe_alert("db|slow", fired(15))
    assert found.observe_alert("db|slow", over(25))
    assert found.others["db|slow"].recovered_at == at(25)
    assert found.observe_alert("db|slow", fired(26))
    assert not found.observe_alert("db|slow", fired(200))


def test_an_episode_follows_sixty_four_other_alerts() -> None:
    found = episode(20)
    told = [found.observe_alert(f"k{n}", fired(15)) for n in range(65)]
    assert told == [True] * 64 + [False]
    assert found.observe_alert("k0", fired(16))


@pytest.mark.parametrize(
    ("alerts", "adopted"),
    [
        ([fired(15)], ["db|slow"]),
        ([fired(15), over(20)], ["db|slow"]),
        ([fired(15), over(19)], []),
        ([fired(15), over(19, "cancelled")], []),
        ([fired(15), over(19), fired(30)], ["db|slow"]),
        ([fired(9)], []),
        ([fired(15, "warning")], []),
        ([fired(15, "warning"), fired(16)], ["db|slow"]),
        ([over(15)], []),
    ],
)
def test_what_stood_when_somebody_acted_is_adopted(alerts: list[Event], adopted: list[str]) -> None:
    found = episode(20)
    found.adopt_alerts(alerts, ())
    assert list(found.others) == adopted


def test_what_a_candidate_follows_or_the_episode_already_does_is_not_adopted() -> None:
    found = episode(20, others={"db|known": Track()})
    found.adopt_alerts([fired(15), fired(16, subject="known"), fired(17, subject="new")], ("db|slow",))
    assert list(found.others) == ["db|known", "db|new"]
    assert found.others["db|known"] == Track()


def test_of_too_many_the_earliest_are_adopted() -> None:
    found = episode(90, others={f"k{n}": Track() for n in range(62)})
    found.adopt_alerts([fired(15 + n, subject=f"s{n}") for n in reversed(range(4))], ())
    assert list(found.others)[62:] == ["db|s0", "db|s1"]


def test_a_mere_warning_of_an_adopted_alert_is_not_when_it_fired() -> None:
    found = episode(20)
    found.adopt_alerts([fired(12, "warning"), fired(15), over(40)], ())
    assert found.others["db|slow"] == Track(at(15), at(15), at(40), None)
