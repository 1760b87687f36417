"""Prometheus' own notifications: what stands, what recovered, and the identity that it shares with the Alertmanager."""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import MINUTE, to_text
from monitor.core.model.reasons import Rejected
from monitor.decode.registry import decode
from tests.unit.decode.deliveries import RECEIVED_AT, at, event, events, outcome, refused

LABELS = {"alertname": "ErrorRate", "service": "payments", "severity": "critical"}
BEGAN = "2026-03-10T11:30:00.123Z"


def alert(ends: str | None, **more: Any) -> dict[str, Any]:
    return {
        "labels": LABELS,
        "annotations": {},
        "startsAt": BEGAN,
        "endsAt": ends,
        "generatorURL": "http://p/graph",
    } | more


def test_an_end_ahead_of_receipt_is_no_end() -> None:
    found = event("prometheus", [alert(to_text(RECEIVED_AT + 4 * MINUTE))])
    assert (found.kind, at(found)) == ("alert.fired", "2026-03-10T11:30:00.123000Z")
    assert event("prometheus", [alert("0001-01-01T00:00:00Z")]).kind == "alert.fired"
    assert event("prometheus", [alert(None)]).kind == "alert.fired"


def test_an_end_before_receipt_is_the_recovery() -> None:
    ends = to_text(RECEIVED_AT - MINUTE)
    found = event("prometheus", [alert(ends)])
    assert (found.kind, at(found), to_text(found.began_at)) == ("alert.resolved", ends, "2026-03-10T11:30:00.123000Z")


def test_what_is_sent_each_minute_is_one_event() -> None:
    again = [event("prometheus", [alert(to_text(RECEIVED_AT + minutes * MINUTE))]).id for minutes in (4, 5, 6)]
    assert len(set(again)) == 1


def test_the_alertmanager_s_webhook_gives_the_same_identity() -> None:
    group = {"status": "firing", "alerts": [alert("0001-01-01T00:00:00Z", status="firing")]}
    ours, theirs = event("prometheus", [alert(None)]), event("alertmanager", group)
    assert (ours.id, ours.subject) == (theirs.id, theirs.subject)


def test_the_older_form_and_a_bad_neighbour() -> None:
    assert len(events("prometheus", {"alerts": [alert(None)]})) == 1
    found = outcome("prometheus", [alert(None), {"labels": None}, 5])
    assert (len(found.events), found.refused) == (1, {Rejected.NOT_AN_EVENT: 2})
    assert refused("prometheus", {"status": "success"}) == Rejected.NOT_AN_EVENT


def test_without_a_time_of_receipt_an_end_tells_nothing() -> None:
    body = b'[{"labels": {"alertname": "A"}, "startsAt": "2026-03-10T11:30:00Z", "endsAt": "2026-03-10T11:31:00Z"}]'
    assert decode("prometheus", body).refused == {Rejected.MISSING_FIELD: 1}
