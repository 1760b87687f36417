"""The audit log of Kubernetes: who ran kubectl, what each verb and subresource means, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, events, left_out, outcome

AT = "2026-03-10T12:00:00.123456Z"
IMAGE = {"template": {"spec": {"containers": [{"image": "registry.example/payments:1.4.2"}]}}}
RESTARTED = {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-03-10T12:00:00Z"}}}}


def entry(verb: str, resource: str = "deployments", sub: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request",
        "auditID": "a1",
        "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/shop/x",
        "verb": verb,
        "user": {"username": "dev@shop.example", "groups": ["sre", "system:authenticated"]},
        "objectRef": {"resource": resource, "namespace": "shop", "name": "payments", "subresource": sub},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": AT,
    } | more


@pytest.mark.parametrize(
    ("verb", "resource", "sub", "spec", "kind"),
    [
        ("patch", "deployments", "scale", {"replicas": 6}, "change.scaled"),
        ("patch", "deployments", None, {"replicas": 6}, "change.scaled"),
        ("patch", "deployments", None, IMAGE, "change.deployed"),
        ("patch", "deployments", None, RESTARTED, "change.restarted"),
        ("patch", "deployments", None, {"paused": True}, "change.held"),
        ("update", "deployments", None, {"strategy": {}}, "change.configured"),
        ("create", "deployments", None, IMAGE, "change.deployed"),
        ("create", "deployments", "rollback", {}, "change.rolled_back"),
        ("delete", "deployments", None, {}, "change.deleted"),
        ("delete", "pods", None, {}, "change.restarted"),
        ("create", "pods", "eviction", {}, "change.restarted"),
        ("create", "pods", "exec", {}, "change.ran"),
        ("create", "jobs", None, {}, "change.ran"),
        ("patch", "cronjobs", None, {"suspend": True}, "change.held"),
        ("patch", "configmaps", None, {}, "change.configured"),
        ("patch", "nodes", None, {"unschedulable": True}, "change.configured"),
        ("patch", "rollouts", None, IMAGE, "change.deployed"),
    ],
)
def test_what_was_done(verb: str, resource: str, sub: str | None, spec: dict[str, Any], kind: str) -> None:
    found = event("kubernetes", entry(verb, resource, sub, requestObject={"spec": spec}))
    assert (found.kind, at(found)) == (kind, AT)
    assert found.actor == Actor("dev@shop.example", "human")
    assert (found.id, found.labels["verb"]) == ("a1", verb)


def test_scaling_tells_the_replicas_and_a_deployment_its_image() -> None:
    scaled = event("kubernetes", entry("patch", "deployments", "scale", requestObject={"spec": {"replicas": 6}}))
    assert (scaled.value, scaled.unit, scaled.service) == (6.0, "replicas", "payments")
    deployed = event("kubernetes", entry("patch", requestObject={"spec": IMAGE}))
    assert (deployed.labels["version"], deployed.subject) == ("1.4.2", "deployment/shop/payments")


def test_an_undone_rollout_by_the_manager_that_kubectl_names() -> None:
    undone = entry("patch", requestURI="/x?fieldManager=kubectl-rollout", requestObject={"spec": IMAGE})
    assert event("kubernetes", undone).kind == "change.rolled_back"


@pytest.mark.parametrize(
    ("username", "kind"),
    [
        ("system:serviceaccount:argocd:argocd-application-controller", "automation"),
        ("system:node:node-1", "automation"),
        ("kubernetes-admin", "human"),
        ("deploy-bot", "automation"),
    ],
)
def test_accounts_of_the_system_are_automation(username: str, kind: str) -> None:
    found = event("kubernetes", entry("patch", user={"username": username}, requestObject={"spec": IMAGE}))
    assert found.actor == Actor(username, kind)  # type: ignore[arg-type]  # one of the kinds


@pytest.mark.parametrize(
    "left",
    [
        entry("get"),
        entry("watch"),
        entry("patch", stage="RequestReceived"),
        entry("update", "leases"),
        entry("update", "deployments", "status"),
        entry("patch", requestURI="/x?dryRun=All"),
        entry("create", "pods", user={"username": "system:serviceaccount:kube-system:replicaset-controller"}),
        entry("patch", responseStatus={"code": 409}),
    ],
)
def test_what_changed_nothing(left: dict[str, Any]) -> None:
    assert left_out("kubernetes", left) == Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("status", "kind", "guard"),
    [
        ({"code": 403, "message": "forbidden"}, "change.blocked", "permission"),
        ({"code": 400, "message": 'admission webhook "policy" denied the request'}, "change.blocked", "admission"),
        ({"code": 422, "message": "Invalid value"}, "change.failed", None),
    ],
)
def test_what_was_refused_and_by_what(status: dict[str, Any], kind: str, guard: str | None) -> None:
    found = event("kubernetes", entry("delete", responseStatus=status))
    assert (found.kind, found.labels.get("guard")) == (kind, guard)


def test_a_delivery_of_the_backend_and_the_lines_of_a_file() -> None:
    batch = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [entry("delete"), entry("get")]}
    found = outcome("kubernetes", batch)
    assert (len(found.events), found.ignored) == (1, {Ignored.NOT_RELEVANT: 1})
    lines = "\n".join(json.dumps(entry("delete", auditID=name)) for name in ("a", "b")).encode()
    assert [one.id for one in events("kubernetes", lines)] == ["a", "b"]
    assert outcome("kubernetes", lines + b"\n{").refused == {Rejected.NOT_JSON: 1}


def test_a_log_of_metadata_alone_tells_who_and_what() -> None:
    bare = entry("patch", level="Metadata")
    assert event("kubernetes", bare).kind == "change.deployed"
    nameless = entry("deletecollection", "pods", objectRef={"resource": "pods", "namespace": "shop"})
    assert (event("kubernetes", nameless).kind, event("kubernetes", nameless).service) == ("change.restarted", None)


def test_what_an_api_server_recorded() -> None:
    """Version 1.34: what it made for itself at its start, a role for us, and a deployment that came, grew and went."""
    lines = Path(__file__).with_name("kubernetes-1.34-audit.jsonl").read_bytes()
    found = outcome("kubernetes", lines)
    assert found.refused == {}
    told = [(one.kind, one.service, one.actor and one.actor.id) for one in found.events]
    assert told == [
        ("change.configured", "nearmiss", "ann@shop.example"),
        ("change.configured", "nearmiss", "ann@shop.example"),
        ("change.deployed", "checkout", "ann@shop.example"),
        ("change.scaled", "checkout", "ann@shop.example"),
        ("change.blocked", "checkout", "nearmiss"),
        ("change.deleted", "checkout", "ann@shop.example"),
        ("change.deployed", "basket", "ann@shop.example"),
    ]


def test_what_the_api_server_makes_for_itself_is_no_change() -> None:
    made = entry("create", "clusterroles", user={"username": "system:apiserver"})
    assert left_out("kubernetes", made) == Ignored.NOT_RELEVANT
