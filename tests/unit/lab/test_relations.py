"""What could have been paired with an event, and what ties them together or does not."""

from __future__ import annotations

from monitor.core.matching.explain import Why
from monitor.core.model.catalogue import Catalogue
from monitor.core.model.events import EventId
from monitor.core.model.rule import Rule
from monitor.decode.catalogues import catalogue_from_mapping
from monitor.decode.streams import BASE_AT, expand
from monitor.lab.explain import explain_event
from monitor.lab.relations import MOST_SHOWN
from monitor.packs.language.regex import make_regex
from tests.unit.packs.written import GOOD, read

CATALOGUE: Catalogue = catalogue_from_mapping({"user_facing": ["web"], "depends_on": {"web": ["api"], "blog": ["cms"]}})
ALERT: dict[str, object] = {
    "id": "bad",
    "time": "+0s",
    "kind": "alert.fired",
    "service": "api",
    "subject": "a",
    "severity": "high",
    "labels": {"cluster": "c"},
}
ACTION: dict[str, object] = {
    "id": "fix",
    "time": "+5m",
    "kind": "change.restarted",
    "service": "api",
    "subject": "a",
    "labels": {"k8s_cluster": "c"},
    "actor": {"id": "x", "kind": "human"},
}


SILENCES: list[dict[str, object]] = [
    {"id": f"s{day}", "time": f"-{day}d", "kind": "alert.silenced", "service": "api"} for day in (1, 2, 3)
]


def branch(why: Why) -> Why:
    """What the only rule's last branch says: the partners."""
    return why.parts[1].parts[-1]


def whole(event_id: str, *written: dict[str, object]) -> Why:
    rule, _ = read(GOOD)
    assert isinstance(rule, Rule)
    events = expand(written, BASE_AT).events
    return explain_event(events, [rule], CATALOGUE, EventId("example", event_id), make_regex)


def explained(event_id: str, *written: dict[str, object]) -> Why:
    return branch(whole(event_id, *written, *SILENCES))


def part(why: Why, asked: str) -> Why:
    return next(one for one in why.parts if one.asked.startswith(asked))


def test_a_hazard_shows_the_actions_within_its_window() -> None:
    why = explained("bad", ALERT, ACTION)
    assert why.asked == "actions within its window, 2026-03-10T12:00:00Z to 2026-03-10T12:30:00Z"
    assert (why.held, why.found) == (True, "1, 1 of them fitting")
    (partner,) = why.parts
    assert partner.asked == "example fix change.restarted api, 5 min later"
    assert all(one.held for one in partner.parts)


def test_an_action_shows_the_hazards_in_whose_window_it_lies_and_what_does_not_fit() -> None:
    why = explained("fix", ALERT, {**ACTION, "service": "cms", "subject": "b"})
    assert why.asked == "hazards whose window contains it, 2026-03-10T11:35:00Z to 2026-03-10T12:05:00Z"
    assert (why.held, why.found) == (False, "1, 0 of them fitting")
    (partner,) = why.parts
    assert part(partner, "at most 30 min after").held
    services, subject = part(partner, "related service"), part(partner, "subject equal to")
    assert (services.held, services.found) == (False, "hazard on api, action on cms")
    assert (subject.held, subject.found) == (False, "'b' and 'a'")
    assert part(partner, "labels.k8s_cluster").held


def test_the_first_thing_that_fails_is_the_answer_of_the_rule() -> None:
    why = whole("bad", ALERT, {**ACTION, "subject": "b"}, *SILENCES)
    assert why.parts[1].found == "hazard → unrelated_intervention: the action was unrelated to the hazard"
    why = whole("fix", ALERT, {**ACTION, "subject": "b"}, *SILENCES)
    assert why.parts[1].found == "intervention → subject equal to the hazard's subject: 'b' and 'a'"
    why = whole("bad", {**ALERT, "severity": "info"}, ACTION)
    assert why.parts[1].found == "hazard: severity at least 'high': 'info'"
    why = whole("bad", {**ALERT, "labels": {"cluster": "c", "drill": "true"}}, ACTION)
    assert why.parts[1].found == "hazard: not labels.drill is present: 'true'"


def test_the_next_action_after_the_window_is_shown_with_how_late_it_was() -> None:
    why = explained("bad", ALERT, {**ACTION, "time": "+45m"})
    assert (why.held, why.found) == (False, "1, 0 of them fitting")
    assert why.parts[0].asked == "example fix change.restarted api at 2026-03-10T12:45:00Z"
    assert why.parts[0].found == "15 min after the window"
    back = explained("fix", ALERT, {**ACTION, "time": "+45m"})
    assert back.parts[0].found == "its window had ended 15 min before"


def test_further_steps_show_their_windows_and_what_was_seen_in_them() -> None:
    page: dict[str, object] = {"id": "page", "time": "-5m", "kind": "responder.paged", "service": "api"}
    (partner,) = branch(whole("bad", ALERT, ACTION, page, *SILENCES[:2])).parts
    often, absent = part(partner, "step often"), part(partner, "absent page")
    assert (often.held, often.found, len(often.parts)) == (False, "2 seen", 2)
    assert often.asked == (
        "step often: at least 3 of alert.silenced on same service, 2026-02-24T12:05:00Z to 2026-03-10T12:05:00Z"
    )
    assert (absent.held, absent.found) == (False, "1 seen")
    assert absent.parts[0].asked == "example page responder.paged api at 2026-03-10T11:55:00Z"
    assert part(partner, "step seen: any number").held


