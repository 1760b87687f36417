"""What an Alertmanager's API answers: silences with their authors, and alerts with what mutes them."""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import Actor, to_text
from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, events, left_out, refused

ALERT = {
    "labels": {"alertname": "ErrorRate", "service": "payments"},
    "annotations": {},
    "startsAt": "2026-03-10T11:30:00Z",
    "endsAt": "2026-03-10T12:04:00Z",
    "updatedAt": "2026-03-10T12:00:00Z",
    "fingerprint": "9f2c0d3b51e07a44",
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
}
MATCHER = {"name": "service", "value": "payments", "isRegex": False, "isEqual": True}


def silence(**more: Any) -> dict[str, Any]:
    return {
        "id": "s1",
        "status": {"state": "active"},
        "startsAt": "2026-03-10T11:00:00Z",
        "endsAt": "2026-03-10T15:00:00Z",
        "updatedAt": "2026-03-10T11:00:00Z",
        "createdBy": "dev-one",
        "comment": "noisy",
        "matchers": [MATCHER],
    } | more


def test_an_alert_that_stands_is_no_recovery_whatever_its_end_says() -> None:
    found = event("alertmanager-api", [ALERT])
    assert (found.kind, found.subject, at(found)) == ("alert.fired", "9f2c0d3b51e07a44", "2026-03-10T11:30:00Z")


def test_a_muted_alert_fires_and_is_silenced_once() -> None:
    muted = ALERT | {"status": {"state": "suppressed", "silencedBy": ["s1"], "inhibitedBy": ["abc"]}}
    fired, by_person, by_alert = events("alertmanager-api", [muted])
    assert (fired.kind, by_person.kind, by_alert.kind) == ("alert.fired", "alert.silenced", "alert.silenced")
    assert (by_person.labels["silence"], by_alert.labels["inhibited_by"]) == ("s1", "abc")
    assert by_alert.actor == Actor(None, "automation")
    again = events("alertmanager-api", [muted | {"updatedAt": "2026-03-10T12:01:00Z"}])
    assert [one.id for one in again] == [fired.id, by_person.id, by_alert.id]


def test_a_silence_says_who_why_and_until_when() -> None:
    found = event("alertmanager-api", [silence()])
    assert (found.kind, found.service, found.actor) == ("alert.silenced", "payments", Actor("dev-one", "human"))
    assert (found.title, to_text(found.expires_at)) == ("noisy", "2026-03-10T15:00:00Z")
    negated = silence(matchers=[MATCHER | {"isEqual": False}])
    assert event("alertmanager-api", [negated]).labels["matchers"] == 'service!="payments"'
    assert event("alertmanager-api", [negated]).service is None
    assert left_out("alertmanager-api", [silence(status={"state": "expired"})]) == Ignored.NOT_RELEVANT


def test_what_the_api_does_not_answer() -> None:
    assert refused("alertmanager-api", {"code": 500}) == Rejected.NOT_AN_EVENT
    assert refused("alertmanager-api", [5]) == Rejected.NOT_AN_EVENT
