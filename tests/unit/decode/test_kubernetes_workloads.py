"""Workloads as a watch delivers them: one event for each generation, with the program that changed it."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor
from tests.unit.decode.deliveries import at, event, events

CHANGED = "2026-03-10T11:58:00Z"


def managed(manager: str, fields: dict[str, Any], time: str = CHANGED, **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": {"f:spec": fields}, **more}


def deployment(*entries: dict[str, Any], restarted: str | None = None, **spec: Any) -> dict[str, Any]:
    template: dict[str, Any] = {"spec": {"containers": [{"name": "app", "image": "registry.example/acme/shop:1.4"}]}}
    if restarted is not None:
        template["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": restarted}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "shop",
            "namespace": "web",
            "uid": "d-1",
            "generation": 7,
            "creationTimestamp": "2026-01-05T09:00:00Z",
            "annotations": {"deployment.kubernetes.io/revision": "5"},
            "managedFields": [
                {
                    "manager": "kube-controller-manager",
                    "operation": "Update",
                    "time": "2026-03-10T11:59:00Z",
                    "subresource": "status",
                    "fieldsV1": {"f:status": {}},
                },
                *entries,
            ],
        },
        "spec": {"replicas": 3, "template": template, **spec},
    }


def watched(found: dict[str, Any], type: str = "MODIFIED") -> dict[str, Any]:
    return {"type": type, "object": found}


IMAGE = managed("helm", {"f:template": {"f:spec": {}}}, "2026-03-01T08:00:00Z")


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (deployment(IMAGE), "change.deployed"),
        (deployment(IMAGE, managed("kubectl", {"f:replicas": {}}, subresource="scale")), "change.scaled"),
        (deployment(IMAGE, managed("keda", {"f:replicas": {}})), "change.scaled"),
        (deployment(IMAGE, managed("kubectl-rollout", {"f:template": {}})), "change.rolled_back"),
        (
            deployment(IMAGE, managed("kubectl-rollout", {"f:template": {}}), restarted="2026-03-10T12:58:00+01:00"),
            "change.restarted",
        ),
        # It was restarted before, and now undone.
        (
            deployment(IMAGE, managed("kubectl-rollout", {"f:template": {}}), restarted="2026-02-10T12:58:00+01:00"),
            "change.rolled_back",
        ),
        (deployment(IMAGE, managed("kubectl-patch", {"f:paused": {}}), paused=True), "change.held"),
    ],
)
def test_the_last_change_tells_the_kind(found: dict[str, Any], kind: str) -> None:
    assert event("kubernetes", watched(found)).kind == kind


def test_it_says_what_when_and_by_which_program() -> None:
    found = event("kubernetes/eu", watched(deployment(IMAGE, managed("kubectl-edit", {"f:template": {}}))))
    assert (found.id, found.kind, found.service) == ("d-1:7", "change.deployed", "shop")
    assert (found.subject, at(found)) == ("deployment/web/shop", CHANGED)
    assert found.actor == Actor("kubectl-edit", "human")
    told = {name: found.labels[name] for name in ("manager", "image", "version", "revision", "generation")}
    assert told == {
        "manager": "kubectl-edit",
        "image": "registry.example/acme/shop:1.4",
        "version": "1.4",
        "revision": "5",
        "generation": "7",
    }
    by_pipeline = event("kubernetes", watched(deployment(managed("kubectl-set", {"f:template": {}}))))
    assert (by_pipeline.actor, by_pipeline.labels["manager"]) == (None, "kubectl-set")
    assert event("kubernetes", watched(deployment(IMAGE))).actor == Actor("helm", "automation")


def test_what_becomes_of_a_change_is_the_same_event() -> None:
    before, after = deployment(IMAGE), deployment(IMAGE)
    after["metadata"]["managedFields"][0]["time"] = "2026-03-10T12:30:00Z"
    after["status"] = {"readyReplicas": 3}
    one, two = events("kubernetes", [watched(before), watched(after)])
    assert one == two


def test_an_object_of_a_list_is_named_beside_it() -> None:
    bare = deployment(IMAGE)
    del bare["kind"], bare["metadata"]["managedFields"]
    found = event("kubernetes", {"type": "ADDED", "kind": "Deployment", "object": bare})
    assert (found.kind, at(found), found.actor) == ("change.deployed", "2026-01-05T09:00:00Z", None)


def test_what_is_deleted_is_gone_at_the_time_of_receipt() -> None:
    found = event("kubernetes", watched(deployment(IMAGE), "DELETED"))
    assert (found.id, found.kind, found.actor) == ("d-1:deleted", "change.deleted", None)
    assert at(found) == "2026-03-10T12:00:00Z"


UNTIMED = {
    "manager": "kubectl",
    "operation": "Update",
    "subresource": "scale",
    "fieldsV1": {"f:spec": {"f:replicas": {}}},
}
"""As an API server of version 1.37 writes `kubectl scale`."""


def test_a_scaling_that_has_no_time_is_meant_where_no_other_change_is_new() -> None:
    found = event("kubernetes", watched(deployment(UNTIMED, IMAGE)))
    assert (found.kind, found.value, found.labels["manager"]) == ("change.scaled", 3, "kubectl")
    assert at(found) == "2026-03-10T12:00:00Z", "a watch delivers it as it happens"


def test_after_a_scaling_a_new_image_is_a_deployment() -> None:
    new = managed("kubectl-set", {"f:template": {}}, "2026-03-10T11:59:58Z")
    assert event("kubernetes", watched(deployment(UNTIMED, IMAGE, new))).kind == "change.deployed"
    # Of a list nobody knows when it was scaled.
    assert event("kubernetes", watched(deployment(UNTIMED, IMAGE), "ADDED")).kind == "change.deployed"
