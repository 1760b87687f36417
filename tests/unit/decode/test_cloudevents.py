"""CloudEvents and CDEvents: the envelope's identity, the three modes, and the types that we use."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored, Mark, Rejected
from tests.unit.decode.deliveries import RECEIVED_AT, at, event, events, left_out, outcome, refused

ENVELOPE = {
    "specversion": "1.0",
    "type": "nearmiss.change.deployed",
    "source": "/ci/acme",
    "id": "A-1",
    "time": "2026-03-10T12:00:00Z",
    "subject": "deployment-7",
    "datacontenttype": "application/json",
    "traceparent": "00-abc",
    "data": {"service": "shop", "labels": {"version": "1.2"}, "id": "other", "subject": "other", "time": "nonsense"},
}


def test_the_envelope_goes_before_its_data() -> None:
    found = event("cloudevents", ENVELOPE)
    assert (found.id, found.source, found.kind, found.subject) == ("A-1", "/ci/acme", "change.deployed", "deployment-7")
    assert (found.service, at(found)) == ("shop", "2026-03-10T12:00:00Z")
    assert found.labels == {"version": "1.2", "traceparent": "00-abc"}


def test_data_speaks_where_the_envelope_is_silent() -> None:
    body = ENVELOPE | {"subject": None, "time": None, "data": {"subject": "s", "time": "2026-03-10T11:00:00+01:00"}}
    assert (event("cloudevents", body).subject, at(event("cloudevents", body))) == ("s", "2026-03-10T10:00:00Z")


def test_without_a_time_that_of_the_receipt_stands_in() -> None:
    found = event("cloudevents", {name: ENVELOPE[name] for name in ("specversion", "type", "source", "id")})
    assert (found.time, found.marks) == (RECEIVED_AT, (Mark.TIME_FROM_RECEIPT,))


def test_a_batch() -> None:
    found = outcome("cloudevents", [ENVELOPE, ENVELOPE | {"type": "com.example.x"}, 5, ENVELOPE | {"id": "A-2"}])
    assert [one.id for one in found.events] == ["A-1", "A-2"]
    assert [(one.index, one.reason) for one in found.skipped] == [(1, Ignored.UNKNOWN_TYPE)]
    assert [(one.index, one.reason) for one in found.refusals] == [(2, Rejected.NOT_AN_EVENT)]


def test_an_evaluation_of_a_flag_sets_nothing() -> None:
    """OpenTelemetry sends one for each time that a program asks for a flag."""
    evaluation = ENVELOPE | {"type": "feature_flag.evaluation", "data": {"feature_flag.key": "new-checkout"}}
    assert left_out("cloudevents", evaluation) == Ignored.UNKNOWN_TYPE


def test_a_structured_body_goes_before_headers_beside_it() -> None:
    beside = {"ce-id": "B-9", "ce-type": "other", "ce-source": "/other", "ce-specversion": "1.0"}
    found = event("cloudevents", ENVELOPE, beside | {"content-type": "application/cloudevents+json"})
    assert found == event("cloudevents", ENVELOPE)


def test_binary_mode() -> None:
    headers = {f"ce-{name}": str(ENVELOPE[name]) for name in ("specversion", "type", "source", "id", "time", "subject")}
    found = event("cloudevents", {"service": "shop"}, headers | {"content-type": "application/json"})
    assert (found.id, found.service, found.subject) == ("A-1", "shop", "deployment-7")


def test_data_may_be_encoded() -> None:
    encoded = base64.b64encode(json.dumps({"service": "shop"}).encode()).decode()
    body = {name: value for name, value in ENVELOPE.items() if name != "data"}
    assert event("cloudevents", body | {"data_base64": encoded}).service == "shop"
    assert refused("cloudevents", body | {"data_base64": "!"}) == Rejected.NOT_AN_EVENT
    assert refused("cloudevents", body | {"data_base64": "AAAA"}) == Rejected.NUL_BYTE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ""}, Rejected.MISSING_FIELD),
        ({"source": None}, Rejected.MISSING_FIELD),
        ({"specversion": "0.3"}, Rejected.NOT_AN_EVENT),
        ({"type": "nearmiss.alert.sneezed"}, Rejected.UNKNOWN_KIND),
        ({"time": "2026-03-10T12:00:00"}, Rejected.TIME_WITHOUT_OFFSET),
        ({"data": "text"}, Rejected.NOT_AN_EVENT),
    ],
)
def test_what_cannot_be_read(changes: dict[str, Any], reason: Rejected) -> None:
    assert refused("cloudevents", ENVELOPE | changes) == reason


def cd(what: str, content: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "context": {
            "specversion": "0.4.1",
            "id": "cd-1",
            "source": "/pipelines/acme",
            "type": f"dev.cdevents.{what}.0.3.0",
            "timestamp": "2026-03-10T12:00:00.25Z",
        },
        "subject": {"id": "shop", "content": content or {}},
    } | more


@pytest.mark.parametrize(
    ("what", "content", "kind"),
    [
        ("service.deployed", {}, "change.deployed"),
        ("service.upgraded", {}, "change.deployed"),
        ("service.rolledback", {}, "change.rolled_back"),
        ("service.removed", {}, "change.deleted"),
        ("environment.modified", {}, "change.configured"),
        ("environment.deleted", {}, "change.deleted"),
        ("incident.detected", {}, "alert.fired"),
        ("incident.reported", {}, "incident.opened"),
        ("incident.resolved", {}, "incident.closed"),
        ("pipelinerun.started", {}, "change.started"),
        ("pipelinerun.finished", {"outcome": "failure"}, "change.failed"),
        ("pipelinerun.finished", {"outcome": "cancel"}, "change.held"),
        ("change.merged", {}, "change.merged"),
        ("artifact.published", {}, "change.merged"),
        ("approval.closed", {"decision": "approved"}, "note.added"),
        ("approval.closed", {"decision": "rejected"}, "change.blocked"),
    ],
)
def test_cd_events(what: str, content: dict[str, Any], kind: str) -> None:
    found = event("cdevents", cd(what, content))
    assert (found.id, found.source, found.kind, found.subject) == ("cd-1", "/pipelines/acme", kind, "shop")
    assert at(found) == "2026-03-10T12:00:00.250000Z"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("pipelinerun.finished", Ignored.NOT_RELEVANT),
        ("ticket.created", Ignored.NOT_RELEVANT),
        ("testsuiterun.finished", Ignored.NOT_RELEVANT),
        ("moon.rose", Ignored.UNKNOWN_TYPE),
    ],
)
def test_cd_events_that_give_nothing(what: str, reason: Ignored) -> None:
    assert left_out("cdevents", cd(what, {"outcome": "success"})) == reason


def test_what_a_deployment_tells() -> None:
    content = {
        "environment": {"id": "production"},
        "artifactId": "pkg:oci/shop@sha256%3A00ff?tag=1",
        "user": "ci-bot-acme",
    }
    found = event("cdevents", cd("service.upgraded", content))
    assert (found.service, found.environment) == ("shop", "production")
    assert found.labels["version"] == "sha256:00ff"
    assert found.actor == Actor("ci-bot-acme", "automation")


def test_what_an_incident_tells() -> None:
    content = {"description": "slow", "service": {"id": "shop"}, "environment": {"id": "production"}}
    custom = {"threshold": "100ms", "value": "200ms"}
    found = event("cdevents", cd("incident.detected", content, customData=custom))
    assert (found.service, found.environment, found.title) == ("shop", "production", "slow")
    assert (found.value, found.limit, found.unit, found.bound) == (200.0, 100.0, "ms", "max")
    unlike = event("cdevents", cd("incident.detected", content, customData={"threshold": "1s", "value": "200ms"}))
    assert (unlike.value, unlike.limit) == (None, None)
    reported = event("cdevents", cd("incident.reported", content, customData={"reportedBy": "ann"}))
    assert reported.actor == Actor("ann", "human")


def test_names_of_pipelines_artifacts_and_environments() -> None:
    assert event("cdevents", cd("pipelinerun.started", {"pipelineName": "release"})).service == "release"
    environment = event("cdevents", cd("environment.created", {"name": "staging"}))
    assert (environment.service, environment.environment) == (None, "staging")
    artifact = cd("artifact.published") | {"subject": {"id": "pkg:golang/acme/shop@1.2"}}
    assert (event("cdevents", artifact).service, event("cdevents", artifact).labels["version"]) == (
        "pkg:golang/acme/shop",
        "1.2",
    )


def test_a_cd_event_inside_of_a_cloud_event() -> None:
    inner = cd("service.deployed")
    body = ENVELOPE | {
        "type": "dev.cdevents.service.deployed.0.3.0",
        "id": "cd-1",
        "source": "/pipelines/acme",
        "data": inner,
    }
    assert event("cloudevents", body) == event("cdevents", inner)
    bare = body | {"data": {"subject": {"id": "shop"}}}
    assert event("cloudevents", bare).id == "cd-1"
    assert at(event("cloudevents", bare)) == "2026-03-10T12:00:00Z"


def test_several_cd_events_in_an_array() -> None:
    assert len(events("cdevents", [cd("service.deployed"), cd("service.removed")])) == 2
    without_id = cd("service.deployed")
    without_id["context"]["id"] = ""
    assert refused("cdevents", without_id) == Rejected.MISSING_FIELD
    assert refused("cdevents", {"context": {"type": "com.example"}}) == Rejected.NOT_AN_EVENT
