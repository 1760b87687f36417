"""The verdict: what counts as impact, what counts as having looked, and over which services."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.model.catalogue import Catalogue, Feed, Service
from monitor.core.model.conditions import Compare
from monitor.core.model.decisions import Amend, Ignore, Open, Withdraw
from monitor.core.model.events import HOUR, MINUTE, Event, Instant
from monitor.core.model.near_miss import Draft
from monitor.core.model.reasons import Missing, NotOpened, Withdrawn
from monitor.core.model.rule import Clause, Impact, Point, Rule, Step
from tests.support.streams import PERSON, START, acted_rule, clear_feed, make_event, new_engine, run, shop


def story() -> list[Event]:
    """An alert on the database at minute 60, a person acts at 70, recovered at 80; the hold ends at 200."""
    return [
        make_event("alert.fired", 60, "alert", subject="full", severity="high", title="disk nearly full"),
        make_event("change.scaled", 70, "grow", actor=PERSON),
        make_event("alert.resolved", 80, "fine", subject="full"),
    ]


ONCE = "reported once: cadence unknown"
FULL = acted_rule(hazard=Step(frozenset({"alert.fired"}), Compare("subject", "equals", ("full",))))
"""Asks for the story's own alert alone."""


def decide(*more: Event, feed: list[Event] | None = None, rule: Rule | None = None) -> list[object]:
    watched = clear_feed("shop", 0, 400) if feed is None else feed
    stream = sorted([*story(), *watched, *more], key=lambda event: (event.time, event.source, event.id))
    return list(run(new_engine([rule or acted_rule()]), stream))


def the_draft(decided: list[object]) -> Draft:
    (opened,) = [decision for decision in decided if isinstance(decision, Open)]
    return opened.draft


def reasons(decided: list[object]) -> list[NotOpened]:
    return [decision.reason for decision in decided if isinstance(decision, Ignore)]


def withdrawals(decided: list[object]) -> list[Withdrawn]:
    return [decision.reason for decision in decided if isinstance(decision, Withdraw)]


def test_a_feed_that_looked_throughout_gives_none() -> None:
    draft = the_draft(decide())
    assert draft.verdict == "none"
    assert draft.missing_evidence == ()
    assert draft.opened_at == START + 200 * MINUTE
    assert draft.safe_at == START + 80 * MINUTE
    assert [report.detail for report in draft.coverage] == ["clear throughout"]


@pytest.mark.parametrize(
    ("feed", "missing", "detail"),
    [
        ([], Missing.NO_FEED, None),
        (clear_feed("mail", 0, 400), Missing.NO_FEED, None),
        (clear_feed("api", 0, 400), Missing.NO_FEED, None),
        (
            [*clear_feed("shop", 0, 100), *clear_feed("shop", 150, 400)],
            Missing.FEED_GAP,
            "silent for longer than its freshness",
        ),
        (clear_feed("shop", 90, 400), Missing.FEED_GAP, "first report after the window began"),
        (clear_feed("shop", 0, 150), Missing.FEED_GAP, "stopped before the window ended"),
        (clear_feed("shop", -10, 50), Missing.FEED_GAP, "silent"),
        (clear_feed("shop", 100, 100), Missing.NO_FEED, None),
        ([*clear_feed("shop", -500, -100, 60), *clear_feed("shop", 100, 100)], Missing.FEED_GAP, ONCE),
    ],
)
def test_anything_less_than_that_gives_unknown(feed: list[Event], missing: Missing, detail: str | None) -> None:
    beyond = make_event("note.added", 400, "later", service="mail")
    draft = the_draft(decide(beyond, feed=feed))
    assert draft.verdict == "unknown"
    assert missing in draft.missing_evidence
    assert [report.detail for report in draft.coverage] == ([detail] if detail else [])
    if missing == Missing.NO_FEED:
        assert draft.unfed_services == ("shop",)


@pytest.mark.parametrize(
    ("retired", "every", "counts"),
    [
        ((-606, -6), 10, False),
        ((-605, -5), 10, True),
        ((-1002, -42), 24, False),
        ((-1001, -41), 24, True),
        ((-100, -100), 10, False),
    ],
    ids=["an hour before", "within the hour", "4 intervals before", "within 4 intervals", "spoke once"],
)
def test_a_feed_that_stopped_well_before_the_window_is_no_feed_of_it(
    retired: tuple[int, int], every: int, counts: bool
) -> None:
    """The window begins at minute 55; another feed looks throughout."""
    other = clear_feed("shop", *retired, every, source="old-probe")
    draft = the_draft(decide(feed=[*other, *clear_feed("shop", 0, 400)]))
    assert draft.verdict == ("unknown" if counts else "none")