def test_an_alert_that_was_over_says_when() -> None:
    over: dict[str, object] = {**ALERT, "id": "over", "time": "+3m", "kind": "alert.resolved"}
    (partner,) = explained("bad", ALERT, ACTION, over).parts
    firing = part(partner, "the alert was still firing")
    assert (firing.held, firing.found) == (False, "alert.resolved at 2026-03-10T12:03:00Z [example over]")


def test_a_step_that_begins_when_it_was_safe_says_when_that_was_taken_to_be() -> None:
    text = GOOD.replace("since: hazard - 30m, until: hazard}", "since: safe, until: safe + 1h}")
    rule, _ = read(text)
    assert isinstance(rule, Rule)
    fine: dict[str, object] = {**ALERT, "id": "fine", "time": "+9m", "kind": "alert.resolved"}
    for more, safe in (([fine], "12:09"), ([], "12:10")):
        events = expand([ALERT, ACTION, *more, *SILENCES], BASE_AT).events
        why = branch(explain_event(events, [rule], CATALOGUE, EventId("example", "bad"), make_regex))
        assert f"(assumed safe at 2026-03-10T{safe}:00Z)" in part(why.parts[0], "absent page").asked


def test_rules_without_a_step_for_it_are_one_line() -> None:
    note: dict[str, object] = {"id": "note", "time": "+1m", "kind": "note.added", "service": "api"}
    why = whole("note", note)
    assert (why.parts[1].asked, why.parts[1].found) == ("1 rule with no step for note.added", "page-and-fix")


def test_facts_are_told_as_they_were_then() -> None:
    """However many versions came later, the rollback of the day is still seen as one."""
    rule, _ = read(GOOD.replace("{derived.actor: human}", "{derived.rollback: true}").replace("restarted", "deployed"))
    assert isinstance(rule, Rule)
    deploys: list[dict[str, object]] = [
        {"id": f"v{day}", "time": f"+{day}d", "kind": "change.deployed", "service": "api",
         "labels": {"version": str(day)}} for day in range(1, 40)
    ]  # fmt: skip
    before: list[dict[str, object]] = [
        {**deploys[0], "id": f"b{hour}", "time": f"-{hour}h", "labels": {"version": f"b{hour % 2}"}} for hour in (3, 2)
    ]
    back = {**ACTION, "kind": "change.deployed", "labels": {"version": "b1", "k8s_cluster": "c"}}
    events = expand([ALERT, back, *before, *deploys], BASE_AT).events
    why = explain_event(events, [rule], CATALOGUE, EventId("example", "fix"), make_regex)
    assert part(why.parts[1], "intervention").held


def test_relations_in_time_show_what_was_there() -> None:
    text = GOOD.replace("  same: [subject,", "  before: derived.opens_at\n  spent: {at_least: 0.9}\n  same: [subject,")
    rule, problems = read(text)
    assert problems == []
    assert isinstance(rule, Rule)
    events = expand([{**ALERT, "expires_at": "+10m"}, ACTION], BASE_AT).events
    open_late = catalogue_from_mapping(
        {"depends_on": {"web": ["api"]}, "hours": {"api": {"zone": "UTC", "opens": "13:00", "closes": "14:00"}}}
    )
    why = branch(explain_event(events, [rule], open_late, EventId("example", "bad"), make_regex))
    before, spent = part(why.parts[0], "before the hazard's"), part(why.parts[0], "at least 90%")
    assert before.held
    assert before.asked == "before the hazard's derived.opens_at"
    assert before.found == "at 2026-03-10T12:05:00Z, derived.opens_at is 2026-03-10T13:00:00Z"
    assert (spent.held, spent.found) == (False, "50%")
    assert spent.asked == "at least 90% of the time to the deadline spent"


def test_a_missing_field_is_called_missing() -> None:
    why = explained("fix", ALERT, {**ACTION, "labels": {}})
    assert part(why.parts[0], "labels.k8s_cluster").found == "missing and 'c'"
    without = {key: value for key, value in ACTION.items() if key != "service"}
    assert "without a service" in part(explained("fix", ALERT, without).parts[0], "related service").found


def test_nothing_in_the_window_is_said_too() -> None:
    assert explained("bad", ALERT).found == "none"
    assert explained("fix", {**ALERT, "severity": "info"}, ACTION).found == "none"


def test_what_fits_comes_first_and_a_crowd_is_counted() -> None:
    crowd = [{**ACTION, "id": f"other{place}", "time": f"+{place}m", "service": "cms"} for place in range(1, 9)]
    why = explained("bad", ALERT, *crowd, {**ACTION, "time": "+20m"})
    assert len(why.parts) == MOST_SHOWN + 1
    assert why.parts[0].asked.startswith("example fix")
    assert why.parts[-1].asked == "and 4 more"


def test_a_step_that_is_measured_from_another_one_says_from_when() -> None:
    rule, problems = read(GOOD.replace("since: hazard - 30m, until: hazard}", "since: seen, until: seen + 10m}"))
    assert problems == []
    assert isinstance(rule, Rule)
    seen: dict[str, object] = {**ALERT, "id": "seen", "time": "+2m", "kind": "alert.acknowledged"}
    for more, window in (([seen], "2026-03-10T12:02:00Z to 2026-03-10T12:12:00Z"), ([], "that was not seen")):
        events = expand([ALERT, ACTION, *more, *SILENCES], BASE_AT).events
        why = branch(explain_event(events, [rule], CATALOGUE, EventId("example", "bad"), make_regex))
        assert part(why.parts[0], "absent page").asked.endswith(window)
