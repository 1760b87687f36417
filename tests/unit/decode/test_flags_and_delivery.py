"""Flags, GitOps and progressive delivery: who set what, what was applied, held, rolled back or failed."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored, Rejected
from tests.unit.decode.deliveries import at, event, events, left_out, refused

AT = "2026-03-10T12:00:00Z"

ENTRY = {
    "_id": "5e38",
    "date": 1_773_144_000_000,
    "kind": "flag",
    "key": "new-checkout",
    "verbKind": "updateOff",
    "project": {"key": "shop", "environment": {"key": "production"}},
    "member": {"email": "dev@shop.example", "displayName": "Dev One"},
}


def test_a_flag_of_launchdarkly() -> None:
    found = event("launchdarkly", ENTRY)
    assert (found.kind, found.environment, found.subject) == (
        "change.flag_set",
        "production",
        "flag/shop/new-checkout",
    )
    assert (found.actor, found.labels["actor_name"]) == (Actor("dev@shop.example", "human"), "Dev One")
    assert (found.labels["flag"], found.labels["state"], at(found)) == ("new-checkout", "off", AT)


def test_a_title_of_launchdarkly_names_the_flag_and_no_person() -> None:
    told = {"name": "New checkout", "titleVerb": "turned off the flag", "title": {"plainText": "Dev One turned off …"}}
    assert event("launchdarkly", ENTRY | told).title == "turned off the flag New checkout"
    assert event("launchdarkly", ENTRY | {"title": {"plainText": "A flag was set"}}).title == "A flag was set"


def test_launchdarkly_by_its_resources_and_by_a_token() -> None:
    resource = {"resources": ["proj/shop:env/production;live:flag/new-checkout;beta"]}
    entry = ENTRY | {"key": None, "project": None, "target": resource, "token": {"name": "terraform"}}
    found = event("launchdarkly", entry)
    assert (found.environment, found.labels["flag"]) == ("production", "new-checkout")
    assert found.actor == Actor("terraform", "automation")
    assert left_out("launchdarkly", ENTRY | {"kind": "member"}) == Ignored.NOT_RELEVANT
    assert left_out("launchdarkly", ENTRY | {"kind": "dream"}) == Ignored.UNKNOWN_TYPE
    assert event("launchdarkly", ENTRY | {"kind": "environment"}).kind == "change.configured"


@pytest.mark.parametrize(
    "told",
    [
        {"verbKind": "updateOff"},
        {"accesses": [{"action": "updateOn"}], "titleVerb": "turned off the flag"},
        {"titleVerb": "turned off the flag"},
        {"currentVersion": {"environments": {"production": {"on": False}, "test": {"on": True}}}},
        {"currentVersion": {"on": False}},
    ],
)
def test_launchdarkly_tells_in_several_ways_that_a_flag_is_off(told: dict[str, Any]) -> None:
    resource = {"resources": ["proj/shop:env/production:flag/new-checkout"]}
    plain = {key: value for key, value in ENTRY.items() if key not in ("project", "verbKind")}
    found = event("launchdarkly", plain | {"target": resource} | told)
    assert (found.labels["state"], found.labels["project"]) == ("off", "shop")


def test_unleash() -> None:
    entry = {"id": 28, "type": "feature-environment-disabled", "createdBy": "ann", "createdAt": AT}
    entry |= {"featureName": "new-checkout", "project": "shop", "environment": "production"}
    found = event("unleash", entry)
    assert (found.kind, found.environment, found.labels["state"]) == ("change.flag_set", "production", "off")
    assert len(events("unleash", {"events": [entry, entry | {"id": 29}]})) == 2
    assert left_out("unleash", entry | {"type": "user-created"}) == Ignored.NOT_RELEVANT
    assert event("unleash", entry | {"type": "project-updated"}).kind == "change.configured"


def test_flagsmith() -> None:
    state = {"enabled": False, "environment": {"name": "Production"}, "feature": {"name": "new_checkout"}}
    data = {"changed_by": "dev@shop.example", "timestamp": AT, "new_state": state, "previous_state": {"enabled": True}}
    found = event("flagsmith", {"event_type": "FLAG_UPDATED", "data": data})
    assert (found.environment, found.labels["state"], found.labels["previous_state"]) == ("Production", "off", "on")
    assert found.actor == Actor("dev@shop.example", "human")
    gone = {"event_type": "FLAG_DELETED", "data": {"timestamp": AT, "previous_state": state, "new_state": None}}
    assert event("flagsmith", gone).title == "flag new_checkout deleted"
    assert left_out("flagsmith", {"event_type": "DREAM", "data": {}}) == Ignored.UNKNOWN_TYPE


def flux(reason: str, severity: str = "info", kind: str = "Kustomization", **metadata: Any) -> dict[str, Any]:
    return {
        "involvedObject": {"kind": kind, "name": "payments", "namespace": "apps"},
        "severity": severity,
        "reason": reason,
        "message": "m",
        "timestamp": AT,
        "metadata": {"kustomize.toolkit.fluxcd.io/revision": "main@sha1:731f7eaddfb6af01"} | metadata,
    }


@pytest.mark.parametrize(
    ("reason", "severity", "about", "kind"),
    [
        ("ReconciliationSucceeded", "info", "Kustomization", "change.deployed"),
        ("UpgradeSucceeded", "info", "HelmRelease", "change.deployed"),
        ("RollbackSucceeded", "info", "HelmRelease", "change.rolled_back"),
        ("UpgradeFailed", "error", "HelmRelease", "change.failed"),
        ("HealthCheckFailed", "error", "Kustomization", "change.failed"),
        ("NewArtifact", "info", "GitRepository", "change.merged"),
        ("UninstallSucceeded", "info", "HelmRelease", "change.deleted"),
        ("DriftDetected", "info", "HelmRelease", "alert.fired"),
        ("SomethingNew", "error", "Kustomization", "change.failed"),
    ],
)
def test_flux(reason: str, severity: str, about: str, kind: str) -> None:
    found = event("flux", flux(reason, severity, about, env="production"))
    assert (found.kind, found.service, found.environment) == (kind, "payments", "production")
    assert found.labels["commit"] == "731f7eaddfb6af01"


def test_flux_that_says_nothing() -> None:
    assert left_out("flux", flux("DependencyNotReady")) == Ignored.NOT_RELEVANT
    assert left_out("flux", flux("ReconciliationSucceeded", kind="GitRepository")) == Ignored.NOT_RELEVANT
    assert left_out("flux", flux("SomethingNew")) == Ignored.UNKNOWN_TYPE


def canary(phase: str, message: str | None = None, kind: str = "Normal") -> dict[str, Any]:
    metadata = {"eventMessage": message, "eventType": kind, "timestamp": "1773144000000"} if message else {}
    return {"name": "payments", "namespace": "shop", "phase": phase, "checksum": "85d5", "metadata": metadata}


@pytest.mark.parametrize(
    ("phase", "message", "kind_of", "kind"),
    [
        ("Progressing", "New revision detected! Scaling up payments.shop", "Normal", "change.started"),
        ("Progressing", "Halt payments.shop advancement success rate 69.17% < 99%", "Warning", "alert.fired"),
        ("Failed", "Rolling back payments.shop failed checks threshold reached 5", "Warning", "change.held"),
        ("Failed", "Canary failed! Scaling down payments.shop", "Warning", "change.held"),
        ("Succeeded", "Promotion completed! Scaling down payments.shop", "Normal", "change.deployed"),
        ("Succeeded", None, "Normal", "change.deployed"),
        ("Failed", None, "Normal", "change.held"),
    ],
)
def test_flagger(phase: str, message: str | None, kind_of: str, kind: str) -> None:
    found = event("flagger", canary(phase, message, kind_of))
    assert (found.kind, found.service) == (kind, "payments")


def test_the_margin_of_a_canary() -> None:
    found = event("flagger", canary("Progressing", "Halt x advancement success rate 69.17% < 99%", "Warning"))
    assert (found.value, found.limit, found.unit, found.bound) == (69.17, 99.0, "percent", "min")
    assert (found.labels["stage"], found.labels["check"]) == ("canary", "success rate")
    assert left_out("flagger", canary("Progressing", "Advance x canary weight 20")) == Ignored.NOT_RELEVANT
    assert left_out("flagger", canary("Waiting")) == Ignored.NOT_RELEVANT


def application(phase: str = "Succeeded", history: list[str] | None = None, **state: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {"phase": phase, "startedAt": "2026-03-10T11:59:00Z", "finishedAt": AT}
    operation |= {"syncResult": {"revision": "b2"}, "operation": {"initiatedBy": {"username": "ann"}}} | state
    status = {"operationState": operation, "history": [{"revision": one} for one in history or []]}
    return {"metadata": {"name": "payments", "uid": "u", "labels": {"env": "production"}}, "status": status}


@pytest.mark.parametrize(
    ("phase", "kind"),
    [
        ("Succeeded", "change.deployed"),
        ("Running", "change.started"),
        ("Failed", "change.failed"),
        ("Terminating", "change.held"),
    ],
)
def test_a_sync(phase: str, kind: str) -> None:
    found = event("argo", {"application": application(phase)})
    assert (found.kind, found.environment, found.actor) == (kind, "production", Actor("ann", "human"))
    assert found.labels["version"] == "b2"
    assert event("argocd", {"app": application(phase)}).kind == kind


def test_a_sync_to_what_ran_before_is_a_rollback() -> None:
    undone = event("argo", {"application": application(history=["a1", "b2", "c3", "b2"])})
    assert (undone.kind, undone.labels["previous_version"]) == ("change.rolled_back", "c3")
    assert event("argo", {"application": application(history=["a1", "b2"])}).kind == "change.deployed"
    again = application(history=["a1", "b2", "b2"])
    assert event("argo", {"application": again}).kind == "change.deployed"


def test_an_automated_sync_and_the_health() -> None:
    automated = application(operation={"initiatedBy": {"automated": True}})
    assert event("argo", {"application": automated}).actor == Actor(None, "automation")
    ill = application()
    ill["status"]["health"] = {"status": "Degraded", "message": "0 of 2", "lastTransitionTime": AT}
    found = event("argo", {"trigger": "health", "application": ill})
    assert (found.kind, found.title) == ("alert.fired", "payments is degraded: 0 of 2")
    ill["status"]["health"]["status"] = "Healthy"
    assert event("argo", {"trigger": "on-health-degraded", "application": ill}).kind == "alert.resolved"


def rollout(**status: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"image": "registry.example:5000/payments:1.4.2"}]}}
    return {"kind": "Rollout", "metadata": {"name": "payments", "namespace": "shop"}, "status": status} | {
        "spec": {"template": template}
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"phase": "Degraded", "abort": True, "abortedAt": AT}, "change.held"),
        (
            {"phase": "Paused", "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": AT}]},
            "change.held",
        ),
        ({"phase": "Degraded"}, "change.failed"),
        ({"phase": "Healthy"}, "change.deployed"),
        ({"phase": "Progressing"}, "change.started"),
    ],
)
def test_a_rollout(status: dict[str, Any], kind: str) -> None:
    found = event("argo-rollouts", {"rollout": rollout(**status)})
    assert (found.kind, found.service, found.labels["version"]) == (kind, "payments", "1.4.2")


def test_a_planned_pause_and_other_objects() -> None:
    paused = rollout(phase="Paused", pauseConditions=[{"reason": "CanaryPauseStep", "startTime": AT}])
    assert left_out("argo", paused) == Ignored.NOT_RELEVANT
    assert left_out("argo", {"kind": "Workflow", "metadata": {"name": "x"}}) == Ignored.UNKNOWN_TYPE
    assert refused("argo", {"application": {"metadata": {}}}) == Rejected.MISSING_FIELD


def run(trigger: str, status: str, **more: Any) -> dict[str, Any]:
    item = {"trigger": trigger, "run_status": status, "run_updated_at": AT, "run_updated_by": None}
    return {"run_id": "run-1", "workspace_name": "payments", "run_created_by": "ann", "notifications": [item]} | more


@pytest.mark.parametrize(
    ("trigger", "status", "kind"),
    [
        ("run:created", "pending", "change.started"),
        ("run:completed", "applied", "change.configured"),
        ("run:errored", "errored", "change.failed"),
        ("run:completed", "discarded", "change.held"),
        ("run:errored", "policy_soft_failed", "change.blocked"),
        ("assessment:drifted", "", "alert.fired"),
    ],
)
def test_a_run_of_terraform(trigger: str, status: str, kind: str) -> None:
    assert event("terraform-cloud", run(trigger, status)).kind == kind


def test_a_run_that_a_policy_stops_says_so() -> None:
    assert event("terraform-cloud", run("run:errored", "policy_soft_failed")).labels["guard"] == "policy"
    assert "guard" not in event("terraform-cloud", run("run:errored", "errored")).labels


def test_runs_that_change_nothing() -> None:
    assert left_out("terraform-cloud", run("run:completed", "planned_and_finished")) == Ignored.NOT_RELEVANT
    assert left_out("terraform-cloud", run("run:needs_attention", "planned")) == Ignored.NOT_RELEVANT
    assert left_out("terraform-cloud", run("verification", "")) == Ignored.HANDSHAKE
    assert left_out("terraform-cloud", run("dream", "")) == Ignored.UNKNOWN_TYPE
