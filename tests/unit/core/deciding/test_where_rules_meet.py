"""An engine that only says where hazards and actions of its rules meet, and one that lets go of what waits."""

from __future__ import annotations

from monitor.core.deciding.engine import Engine, EngineSettings
from monitor.core.model.decisions import Open
from monitor.core.model.events import Event, Instant
from monitor.packs.language.regex import make_regex
from tests.support.streams import PERSON, acted_rule, make_event, new_engine, shop

FIRED = make_event("alert.fired", 0, "fired", severity="high")
ACTED = make_event("change.configured", 20, "acted", actor=PERSON)
OVER = make_event("alert.resolved", 30, "over")


def met(*events: Event) -> list[tuple[str, Instant]]:
    found: list[tuple[str, Instant]] = []
    settings = EngineSettings(met=lambda rule, at: found.append((rule, at)))
    engine = Engine([acted_rule()], shop(), make_regex, settings)
    assert not [each for each in (*engine.step(events), *engine.end()) if isinstance(each, Open)]
    assert engine.state.made == set()
    return found


def test_each_meeting_is_said_with_its_rule_and_moment_and_no_candidate_is_made() -> None:
    again = make_event("change.configured", 25, "again", actor=PERSON)
    assert met(FIRED, ACTED, again, OVER) == [("acted", ACTED.time), ("acted", again.time)]


def test_what_does_not_fit_does_not_meet() -> None:
    assert met(FIRED, make_event("alert.resolved", 10, "over"), ACTED) == []
    assert met(FIRED, make_event("change.configured", 5 * 60, "too late", actor=PERSON)) == []


def test_a_candidate_is_noted_under_its_rule() -> None:
    engine = new_engine([acted_rule()])
    engine.step([FIRED, ACTED, OVER])
    engine.end()
    assert engine.state.made == {"acted"}


def test_what_was_let_go_is_met_no_more_and_what_comes_after_is() -> None:
    engine = new_engine([acted_rule(), acted_rule(name="other")])
    engine.step([FIRED, make_event("note.added", 10, "note")])
    engine.release({"acted"})
    engine.step([ACTED, make_event("note.added", 40, "later")])
    assert engine.state.made == {"other"}
    more = [
        make_event("alert.fired", 60, "second", severity="high", subject="s"),
        make_event("change.configured", 70, "second act", actor=PERSON),
        make_event("note.added", 80, "last"),
    ]
    engine.step(more)
    assert engine.state.made == {"acted", "other"}
