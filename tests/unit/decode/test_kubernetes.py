"""Kubernetes: repeats are one object, names lose their hashes, and the ordinary is left out."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.tools._kubernetes_names import service_of
from tests.unit.decode.deliveries import at, event, events, left_out, refused


def written(reason: str, message: str = "", **changes: Any) -> dict[str, Any]:
    return {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": "shop.1", "namespace": "web", "uid": "u-1", "creationTimestamp": "2026-03-10T12:00:00Z"},
        "involvedObject": {
            "kind": "Pod",
            "namespace": "web",
            "name": "shop-6f6b679f8f-5m7kq",
            "fieldPath": "spec.containers{app}",
        },
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": "2026-03-10T12:00:00Z",
        "lastTimestamp": "2026-03-10T12:04:00Z",
        "count": 4,
        "type": "Normal",
        "eventTime": None,
    } | changes


def test_a_warning_is_an_alert() -> None:
    found = event("kubernetes/eu", written("BackOff", "Back-off restarting", type="Warning"))
    assert (found.id, found.kind, found.service) == ("u-1:4", "alert.fired", "shop")
    assert (found.subject, found.severity) == ("pod/web/shop-6f6b679f8f-5m7kq", "warning")
    assert (at(found), found.actor) == ("2026-03-10T12:04:00Z", Actor("kubelet", "automation"))
    assert (found.labels["container"], found.labels["namespace"], found.environment) == ("app", "web", None)


def test_a_repeat_is_another_event_of_the_same_subject() -> None:
    one, two = events("kubernetes", {"items": [written("BackOff", type="Warning", count=n) for n in (1, 2)]})
    assert one.subject == two.subject
    assert one.id != two.id
    assert event("kubernetes", [written("BackOff", type="Warning", count=1)]) == one


@pytest.mark.parametrize(
    ("reason", "message", "kind"),
    [
        ("Killing", "Stopping container app", "change.restarted"),
        ("Pulled", 'Successfully pulled image "registry.example:5000/acme/shop:1.4" in 2s', "change.deployed"),
        ("ScalingReplicaSet", "Scaled up replica set shop-6f6b679f8f to 3", "change.scaled"),
        ("Issuing", "The certificate has been successfully issued", "change.rotated"),
        ("NodeNotReady", "", "alert.fired"),
        ("NodeReady", "", "alert.resolved"),
        ("DeploymentRollback", "Rolled back deployment to revision 2", "change.rolled_back"),
    ],
)
def test_reasons_that_say_something(reason: str, message: str, kind: str) -> None:
    assert event("kubernetes", written(reason, message)).kind == kind


@pytest.mark.parametrize(
    ("image", "name", "version"),
    [
        ("registry.example:5000/acme/shop:1.4", "registry.example:5000/acme/shop", "1.4"),
        ("shop", "shop", None),
        ("acme/shop@sha256:00ff", "acme/shop", "sha256:00ff"),
        ("acme/shop:2@sha256:00ff", "acme/shop", "sha256:00ff"),
    ],
)
def test_the_image_that_was_pulled(image: str, name: str, version: str | None) -> None:
    found = event("kubernetes", written("Pulled", f'Successfully pulled image "{image}" in 2s'))
    assert (found.labels["image"], found.labels.get("version")) == (name, version)


def test_an_image_that_was_there_already_deploys_nothing() -> None:
    message = 'Container image "shop:1" already present on machine'
    assert left_out("kubernetes", written("Pulled", message)) == Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("message", "labels"),
    [
        (
            "Scaled down replica set shop-66 to 1 from 2",
            {"direction": "down", "replicas": "1", "previous_replicas": "2"},
        ),
        ("Scaled up replica set shop-66 from 0 to 1", {"direction": "up", "replicas": "1", "previous_replicas": "0"}),
        ("Scaled up replica set shop-66 to 2", {"direction": "up", "replicas": "2", "replica_set": "shop-66"}),
    ],
)
def test_scaling(message: str, labels: dict[str, str]) -> None:
    about = {"kind": "Deployment", "namespace": "web", "name": "shop"}
    found = event("kubernetes", written("ScalingReplicaSet", message, involvedObject=about))
    assert labels.items() <= found.labels.items()
    assert (found.value, found.unit, found.subject) == (float(labels["replicas"]), "replicas", "deployment/web/shop")


def test_a_certificate_whose_issuing_began_is_not_rotated_yet() -> None:
    message = "Renewing certificate as renewal was scheduled at 2026-03-10 12:00:00 +0000 UTC"
    assert left_out("kubernetes", written("Issuing", message)) == Ignored.NOT_RELEVANT


def test_watch_events() -> None:
    modified = {"type": "MODIFIED", "object": written("BackOff", type="Warning")}
    assert event("kubernetes", modified).id == "u-1:4"
    assert left_out("kubernetes", modified | {"type": "DELETED"}) == Ignored.NOT_RELEVANT
    assert left_out("kubernetes", {"type": "BOOKMARK", "object": {}}) == Ignored.NOT_RELEVANT


def test_the_newer_api_group() -> None:
    body = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "shop.2", "namespace": "web", "uid": "u-2"},
        "regarding": {"kind": "Pod", "namespace": "web", "name": "db-0"},
        "reason": "Unhealthy",
        "note": "probe failed",
        "type": "Warning",
        "eventTime": "2026-03-10T12:00:00.000123Z",
        "series": {"count": 3, "lastObservedTime": "2026-03-10T12:09:00.000001Z"},
        "reportingController": "kubelet",
    }
    found = event("kubernetes", body)
    assert (found.id, found.service, at(found)) == ("u-2:3", "db", "2026-03-10T12:09:00.000001Z")
    assert found.title == "Unhealthy: probe failed"


@pytest.mark.parametrize(
    ("kind", "name", "service"),
    [
        ("Pod", "memory-hog-77bc84f698-8ddlj", "memory-hog"),
        ("Pod", "agent-x7k2p", "agent"),
        ("Pod", "db-12", "db"),
        ("Pod", "report-29012345-x7k2p", "report"),
        ("Pod", "standalone", "standalone"),
        ("Pod", "-5m7kq", "-5m7kq"),
        ("ReplicaSet", "shop-6f6b679f8f", "shop"),
        ("Job", "report-29012345", "report"),
        ("Deployment", "shop-6f6b679f8f", "shop-6f6b679f8f"),
        ("Node", "node-1", None),
    ],
)
def test_the_workload_behind_a_name(kind: str, name: str, service: str | None) -> None:
    assert service_of(kind, name) == service


def test_the_ordinary_and_the_unreadable() -> None:
    assert left_out("kubernetes", written("Scheduled")) == Ignored.NOT_RELEVANT
    assert left_out("kubernetes", {"kind": "List", "items": []}) == Ignored.EMPTY
    assert refused("kubernetes", {"kind": "Event"}) == Rejected.NOT_AN_EVENT
    assert refused("kubernetes", {"kind": "Pod"}) == Rejected.NOT_AN_EVENT
    nameless = written("BackOff", type="Warning", involvedObject={"kind": "Pod"})
    assert refused("kubernetes", nameless) == Rejected.MISSING_FIELD
    naive = written("BackOff", type="Warning", lastTimestamp="2026-03-10T12:00:00")
    assert refused("kubernetes", naive) == Rejected.TIME_WITHOUT_OFFSET
    bare = written("BackOff", type="Warning", metadata={}, count=None)
    assert event("kubernetes", bare).id == event("kubernetes", bare | {"message": "other"}).id