def test_a_feed_that_the_catalogue_names_never_retires() -> None:
    catalogue = msgspec.structs.replace(shop(), feeds=(Feed("shop", source="old-probe"),))
    stream = [*story(), *clear_feed("shop", -600, -300, source="old-probe"), *clear_feed("shop", 0, 400)]
    stream.sort(key=lambda event: (event.time, event.source, event.id))
    draft = the_draft(list(run(new_engine([acted_rule()], catalogue), stream)))
    assert draft.verdict == "unknown"


def test_a_feed_that_speaks_of_staging_is_no_feed() -> None:
    staging = [make_event("impact.clear", n * 10, f"c{n}", service="shop", environment="staging") for n in range(40)]
    assert the_draft(decide(feed=staging)).verdict == "unknown"


def test_one_report_may_look_back_over_the_window() -> None:
    audit = make_event("impact.clear", 260, "audit", service="shop", covers_from=Instant(START))
    beyond = make_event("note.added", 400, "later", service="mail")
    late = the_draft(decide(audit, beyond, feed=[]))
    assert late.verdict == "unknown"  # it had not spoken when the window ended
    spoken = make_event("impact.clear", 200, "audit", service="shop", covers_from=Instant(START))
    assert the_draft(decide(spoken, beyond, feed=[])).verdict == "none"


def looked(start: int, end: int) -> Event:
    return make_event("impact.clear", end, f"looked-{end}", service="shop", covers_from=Instant(START + start * MINUTE))


@pytest.mark.parametrize(("back", "verdict"), [(70, "none"), (71, "unknown")])
def test_a_report_that_says_since_when_it_looked_was_blind_before(back: int, verdict: str) -> None:
    """Reports every ten minutes, at most ten minutes old; the probe stopped after an hour and came back later."""
    pieces = [*((at, at + 10) for at in range(-60, 60, 10)), (back, 80), *((at, at + 10) for at in range(80, 300, 10))]
    feed = [looked(start, end) for start, end in pieces]
    beyond = make_event("note.added", 400, "later", service="mail")
    catalogue = msgspec.structs.replace(shop(), feeds=(Feed("shop", freshness=10 * MINUTE),))
    engine = new_engine([acted_rule()], catalogue)
    stream = sorted([*story(), *feed, beyond], key=lambda event: (event.time, event.source, event.id))
    assert the_draft(list(run(engine, stream))).verdict == verdict


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param(
            [make_event("impact.clear", 15 + 5 * n, f"c{n}", service="shop") for n in range(38)], id="38 pushed"
        ),
        pytest.param([looked(15, 200)], id="one stretch"),
        pytest.param([looked(15, 75), looked(75, 135), looked(135, 200)], id="three hourly"),
    ],
)
def test_one_report_of_a_clean_stretch_says_what_many_say(feed: list[Event]) -> None:
    """Three hours in which all was well, told in three ways."""
    beyond = make_event("note.added", 400, "later", service="mail")
    draft = the_draft(decide(beyond, feed=feed))
    assert (draft.verdict, draft.missing_evidence) == ("none", ())


def test_the_end_of_the_stream_counts_as_not_looked_at() -> None:
    draft = the_draft(decide(feed=clear_feed("shop", 0, 120)))
    assert draft.verdict == "unknown"
    assert Missing.TRUNCATED in draft.missing_evidence


@pytest.mark.parametrize("service", ["db", "api", "shop", None])
def test_impact_upward_from_the_cited_services_or_for_everyone_is_impact(service: str | None) -> None:
    assert NotOpened.IMPACT_SEEN in reasons(decide(make_event("impact.started", 100, "hit", service=service)))


@pytest.mark.parametrize("service", ["mail", "side"])
def test_impact_elsewhere_is_not(service: str) -> None:
    draft = the_draft(decide(make_event("impact.started", 100, "hit", service=service)))
    assert draft.verdict == "none"


