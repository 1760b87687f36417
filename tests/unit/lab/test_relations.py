"""What could have been paired with an event, and what ties them together or does not."""

from __future__ import annotations

from monitor.core.catalogue import Catalogue
from monitor.core.events import EventId
from monitor.core.explain import Why
from monitor.core.rule import Rule
from monitor.decode.catalogues import catalogue_from_mapping
from monitor.decode.streams import BASE_AT, expand
from monitor.lab.explain import explain_event
from monitor.lab.relations import MOST_SHOWN
from monitor.packs.regex import make_regex
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


def explained(event_id: str, *written: dict[str, object]) -> Why:
    rule, _ = read(GOOD)
    assert isinstance(rule, Rule)
    events = expand(written, BASE_AT).events
    return explain_event(events, [rule], CATALOGUE, EventId("example", event_id), make_regex).parts[0].parts[-1]


def test_a_hazard_shows_the_actions_within_its_window() -> None:
    why = explained("bad", ALERT, ACTION)
    assert (why.asked, why.held, why.found) == ("actions within its window", True, "1, 1 of them related")
    (partner,) = why.parts
    assert partner.asked == "example fix change.restarted api, 5 minutes later"
    assert [part.held for part in partner.parts] == [True, True, True]


def test_an_action_shows_the_hazards_in_whose_window_it_lies_and_what_does_not_fit() -> None:
    why = explained("fix", ALERT, {**ACTION, "service": "cms", "subject": "b"})
    assert (why.asked, why.held, why.found) == ("hazards in whose window it lies", False, "1, 0 of them related")
    services, subject, cluster = why.parts[0].parts
    assert (services.held, services.found) == (False, "hazard on api, action on cms")
    assert (subject.held, subject.found) == (False, "'b' and 'a'")
    assert cluster.held


def test_relations_in_time_show_what_was_there() -> None:
    text = GOOD.replace("  same: [subject,", "  before: derived.opens_at\n  spent: {at_least: 0.9}\n  same: [subject,")
    rule, problems = read(text)
    assert problems == []
    assert isinstance(rule, Rule)
    events = expand([{**ALERT, "expires_at": "+10m"}, ACTION], BASE_AT).events
    open_late = catalogue_from_mapping(
        {"depends_on": {"web": ["api"]}, "hours": {"api": {"zone": "UTC", "opens": "13:00", "closes": "14:00"}}}
    )
    why = explain_event(events, [rule], open_late, EventId("example", "bad"), make_regex).parts[0].parts[-1]
    *_, before, spent = why.parts[0].parts
    assert before.held
    assert before.asked == "before the hazard's derived.opens_at"
    assert before.found == "at 2026-03-10T12:05:00Z, derived.opens_at is 2026-03-10T13:00:00Z"
    assert (spent.held, spent.found) == (False, "50%")
    assert spent.asked == "at least 90% of the time from the hazard to its deadline gone by"


def test_a_missing_field_is_called_missing() -> None:
    why = explained("fix", ALERT, {**ACTION, "labels": {}})
    assert why.parts[0].parts[-1].found == "missing and 'c'"
    without = {key: value for key, value in ACTION.items() if key != "service"}
    assert "names no service" in explained("fix", ALERT, without).parts[0].parts[0].found


def test_nothing_in_the_window_is_said_too() -> None:
    assert explained("bad", ALERT, {**ACTION, "time": "+2h"}).found == "none"
    assert explained("fix", {**ALERT, "severity": "info"}, ACTION).found == "none"


def test_what_fits_comes_first_and_a_crowd_is_counted() -> None:
    crowd = [{**ACTION, "id": f"other{place}", "time": f"+{place}m", "service": "cms"} for place in range(1, 9)]
    why = explained("bad", ALERT, *crowd, {**ACTION, "time": "+20m"})
    assert len(why.parts) == MOST_SHOWN + 1
    assert why.parts[0].asked.startswith("example fix")
    assert why.parts[-1].asked == "and 4 more"
