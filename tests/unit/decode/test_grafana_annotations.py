"""Annotations: tags tell what happened and where, alerts of Grafana are left out."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor, to_text
from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, left_out, refused


def note(*tags: str, **more: Any) -> dict[str, Any]:
    return {"id": 7, "alertId": 0, "time": 1773144000000, "text": "2.14", "tags": list(tags), "login": "dev-one"} | more


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        (["Deploy"], "change.deployed"),
        (["deploy", "rollback"], "change.rolled_back"),
        (["config-change"], "change.configured"),
        (["restart", "payments"], "change.restarted"),
        (["payments"], "note.added"),
        ([], "note.added"),
    ],
)
def test_a_tag_tells_the_kind(tags: list[str], kind: str) -> None:
    assert event("grafana-annotations", [note(*tags)]).kind == kind


def test_tags_with_a_value_are_labels_and_a_plain_one_may_be_a_service() -> None:
    found = event("grafana-annotations", [note("deploy", "service:payments", "env=production", "version: 2.14")])
    assert (found.service, found.environment, found.labels["version"]) == ("payments", "production", "2.14")
    assert (at(found), found.id, found.actor) == ("2026-03-10T12:00:00Z", "7", Actor("dev-one", "human"))
    assert event("grafana-annotations", [note("deploy", "checkout")]).labels["workload"] == "checkout"


def test_a_region_has_an_end_and_markup_is_no_text() -> None:
    region = note("maintenance", timeEnd=1773147600000, text="<b>disk</b> &amp; memory<br>swap")
    found = event("grafana-annotations", [region])
    assert (found.kind, found.title, to_text(found.expires_at)) == (
        "maintenance.started",
        "disk & memory swap",
        "2026-03-10T13:00:00Z",
    )


def test_what_is_no_annotation_of_a_person_has_a_reason() -> None:
    assert left_out("grafana-annotations", [note(alertId=3)]) == Ignored.NOT_RELEVANT
    assert refused("grafana-annotations", [note(id=None)]) == Rejected.MISSING_FIELD
    assert refused("grafana-annotations", {"message": "Unauthorized"}) == Rejected.NOT_AN_EVENT
