"""One real event, one draft: merging, reopening, chains and repeats."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.model.decisions import Amend, Decision, Ignore, Late, Open, Withdraw
from monitor.core.model.events import DAY, HOUR, MINUTE, Event, Instant
from monitor.core.model.reasons import NotOpened, Withdrawn
from monitor.core.model.rule import Clause, Impact, Intervention, Point, Rule, Step
from monitor.lab.ledger import DraftEntry, Ledger
from tests.support.streams import PERSON, START, acted_rule, clear_feed, law_rules, make_event, new_engine, run


def acted(at: float, name: str, service: str = "db", subject: str = "full", resolve: bool = True) -> list[Event]:
    found = [
        make_event("alert.fired", at, f"{name}-alert", service=service, subject=subject, severity="high"),
        make_event("change.configured", at + 10, f"{name}-fix", service=service, actor=PERSON),
    ]
    if resolve:
        found.append(make_event("alert.resolved", at + 20, f"{name}-fine", service=service, subject=subject))
    return found


def decide(*events: Event, days: int = 3) -> list[Decision]:
    stream = sorted([*events, *clear_feed("shop", 0, days * 24 * 60)], key=lambda e: (e.time, e.source, e.id))
    return run(new_engine([acted_rule()]), stream)


def entries(decided: list[Decision]) -> list[DraftEntry]:
    ledger = Ledger()
    ledger.record(decided)
    return list(ledger.entries())


def test_alerts_that_share_an_intervention_are_one_episode() -> None:
    other = make_event("alert.fired", 61, "other", subject="slow", severity="critical")
    fine = make_event("alert.resolved", 85, "other-fine", subject="slow")
    (entry,) = entries(decide(*acted(60, "a"), other, fine))
    hazards = {cited.event.id for cited in entry.draft.evidence if cited.role == "hazard"}
    assert hazards == {"a-alert", "other"}
    assert entry.draft.safe_at == START + 85 * MINUTE


def test_a_specific_rule_names_the_episode_before_a_generic_one() -> None:
    ack = make_event("alert.acknowledged", 65, "ack", subject="full", actor=PERSON)
    stream = sorted([*acted(60, "a"), ack, *clear_feed("shop", 0, 600)], key=lambda e: (e.time, e.source, e.id))
    (entry,) = entries(run(new_engine(law_rules()), stream))
    assert entry.draft.rules == ("acked", "acted")
    assert entry.draft.noticed_at == START + 65 * MINUTE


def test_an_alert_that_fires_again_moves_safe_and_amends_the_draft() -> None:
    again = [
        make_event("alert.fired", 300, "again", subject="full", severity="warning"),
        make_event("alert.resolved", 310, "again-fine", subject="full"),
    ]
    decided = decide(*acted(60, "a"), *again)
    (opened,) = [decision for decision in decided if isinstance(decision, Open)]
    amended = [decision for decision in decided if isinstance(decision, Amend)]
    assert opened.draft.safe_at == START + 80 * MINUTE
    assert amended[-1].draft.safe_at == START + 310 * MINUTE
    assert amended[-1].draft.opened_at == opened.draft.opened_at
    assert amended[-1].draft.id == opened.draft.id


def test_the_same_trouble_a_week_later_is_a_repeat_with_a_higher_rank() -> None:
    first, second = entries(decide(*acted(60, "a"), *acted(5 * 24 * 60, "b"), days=8))
    assert second.draft.repeat_of == (first.draft.id,)
    assert second.draft.rank > first.draft.rank


def test_a_problem_that_follows_a_fix_is_a_chain() -> None:
    followed = acted(85, "b", service="api", subject="errors")
    decided = entries(decide(*acted(60, "a"), *followed))
    first, second = sorted(decided, key=lambda entry: entry.draft.first_sign_at)
    assert second.draft.chain == (first.draft.id,)


def test_one_record_of_the_team_with_three_alerts_and_three_restarts_is_one_draft() -> None:
    record = make_event("incident.opened", 58, "inc", subject="INC-7", labels={"impact": "none"})
    closed = make_event("incident.closed", 200, "inc-over", subject="INC-7")
    restarts = [event for n in range(3) for event in acted(60 + 40 * n, f"r{n}", subject=f"s{n}")]
    assert len(entries(decide(*restarts))) == 3
    (entry,) = [known for known in entries(decide(record, *restarts, closed)) if known.stands]
    cited = {one.event.id for one in entry.draft.evidence if one.role == "intervention"}
    assert cited == {"r0-fix", "r1-fix", "r2-fix"}


@pytest.mark.parametrize(
    ("began", "taken_back"), [(70, True), (200, True), (201, False)], ids=["in it", "at its end", "after it"]
)
def test_impact_reported_a_month_later_takes_an_undecided_draft_back(began: int, taken_back: bool) -> None:
    """The window ends at minute 200; the engine followed the draft for a week."""
    told = make_event("impact.started", 30 * 24 * 60, "told", service="shop", began_at=Instant(START + began * MINUTE))
    (entry,) = entries(decide(*acted(60, "a"), told))
    assert (entry.reason == Withdrawn.IMPACT_IN_WINDOW) is taken_back
    elsewhere = msgspec.structs.replace(told, service="mail")
    assert entries(decide(*acted(60, "a"), elsewhere))[0].stands


def test_independent_trouble_gives_two_drafts() -> None:
    assert len(entries(decide(*acted(60, "a"), *acted(10 * 60, "b", service="api", subject="errors")))) == 2


def test_a_late_hazard_is_matched_with_what_was_done_meanwhile() -> None:
    alert, fix, fine = acted(60, "a")
    clear = clear_feed("shop", 0, 600)
    stream = sorted([fix, fine, *clear], key=lambda e: (e.time, e.source, e.id))
    place = next(n for n, event in enumerate(stream) if event.time > START + 150 * MINUTE)
    decided = run(new_engine([acted_rule()]), [*stream[:place], alert, *stream[place:]])
    assert any(isinstance(decision, Late) for decision in decided)
    (entry,) = entries(decided)
    assert entry.draft.verdict == "none"
    assert entry.draft.safe_at == START + 80 * MINUTE


def test_a_late_action_is_matched_with_a_hazard_that_had_been_given_up() -> None:
    alert, fix = acted(60, "a", resolve=False)
    feed = clear_feed("shop", 0, 900)
    ordered = sorted([alert, *feed], key=lambda e: (e.time, e.source, e.id))
    place = next(n for n, event in enumerate(ordered) if event.time > START + 500 * MINUTE)
    decided = run(new_engine([acted_rule()]), [*ordered[:place], fix, *ordered[place:]])
    given_up = [decision.reason for decision in decided if isinstance(decision, Ignore)]
    assert given_up == [NotOpened.NO_INTERVENTION]
    assert len(entries(decided)) == 1


def test_a_late_report_of_a_feed_makes_the_verdict_better() -> None:
    stream = [*acted(60, "a"), make_event("note.added", 400, "later", service="mail")]
    engine = new_engine([acted_rule()])
    decided = engine.step(stream)
    decided += engine.tick(Instant(START + 400 * MINUTE))
    assert [d.draft.verdict for d in decided if isinstance(d, Open)] == ["unknown"]
    decided += engine.step(clear_feed("shop", 0, 390))
    decided += engine.end()
    amended = [decision.draft.verdict for decision in decided if isinstance(decision, Amend)]
    assert amended[-1] == "none"


def test_impact_of_what_follows_takes_the_first_draft_back() -> None:
    followed = acted(85, "b", service="api", subject="errors")
    hit = make_event("impact.started", 95, "hit", service="shop", labels={"evidence": "synthetic"})
    decided = decide(*acted(60, "a"), *followed, hit)
    assert not [entry for entry in entries(decided) if entry.stands]
    assert not [decision for decision in decided if isinstance(decision, Withdraw)]


def test_a_far_future_time_without_a_receipt_does_not_move_the_watermark() -> None:
    broken = make_event("note.added", 70 * 365 * 24 * 60, "2099", service="mail", source="broken")
    (entry,) = entries(decide(broken, *acted(60, "a")))
    stream = sorted([*acted(60, "a"), *clear_feed("shop", 0, 600)], key=lambda e: (e.time, e.source, e.id))
    engine = new_engine([acted_rule()])
    engine.step([*stream[:5], broken, *stream[5:]])
    assert engine.watermark is not None
    assert engine.watermark < START + 24 * 60 * MINUTE
    assert entry.draft.verdict == "none"


def test_a_step_is_remembered_until_the_judgement_however_long_the_hold() -> None:
    before = Clause("ack", Step(frozenset({"alert.acknowledged"})), Point("hazard"), Point("intervention"))
    after = Clause(
        "watched", Step(frozenset({"change.ran"})), Point("last_intervention"), Point("last_intervention", 2 * DAY)
    )
    rule = acted_rule(clauses=(before, after), impact=Impact(hold=3 * DAY))
    ack = make_event("alert.acknowledged", 65, "ack", subject="full", actor=PERSON)
    watched = make_event("change.ran", 65 + 24 * 60, "watched")
    stream = sorted([*acted(60, "a"), ack, watched, *clear_feed("shop", 0, 6 * 24 * 60)], key=lambda e: e.time)
    (entry,) = entries(run(new_engine([rule]), stream))
    assert entry.draft.opened_at == START + 80 * MINUTE + 72 * HOUR
    assert any("1 × “ack”, at least 1 required" in line for line in entry.draft.explanation)


def reported() -> Rule:
    """A person's note that is its own intervention, with the alerts of three days before."""
    return acted_rule(
        name="reported",
        hazard=Step(frozenset({"note.added"})),
        intervention=Intervention(Step(frozenset({"note.added"})), 0, "same", itself=True),
        correlate=("service",),
        clauses=(
            Clause(
                "signs", Step(frozenset({"alert.fired"})), Point("hazard", -3 * DAY), Point("hazard"), "same", (), 1
            ),
        ),
        impact=Impact(hold=2 * DAY),
    )


