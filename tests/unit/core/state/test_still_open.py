"""What a story left open, and by which event it no longer is."""

from __future__ import annotations

import pytest

from monitor.core.model.events import HOUR, Event, Instant
from monitor.core.state.still_open import CLOSES, closed_by, has_run_out, left_open
from tests.support.records import at, event

SILENCED = event("s1", "alert.silenced", 0, subject="disk", expires_at=at(120))
FLAG = event("f1", "change.flag_set", 0, labels={"flag": "fast-path", "state": "off"})
THIN = event("t1", "alert.fired", 0, subject="pods", value=2.0, limit=6.0, unit="pods", bound="min")
DUE = event("d1", "alert.fired", 0, subject="tls", title="Certificate ends", expires_at=at(600))
BEGUN = {"silence": SILENCED, "flag": FLAG, "redundancy": THIN, "deadline": DUE}


def later(what: Event, minutes: float = 30, **changes: object) -> Event:
    fields = {name: getattr(what, name) for name in ("subject", "labels", "value", "limit", "unit", "bound")}
    kind = changes.pop("kind", what.kind)
    return event(f"later-{minutes}", str(kind), minutes, **{**fields, **changes})


CLOSED = {
    "silence": later(SILENCED, expires_at=at(30)),
    "flag": later(FLAG, labels={"flag": "fast-path", "state": "on"}),
    "redundancy": later(THIN, kind="alert.resolved"),
    "deadline": later(DUE, kind="change.rotated", expires_at=at(9000)),
}
STILL = {
    "silence": [later(SILENCED, expires_at=at(300)), later(SILENCED, subject="other", expires_at=at(30))],
    "flag": [
        later(FLAG),
        later(FLAG, labels={"flag": "other", "state": "on"}),
        later(FLAG, labels={"flag": "fast-path"}),
    ],
    "redundancy": [later(THIN), later(THIN, kind="alert.resolved", subject="other")],
    "deadline": [
        later(DUE, kind="change.rotated", expires_at=at(600)),
        later(DUE, kind="change.rotated", subject="other", expires_at=at(9000)),
    ],
}


@pytest.mark.parametrize("what", CLOSES)
def test_each_is_proposed_and_closed_by_its_own_event_alone(what: str) -> None:
    (found,) = left_open([BEGUN[what]])
    assert found.what == what
    assert closed_by(found, STILL[what]) is None
    assert closed_by(found, [later(CLOSED[what], -30), *STILL[what]]) is None, "what came before closes nothing"
    assert closed_by(found, [*STILL[what], CLOSED[what]]) == CLOSED[what]
    assert CLOSED[what].kind in CLOSES[what]


@pytest.mark.parametrize("what", CLOSES)
def test_what_the_evidence_ends_itself_is_not_proposed(what: str) -> None:
    assert [each.what for each in left_open([CLOSED[what], BEGUN[what]]) if each.since == BEGUN[what].time] == []


def test_only_a_silence_runs_out_by_itself() -> None:
    (silence,) = left_open([SILENCED])
    (due,) = left_open([DUE])
    assert not has_run_out(silence, at(119))
    assert has_run_out(silence, at(120))
    assert not has_run_out(due, Instant(at(600) + HOUR))


def test_what_says_nothing_that_could_be_seen_to_close_is_not_proposed() -> None:
    plain = event("p", "alert.fired", 0, subject="errors")
    above = event("a", "alert.fired", 0, subject="disk", value=97.0, limit=90.0, bound="max")
    assert left_open([plain, above, event("f", "change.flag_set", 0), event("s", "alert.silenced", 0)]) == ()