def test_impact_in_staging_is_not() -> None:
    hit = make_event("impact.started", 100, "hit", service="shop", environment="staging")
    assert the_draft(decide(hit)).verdict == "none"


def test_public_impact_that_the_catalogue_cannot_place_concerns_everyone() -> None:
    post = make_event("impact.started", 100, "post", service="Checkout page", labels={"evidence": "status_post"})
    assert NotOpened.IMPACT_SEEN in reasons(decide(post))


def test_a_person_who_reports_afterwards_may_have_suffered_before() -> None:
    ticket = make_event("impact.started", 250, "ticket", service="shop", labels={"evidence": "ticket"})
    assert withdrawals(decide(ticket)) == [Withdrawn.IMPACT_IN_WINDOW]
    machine = make_event("impact.started", 250, "probe", service="shop", labels={"evidence": "synthetic"})
    assert withdrawals(decide(machine)) == [Withdrawn.IMPACT_AFTERWARDS]


def test_impact_that_ended_before_the_first_sign_is_another_story() -> None:
    before = [
        make_event("impact.started", 10, "hit", service="shop", source="probe"),
        make_event("impact.ended", 20, "over", service="shop", source="probe"),
    ]
    assert the_draft(decide(*before)).verdict == "none"


def test_impact_told_much_later_with_its_beginning_withdraws() -> None:
    told = make_event("impact.started", 3 * 24 * 60, "told", service="shop", began_at=Instant(START + 75 * MINUTE))
    assert withdrawals(decide(told)) == [Withdrawn.IMPACT_IN_WINDOW]


def test_impact_within_a_day_withdraws_and_later_only_what_is_tied() -> None:
    def after(hours: float, **fields: object) -> list[Withdrawn]:
        return withdrawals(decide(make_event("impact.started", 80 + hours * 60, "hit", service="shop", **fields)))

    assert after(20) == [Withdrawn.IMPACT_AFTERWARDS]
    assert after(30) == []
    assert after(30, subject="full") == [Withdrawn.IMPACT_TIED]
    assert after(30, labels={"change": "grow"}) == [Withdrawn.IMPACT_TIED]
    assert after(8 * 24, subject="full") == []


def test_impact_announced_beforehand_is_planned_work() -> None:
    planned = make_event("impact.started", 100, "hit", service="shop", labels={"planned": "true"})
    assert reasons(decide(planned)) == [NotOpened.PLANNED_WORK]


@pytest.mark.parametrize(
    ("words", "expected"), [(["users"], False), (["none"], True), (["users", "none"], True), (["none", "users"], False)]
)
def test_the_last_word_of_an_incident_counts(words: list[str], expected: bool) -> None:
    told = [
        make_event(
            "incident.opened" if n == 0 else "incident.updated",
            90 + n,
            f"i{n}",
            service="shop",
            subject="INC-1",
            labels={"impact": word},
        )
        for n, word in enumerate(words)
    ]
    opened = [decision for decision in decide(*told) if isinstance(decision, Open)]
    assert bool(opened) is expected


@pytest.mark.parametrize(("service", "hit"), [("shop", True), ("api", True), (None, True), ("mail", False)])
def test_an_incident_with_users_counts_in_both_directions_or_for_everyone(service: str | None, hit: bool) -> None:
    told = make_event("incident.opened", 100, "i", service=service, labels={"impact": "users"})
    assert (NotOpened.IMPACT_SEEN in reasons(decide(told))) is hit


def test_an_incident_may_be_opened_after_the_recovery() -> None:
    told = make_event("incident.opened", 300, "i", service="api", labels={"impact": "users"}, actor=PERSON)
    assert withdrawals(decide(told)) == [Withdrawn.IMPACT_AFTERWARDS]


def test_a_service_that_nothing_users_see_depends_on_gives_a_draft_of_unknown_verdict() -> None:
    lonely = [
        make_event("alert.fired", 60, "alert", service="mail", subject="full", severity="high"),
        make_event("change.scaled", 70, "grow", service="mail", actor=PERSON),
        *clear_feed("mail", 0, 400),
    ]
    stream = sorted(lonely, key=lambda event: (event.time, event.source, event.id))
    draft = the_draft(list(run(new_engine([acted_rule()]), stream)))
    assert draft.verdict == "unknown"
    assert Missing.NO_PATH_TO_USERS in draft.missing_evidence