def test_what_a_further_step_saw_is_cited_and_not_forgotten_during_the_hold() -> None:
    sign = make_event("alert.fired", 60, "sign", subject="odd", severity="info")
    gone = make_event("alert.resolved", 70, "gone", subject="odd")
    note = make_event("note.added", 60 + 3 * 24 * 60, "note", actor=PERSON)
    later = [make_event("note.added", note_at * 60, f"n{note_at}", service="mail") for note_at in range(80, 200, 10)]
    (entry,) = entries(run(new_engine([reported()]), [sign, gone, note, *later]))
    about = {cited.event.id: cited.role for cited in entry.draft.evidence if cited.event.service == "db"}
    assert about == {"note": "intervention", "sign": "context"}


def test_what_lay_around_a_long_hold_is_cited_whenever_the_memory_is_swept() -> None:
    """Who came is cited a day later too, and no shift of all times shows in it."""
    rule = acted_rule(impact=Impact(hold=30 * HOUR))
    found = set()
    for shift in range(0, 13 * 60, 90):
        came = make_event("responder.joined", 75 + shift, "came", actor=PERSON)
        stream = [*acted(60 + shift, "a"), came, *clear_feed("shop", 0, 4 * 24 * 60)]
        (entry,) = entries(run(new_engine([rule]), sorted(stream, key=lambda e: (e.time, e.source, e.id))))
        found.add(frozenset(cited.event.id for cited in entry.draft.evidence))
    assert found == {frozenset({"a-alert", "a-fix", "came"})}
