"""The Alertmanager's event recorder: both versions of labels, decimal fingerprints, passes, retries and replicas."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitor.core.model.events import Actor, to_text
from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, events, left_out, outcome

LABELS = {"alertname": "ErrorRate", "service": "payments", "severity": "page"}
PAIRS = {"labels": [{"key": key, "value": value} for key, value in LABELS.items()]}
FINGERPRINT = "11470293847561029384"
HEXADECIMAL = "9f2eab7b6d394708"
ALERT = {"fingerprint": FINGERPRINT, "name": "ErrorRate", "labels": PAIRS, "startsAt": "2026-03-10T11:50:00Z"}
SILENCE = {
    "id": "0c6d3a1e",
    "startsAt": "2026-03-10T11:00:00Z",
    "endsAt": "2026-03-10T15:00:00Z",
    "updatedAt": "2026-03-10T11:00:00Z",
    "createdBy": "dev-one",
    "comment": "noisy while we migrate",
    "matchers": [{"type": "TYPE_EQUAL", "name": "service", "pattern": "payments", "rendered": 'service="payments"'}],
}
MUTED = {"fingerprint": FINGERPRINT, "labels": PAIRS}


def recorded(
    name: str, inner: Any, when: str = "2026-03-10T12:00:00.123456789Z", replica: str = "am-0"
) -> dict[str, Any]:
    return {"@timestamp": when, "instance": replica, "data": {name: inner}}


@pytest.mark.parametrize("labels", [PAIRS, LABELS])
def test_an_alert_fires(labels: Any) -> None:
    found = event("alertmanager-events", recorded("alertCreated", {"alert": ALERT | {"labels": labels}}))
    assert (found.kind, found.subject, found.service) == ("alert.fired", HEXADECIMAL, "payments")
    assert (found.severity, at(found)) == ("critical", "2026-03-10T11:50:00Z")


def test_replicas_and_retries_are_one_event() -> None:
    one = event("alertmanager-events", recorded("alertCreated", {"alert": ALERT}))
    other = event("alertmanager-events", recorded("alertCreated", {"alert": ALERT}, "2026-03-10T12:00:09Z", "am-1"))
    assert one.event_id == other.event_id


def test_a_recovery_comes_late_and_once_for_each_route() -> None:
    ended = ALERT | {"endsAt": "2026-03-10T11:58:00Z", "resolved": True}
    grouped = {"hash": "1", "details": ended}
    found = [
        event("alertmanager-events", recorded("alertResolved", {"alert": grouped, "groupInfo": {"receiverName": name}}))
        for name in ("a", "b")
    ]
    assert {one.id for one in found} == {f"{HEXADECIMAL}/2026-03-10T11:50:00Z/resolved/2026-03-10T11:58:00Z"}
    assert at(found[0]) == "2026-03-10T11:58:00Z"


def test_a_mute_repeats_at_every_pass_and_is_one_event_with_its_end() -> None:
    passes = [
        event("alertmanager-events", recorded("silenceMutedAlert", {"silence": SILENCE, "mutedAlert": MUTED}, when))
        for when in ("2026-03-10T12:00:00Z", "2026-03-10T12:00:30Z")
    ]
    assert passes[0].event_id == passes[1].event_id
    assert (passes[0].kind, passes[0].subject, passes[0].actor) == (
        "alert.silenced",
        HEXADECIMAL,
        Actor("dev-one", "human"),
    )
    assert to_text(passes[0].expires_at) == "2026-03-10T15:00:00Z"
    assert passes[0].labels["comment"] == "noisy while we migrate"
    later = SILENCE | {"startsAt": "2026-03-11T11:00:00Z"}
    again = event("alertmanager-events", recorded("silenceMutedAlert", {"silence": later, "mutedAlert": MUTED}))
    assert again.event_id != passes[0].event_id


def test_a_silence_is_made_and_ended() -> None:
    found = event("alertmanager-events", recorded("silenceCreated", {"silence": SILENCE}))
    assert (found.kind, found.subject, found.service) == ("alert.silenced", "silence/0c6d3a1e", "payments")
    assert (found.title, found.labels["matchers"]) == ("noisy while we migrate", 'service="payments"')
    expired = SILENCE | {"updatedAt": "2026-03-10T12:00:00Z", "endsAt": "2026-03-10T12:00:00Z"}
    assert left_out("alertmanager-events", recorded("silenceUpdated", {"silence": expired})) == Ignored.NOT_RELEVANT


def test_an_inhibition_names_what_inhibits() -> None:
    inner = {"mutedAlert": MUTED, "inhibitingFingerprints": ["255", "16"]}
    found = event("alertmanager-events", recorded("inhibitionMutedAlert", inner))
    assert (found.kind, found.labels["inhibited_by"]) == ("alert.silenced", "0000000000000010,00000000000000ff")
    assert found.actor == Actor(None, "automation")


def notification(reason: str = "NOTIFY_REASON_FIRST_NOTIFICATION", name: str = "pagerduty") -> dict[str, Any]:
    return recorded(
        "notification",
        {
            "alerts": [{"hash": "7", "details": ALERT}],
            "firingAlerts": [{"hash": "7"}],
            "reason": reason,
            "integration": {"name": name},
            "groupInfo": {"receiverName": "oncall"},
        },
    )


def test_somebody_is_paged_once_for_an_alert() -> None:
    found = event("alertmanager-events", notification())
    assert (found.kind, found.subject, found.labels["receiver"]) == ("responder.paged", HEXADECIMAL, "oncall")
    again = event("alertmanager-events", notification("NOTIFY_REASON_NEW_ALERTS_IN_GROUP"))
    assert again.event_id == found.event_id


def test_a_hash_that_is_named_again_and_again_names_one_alert() -> None:
    """A few bytes would have all the labels of an alert looked at once more."""
    named = notification()
    named["data"]["notification"]["firingAlerts"] *= 500
    assert [each.subject for each in events("alertmanager-events", named)] == [HEXADECIMAL]


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED", "pagerduty"),
        ("NOTIFY_REASON_ALL_ALERTS_RESOLVED", "pagerduty"),
        ("NOTIFY_REASON_FIRST_NOTIFICATION", "slack"),
    ],
)
def test_a_repetition_and_a_post_page_nobody(reason: str, name: str) -> None:
    assert left_out("alertmanager-events", notification(reason, name)) == Ignored.NOT_RELEVANT


def test_a_batch_and_the_lines_of_a_file() -> None:
    pieces = [recorded("alertCreated", {"alert": ALERT}), recorded("silenceCreated", {"silence": SILENCE})]
    assert len(events("alertmanager-events", pieces)) == 2
    lines = "\n".join(map(json.dumps, pieces)).encode()
    assert len(events("alertmanager-events", lines)) == 2
    found = outcome("alertmanager-events", lines + b'\n{"cut')
    assert (len(found.events), found.refused) == (2, {Rejected.NOT_JSON: 1})


def test_zero_values_are_left_out_and_new_types_are_counted() -> None:
    assert left_out("alertmanager-events", recorded("alertmanagerShutdownEvent", {})) == Ignored.NOT_RELEVANT
    assert left_out("alertmanager-events", recorded("alertForgotten", {})) == Ignored.UNKNOWN_TYPE
    bare = {"labels": LABELS}
    assert event("alertmanager-events", recorded("alertCreated", {"alert": bare})).kind == "alert.fired"


def test_what_an_alertmanager_recorded() -> None:
    """Version 0.35, sent in batches: three alerts, one silenced by a person and one inhibited, for twelve seconds."""
    lines = Path(__file__).with_name("alertmanager-0.35.jsonl").read_bytes()
    found = outcome("alertmanager-events", lines)
    assert found.refused == {}
    assert Ignored.UNKNOWN_TYPE not in found.ignored
    once = {one.event_id: one for one in found.events}
    assert Counter(one.kind for one in once.values()) == {"alert.fired": 3, "alert.silenced": 3, "alert.resolved": 1}
    assert len(found.events) > 3 * len(once)  # a mute is recorded at every pass
    assert {one.labels["comment"] for one in once.values() if one.actor and one.actor.id == "dev-one"} == {"noisy"}