def test_a_catalogue_without_dependencies_keeps_nothing_from_users() -> None:
    lonely = [
        make_event("alert.fired", 60, "alert", service="mail", subject="full", severity="high"),
        make_event("change.scaled", 70, "grow", service="mail", actor=PERSON),
        *clear_feed("mail", 0, 400),
    ]
    flat = Catalogue({"web": Service("web", user_facing=True), "mail": Service("mail")})
    stream = sorted(lonely, key=lambda event: (event.time, event.source, event.id))
    draft = the_draft(list(run(new_engine([acted_rule()], catalogue=flat), stream)))
    assert draft.verdict == "unknown"
    assert Missing.DEPENDENCIES_UNKNOWN in draft.missing_evidence


def test_a_service_that_the_catalogue_does_not_know_is_marked() -> None:
    unknown = [
        make_event("alert.fired", 60, "alert", service="new", subject="full", severity="high"),
        make_event("change.scaled", 70, "grow", service="new", actor=PERSON),
        *clear_feed("new", 0, 400),
    ]
    stream = sorted(unknown, key=lambda event: (event.time, event.source, event.id))
    draft = the_draft(list(run(new_engine([acted_rule()]), stream)))
    assert draft.verdict == "unknown"
    assert Missing.SERVICE_UNKNOWN in draft.missing_evidence


def test_maintenance_covers_ordinary_signs_of_what_it_lists_only() -> None:
    announced = make_event("maintenance.started", 30, "m", service=None, labels={"scope": "db, mail"})
    assert reasons(decide(announced)) == [NotOpened.COVERED_BY_MAINTENANCE]
    neighbour = make_event("maintenance.started", 30, "m", service=None, labels={"scope": "api"})
    assert the_draft(decide(neighbour)).verdict == "none"
    over = make_event("maintenance.ended", 40, "e", service=None, labels={"scope": "db, mail"})
    assert the_draft(decide(announced, over)).verdict == "none"


def test_maintenance_does_not_cover_a_critical_alert() -> None:
    announced = make_event("maintenance.started", 30, "m", service="db")
    critical = make_event("alert.fired", 61, "worse", subject="gone", severity="critical")
    draft = the_draft(decide(announced, critical))
    assert "worse" in {cited.event.id for cited in draft.evidence if cited.role == "hazard"}


def test_a_cancelled_alert_proves_nothing() -> None:
    stream = [
        make_event("alert.fired", 60, "alert", subject="full", severity="high"),
        make_event("change.scaled", 70, "grow", actor=PERSON),
        make_event("alert.cancelled", 75, "deleted", subject="full"),
        *clear_feed("shop", 0, 400),
    ]
    draft = the_draft(list(run(new_engine([acted_rule()]), sorted(stream, key=lambda e: (e.time, e.source, e.id)))))
    assert Missing.ALERT_CANCELLED in draft.missing_evidence
    assert draft.confidence < 0.8


def test_an_alert_that_cleared_before_anybody_acted_is_no_near_miss_of_that_action() -> None:
    stream = [
        make_event("alert.fired", 60, "alert", subject="full", severity="high"),
        make_event("alert.resolved", 65, "fine", subject="full"),
        make_event("change.scaled", 70, "grow", actor=PERSON),
    ]
    assert reasons(list(run(new_engine([acted_rule()]), stream))) == [NotOpened.CLEARED_BEFORE_ACTION]


def test_a_missing_resolve_lowers_the_confidence_only() -> None:
    stream = [event for event in story() if event.kind != "alert.resolved"]
    both = sorted([*stream, *clear_feed("shop", 0, 400)], key=lambda e: (e.time, e.source, e.id))
    draft = the_draft(list(run(new_engine([acted_rule()]), both)))
    assert draft.verdict == "none"
    assert Missing.NO_RESOLVE in draft.missing_evidence
    assert draft.safe_at == START + 80 * MINUTE  # the action at 70 and ten minutes to settle


@pytest.mark.parametrize(("hours", "counts"), [(48, True), (50, False)])
def test_a_persons_report_without_a_beginning_counts_for_two_days(hours: int, counts: bool) -> None:
    ticket = make_event("impact.started", 80 + hours * 60, "ticket", service="shop", labels={"evidence": "ticket"})
    assert withdrawals(decide(ticket)) == ([Withdrawn.IMPACT_AFTERWARDS] if counts else [])


