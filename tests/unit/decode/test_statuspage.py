"""Statuspage: only the newest update is news, planned work is no impact, and every component is named."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, events, left_out, refused


def update(identity: str, status: str, minute: int, *components: str) -> dict[str, Any]:
    when = f"2026-03-10T12:{minute:02}:00Z"
    affected = [{"code": f"c-{name}", "name": name, "new_status": "partial_outage"} for name in components]
    return {
        "id": identity,
        "status": status,
        "created_at": when,
        "display_at": when,
        "body": f"we are {status}",
        "affected_components": affected,
    }


def incident(*updates: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = {
        "id": "inc1",
        "name": "Mails are late",
        "status": "resolved",
        "impact": "major",
        "created_at": "2026-03-10T12:00:00Z",
        "shortlink": "https://stspg.example/x",
        "incident_updates": list(updates),
    }
    return {"page": {"id": "page1"}, "meta": {"unsubscribe": "https://x.example/?secret"}, "incident": found | more}


HISTORY = (
    update("u3", "resolved", 30, "Mail"),
    update("u2", "monitoring", 20, "Mail"),
    update("u1", "investigating", 0, "Mail"),
)


def test_only_the_newest_update_counts_in_any_order() -> None:
    for history in (HISTORY, HISTORY[::-1]):
        found = event("statuspage", incident(*history))
        assert (found.id, found.kind, found.service) == ("inc1/u3", "impact.ended", "Mail")
        assert (found.subject, found.severity) == ("inc1", "high")
        assert (at(found), found.labels["evidence"]) == ("2026-03-10T12:30:00Z", "status_post")
        assert found.began_at == event("statuspage", incident(HISTORY[2])).time
        assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("investigating", "impact.started"),
        ("identified", "impact.started"),
        ("monitoring", "impact.started"),
        ("resolved", "impact.ended"),
        ("in_progress", "maintenance.started"),
        ("verifying", "maintenance.started"),
        ("completed", "maintenance.ended"),
    ],
)
def test_the_statuses(status: str, kind: str) -> None:
    assert event("statuspage", incident(update("u", status, 5, "Mail"))).kind == kind


def test_an_announcement_is_not_the_work_itself() -> None:
    assert left_out("statuspage", incident(update("u", "scheduled", 5, "Mail"))) == Ignored.NOT_RELEVANT
    assert left_out("statuspage", incident(update("u", "postmortem", 5, "Mail"))) == Ignored.NOT_RELEVANT
    assert left_out("statuspage", incident(update("u", "pondering", 5, "Mail"))) == Ignored.UNKNOWN_TYPE


def test_each_component_has_an_event_and_none_means_everybody() -> None:
    mail, login = events("statuspage", incident(update("u", "identified", 5, "Mail", "Login")))
    assert (mail.service, login.service, mail.subject) == ("Mail", "Login", login.subject)
    assert mail.id != login.id
    assert event("statuspage", incident(update("u", "identified", 5))).service is None


def test_planned_work_names_its_scope() -> None:
    mail, _ = events("statuspage", incident(update("u", "in_progress", 5, "Mail", "Login"), impact="maintenance"))
    assert (mail.labels["scope"], mail.severity, mail.began_at) == ("Mail,Login", None, None)
    assert "evidence" not in mail.labels


def test_an_incident_without_updates_speaks_for_itself() -> None:
    components = [{"id": "c1", "name": "Mail", "status": "operational"}]
    found = event("statuspage", incident(resolved_at="2026-03-10T12:30:00Z", components=components))
    assert (found.kind, at(found), found.service) == ("impact.ended", "2026-03-10T12:30:00Z", "Mail")


def component(old: str, new: str) -> dict[str, Any]:
    return {
        "page": {"id": "page1"},
        "component": {"id": "c1", "name": "Mail", "status": new},
        "component_update": {
            "id": "cu1",
            "component_id": "c1",
            "old_status": old,
            "new_status": new,
            "created_at": "2026-03-10T12:00:00.5Z",
        },
    }


@pytest.mark.parametrize(
    ("old", "new", "kind", "severity"),
    [
        ("operational", "under_maintenance", "maintenance.started", None),
        ("under_maintenance", "operational", "maintenance.ended", None),
        ("operational", "degraded_performance", "impact.started", "warning"),
        ("operational", "partial_outage", "impact.started", "high"),
        ("under_maintenance", "major_outage", "impact.started", "critical"),
        ("major_outage", "operational", "impact.ended", None),
    ],
)
def test_components(old: str, new: str, kind: str, severity: str | None) -> None:
    found = event("statuspage", component(old, new))
    assert (found.kind, found.severity, found.subject, found.service) == (kind, severity, "c1", "Mail")
    assert (found.id, at(found)) == ("cu1", "2026-03-10T12:00:00.500000Z")


def test_what_cannot_be_read() -> None:
    assert left_out("statuspage", component("operational", "asleep")) == Ignored.UNKNOWN_TYPE
    assert refused("statuspage", {"incident": {"status": "resolved"}}) == Rejected.MISSING_FIELD
    assert refused("statuspage", {"component_update": {"new_status": "operational"}}) == Rejected.MISSING_FIELD
    naive = incident(update("u", "resolved", 5) | {"created_at": "2026-03-10T12:00:00"})
    assert refused("statuspage", naive) == Rejected.TIME_WITHOUT_OFFSET