def noticed_late(kind: str, *more: Event) -> list[object]:
    """A note at minute 600 about what began at minute 100, and a person who acts; nobody looked before minute 300."""
    began = Instant(START + 100 * MINUTE)
    rule = acted_rule(kind=kind, hazard=Step(frozenset({"note.added"})))
    stream = [
        make_event("note.added", 600, "note", began_at=began),
        make_event("change.rotated", 610, "act", actor=PERSON),
        *clear_feed("shop", 300, 900),
        *more,
    ]
    return list(run(new_engine([rule]), sorted(stream, key=lambda event: (event.time, event.source, event.id))))


def outage() -> list[Event]:
    return [
        make_event("impact.started", 200, "hit", service="shop"),
        make_event("impact.ended", 210, "well", service="shop"),
    ]


def test_the_window_begins_where_the_hazard_says_that_it_began() -> None:
    draft = the_draft(noticed_late("near_miss"))
    assert draft.window_from == START + 100 * MINUTE
    assert draft.missing_evidence == (Missing.FEED_GAP, Missing.SAFE_ASSUMED)
    assert reasons(noticed_late("near_miss", *outage())) == [NotOpened.IMPACT_SEEN]


def test_an_outage_before_an_exposure_was_found_is_not_its_harm() -> None:
    draft = the_draft(noticed_late("exposure", *outage()))
    assert draft.window_from == START + 595 * MINUTE
    assert Missing.FEED_GAP in draft.missing_evidence, "nobody looked while the key lay open"


def test_an_audit_that_is_written_after_the_window_makes_the_verdict_better() -> None:
    audited = msgspec.structs.replace(acted_rule(), impact=Impact(hold=2 * HOUR, evidence=frozenset({"audit_log"})))
    engine = new_engine([audited])
    decided = engine.step([*story(), make_event("note.added", 400, "later", service="mail")])
    assert the_draft(list(decided)).verdict == "unknown"
    audit = make_event("impact.clear", 420, "audit", labels={"evidence": "audit_log"}, covers_from=Instant(START))
    decided = engine.step([audit, make_event("note.added", 430, "last", service="mail")])
    assert [decision.draft.verdict for decision in decided if isinstance(decision, Amend)] == ["none"]


NOTED = Step(frozenset({"note.added"}))
UNTIL_SAFE = (Point("hazard"), Point("safe"))


def test_each_rule_of_an_episode_gets_its_own_reason() -> None:
    """One rule misses a note, one has a note too many, one is in shadow mode: none may speak for the others."""
    rules = [
        acted_rule(name="two-notes", clauses=(Clause("noted", NOTED, *UNTIL_SAFE, at_least=2),)),
        acted_rule(name="no-note", clauses=(Clause("noted", NOTED, *UNTIL_SAFE, at_least=0, at_most=0),)),
        acted_rule(name="silent", mode="shadow"),
    ]
    stream = sorted([*story(), make_event("note.added", 75, "note")], key=lambda event: event.time)
    decided = run(new_engine(rules), stream)
    assert sorted((it.rules, it.reason, it.detail) for it in decided if isinstance(it, Ignore)) == [
        (("no-note",), NotOpened.ABSENCE_VIOLATED, "step noted: 1 seen, at most 0 allowed"),
        (("silent",), NotOpened.SHADOW, "only rules in shadow mode match: counted, not shown"),
        (("two-notes",), NotOpened.CONDITION_NOT_MET, "step noted: 1 seen, at least 2 required"),
    ]


def test_rules_with_the_same_reason_share_it() -> None:
    rules = [acted_rule(name=name, clauses=(Clause("noted", NOTED, *UNTIL_SAFE),)) for name in ("one", "other")]
    (ignored,) = [it for it in run(new_engine(rules), story()) if isinstance(it, Ignore)]
    assert (ignored.rules, ignored.reason) == (("one", "other"), NotOpened.CONDITION_NOT_MET)


@pytest.mark.parametrize("service", ["Checkout page", None])
def test_public_impact_that_nobody_can_place_withdraws_an_open_draft(service: str | None) -> None:
    post = make_event("impact.started", 250, "post", service=service, labels={"evidence": "status_post"})
    assert len(withdrawals(decide(post))) == 1
