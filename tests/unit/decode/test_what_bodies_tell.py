"""What bodies say in passing, and must not be lost: who decided, where it runs, what was measured, what was written."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored
from monitor.decode.named_places import named_place
from monitor.decode.repository_paths import is_of_many, told_by
from monitor.decode.reversals import reverts
from tests.unit.decode.deliveries import at, event, left_out

AT = "2026-03-10T12:00:00Z"


@pytest.mark.parametrize(
    ("service", "labels", "environment"),
    [
        ("checkout-production", {}, "production"),
        ("Checkout Staging", {}, "staging"),
        ("search", {"namespace": "staging"}, "staging"),
        ("search", {"namespace": "shop-dev"}, "dev"),
        ("search", {"namespace": "shop", "cluster": "prod-eu-1"}, "prod"),
        ("search", {"cluster": "eu-1-staging"}, "staging"),
        ("search", {"namespace": "staging", "cluster": "prod-eu"}, "staging"),
        ("search", {"resource_group": "rg-shop-prod"}, "prod"),
        ("pay-checks", {"tags": "production,media"}, "production"),
        ("shop-preprod", {}, "preprod"),
        # A name that has such a word for another reason says nothing.
        ("dev-portal", {}, None),
        ("test", {}, None),
        ("ab-test", {}, None),
        ("search", {"namespace": "live-chat"}, None),
        ("search", {"namespace": "production-planning"}, None),
        ("search", {"tags": "production,staging"}, None),
        ("search", {"cluster": "eu-1"}, None),
        (None, {}, None),
    ],
)
def test_names_say_where_something_runs(service: str | None, labels: dict[str, str], environment: str | None) -> None:
    assert named_place(service, labels) == environment


def test_an_environment_that_is_said_goes_before_one_in_a_name() -> None:
    alert = {"status": "firing", "startsAt": AT, "fingerprint": "f1"}
    said = {"alertname": "Slow", "namespace": "staging", "environment": "qa"}
    assert event("alertmanager", {"alerts": [alert | {"labels": said}]}).environment == "qa"
    del said["environment"]
    assert event("alertmanager", {"alerts": [alert | {"labels": said}]}).environment == "staging"


@pytest.mark.parametrize("name", ["Watchdog", "InfoInhibitor", "DeadMansSwitch"])
def test_an_alert_that_always_fires_is_none(name: str) -> None:
    alert = {"status": "firing", "startsAt": AT, "labels": {"alertname": name, "severity": "none"}}
    assert left_out("alertmanager", {"alerts": [alert]}) == Ignored.NOT_RELEVANT


@pytest.mark.parametrize(
    ("paths", "app", "environment"),
    [
        (["apps/checkout/values.yaml", "apps/checkout/hpa.yaml"], "checkout", None),
        (["clusters/staging/basket/release.yaml"], "basket", "staging"),
        (["environments/prod/basket.yaml"], "basket", "prod"),
        (["apps/basket/overlays/production/patch.yaml"], "basket", "production"),
        (["services/checkout/src/main/App.java"], "checkout", None),
        (["apps/checkout/values.yaml", "apps/search/values.yaml"], None, None),
        (["src/pay.py", "README.md"], None, None),
        (["deploy/values.yaml"], None, None),
        ([], None, None),
    ],
)
def test_the_paths_of_a_repository_of_many(paths: list[str], app: str | None, environment: str | None) -> None:
    found = told_by(paths)
    assert (found["app"], found["environment"]) == (app, environment)


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("gitops", True),
        ("acme-gitops", True),
        ("gitops-prod", True),
        ("fleet-infra", True),
        ("k8s-manifests", True),
        ("argocd-apps", True),
        ("helm-charts", True),
        ("fleet", False),
        ("checkout", False),
        ("infra-data", False),
        ("manifests-api", False),
        (None, False),
    ],
)
def test_a_repository_that_deploys_all_is_no_service(name: str | None, many: bool) -> None:
    assert is_of_many(name) is many


def test_a_merge_to_a_repository_that_deploys_all_names_none() -> None:
    merge = {
        "object_kind": "merge_request",
        "user": {"username": "ann"},
        "project": {"name": "gitops", "path_with_namespace": "acme/gitops"},
        "object_attributes": {"id": 1, "iid": 7, "title": "basket: more", "action": "merge", "updated_at": AT},
    }
    found = event("gitlab", merge)
    assert (found.service, found.labels["repository"]) == (None, "acme/gitops")
    repository = {"name": "gitops", "full_name": "acme/gitops", "default_branch": "main"}
    pull = {"id": 1, "number": 7, "merged": True, "merged_at": AT, "title": "basket: more"}
    found = event("github", {"action": "closed", "pull_request": pull, "repository": repository})
    assert (found.service, found.labels["service_id"]) == (None, "acme/gitops")


def test_a_push_of_gitlab_says_which_application() -> None:
    push = {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "after": "c1",
        "project": {"name": "fleet", "path_with_namespace": "acme/fleet", "default_branch": "main"},
        "commits": [{"id": "c1", "title": "more", "timestamp": AT, "modified": ["apps/basket/values.yaml"]}],
    }
    assert event("gitlab", push).labels["app"] == "basket"


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        ('Revert "rotate the key"', True),
        ("revert: rotate the key", True),
        ("Merge pull request #12 from acme/revert-11-rotate", True),
        ("rotate\n\nThis reverts commit 0a1b2c3d.", True),
        ("Revert to the old client as soon as we can", False),
        ("rotate the key", False),
        (None, False),
    ],
)
def test_words_that_take_something_back(message: str | None, is_one: bool) -> None:
    assert reverts(message) is is_one


def run_of_terraform(trigger: str, status: str, **said: Any) -> dict[str, Any]:
    own = {
        "run_id": "run-1",
        "run_created_by": "maker",
        "workspace_name": "ledger-production",
        "organization_name": "acme",
    }
    return own | said | {
        "notifications": [
            {"trigger": trigger, "run_status": status, "run_updated_at": AT, "run_updated_by": said.get("by")}
        ]
    }  # fmt: skip


def test_who_discards_a_run_holds_it_and_not_who_made_it() -> None:
    found = event("terraform-cloud", run_of_terraform("run:errored", "discarded", by="reviewer"))
    assert (found.kind, found.actor) == ("change.held", Actor("reviewer", "human"))
    assert (found.environment, found.labels["created_by"]) == ("production", "maker")
    assert found.labels["service_id"] == "acme/ledger-production"
    made = event("terraform-cloud", run_of_terraform("run:created", "pending", by="reviewer"))
    assert made.actor == Actor("maker", "human")


def test_a_run_that_reverts_takes_back() -> None:
    run = run_of_terraform("run:completed", "applied", run_message='Revert "rotate the key"')
    assert event("terraform-cloud", run).kind == "change.rolled_back"


def test_what_somebody_writes_is_the_title_of_their_note() -> None:
    jira = {
        "webhookEvent": "comment_created",
        "comment": {"id": "1", "author": {"accountId": "5f"}, "body": "Moved the message\nto the dead letters."},
        "issue": {"key": "OPS-1", "fields": {"summary": "The queue grows", "issuetype": {"name": "Incident"}}},
    }
    found = event("jira", jira)
    assert (found.kind, found.title) == ("note.added", "Moved the message to the dead letters.")
    assert (found.labels["text"], found.labels["about"]) == (
        "Moved the message\nto the dead letters.",
        "The queue grows",
    )
    gitlab = {
        "object_kind": "note",
        "user": {"username": "ann", "name": "Ann Lee", "email": "[REDACTED]"},
        "project": {"name": "fleet", "path_with_namespace": "acme/fleet"},
        "object_attributes": {
            "id": 1,
            "note": "Please hold the other bumps.",
            "noteable_type": "Issue",
            "created_at": AT,
        },
        "issue": {"iid": 5, "title": "Move to the new base image"},
    }
    found = event("gitlab", gitlab)
    assert (found.title, found.labels["about"]) == ("Please hold the other bumps.", "Move to the new base image")
    # Everybody's address would be the same, and they all one person.
    assert "actor_email" not in found.labels


def test_an_incident_of_jira_keeps_its_description_in_either_form() -> None:
    fields = {"summary": "payouts wait", "issuetype": {"name": "Incident"}, "description": "Cut-off is at 17:00."}
    issue = {"webhookEvent": "jira:issue_created", "issue": {"key": "OPS-2", "fields": fields}}
    assert event("jira", issue).labels["description"] == "Cut-off is at 17:00."
    paragraph = {
        "type": "paragraph",
        "content": [{"type": "text", "text": "Cut-off is"}, {"type": "text", "text": "at 17:00."}],
    }
    fields["description"] = {"type": "doc", "content": [paragraph]}
    assert event("jira", issue).labels["description"] == "Cut-off is at 17:00."


@pytest.mark.parametrize(
    ("field", "value", "impact"),
    [
        ("Customer impact", "None", "none"),
        ("Customers impacted", "12", "users"),
        ("Customers impacted", "0", "none"),
        ("Customer impact", "0 customers", "none"),
        ("Customer impact", "N/A", "none"),
        ("Customer impact", "Nobody", "none"),
        ("Customer impact", "false", "none"),
        ("User impact", "No impact", "none"),
        ("Customer Impact", "Customers affected", "users"),
        ("Customer impact", "Investigating", "unknown"),
        ("Affected team", "Search", "unknown"),
    ],
)
def test_an_own_field_of_incident_io_says_whether_users_are_hit(field: str, value: str, impact: str) -> None:
    entry = {"custom_field": {"name": field}, "values": [{"value_option": {"value": value}}]}
    name = "public_incident.incident_created_v2"
    incident = {"id": "01F", "name": "x", "created_at": AT, "custom_field_entries": [entry]}
    assert event("incident-io", {"event_type": name, name: incident}).labels["impact"] == impact


def test_an_integration_of_opsgenie_is_no_person_and_its_entity_is_a_host() -> None:
    alert = {
        "alertId": "a1",
        "message": "disk",
        "username": "Zabbix",
        "createdAt": 1773144000000,
        "entity": "ledger-db-2",
    }
    found = event("opsgenie", {"action": "Create", "alert": alert, "source": {"name": "Zabbix", "type": "API"}})
    assert (found.actor, found.labels["host"]) == (Actor("Zabbix", "automation"), "ledger-db-2")
    wordy = alert | {"entity": "the disk of the ledger"}
    found = event("opsgenie", {"action": "Create", "alert": wordy, "source": {"name": "Zabbix", "type": "API"}})
    assert "host" not in found.labels


def application(images: list[str], name: str = "shop-production") -> dict[str, Any]:
    state = {"phase": "Succeeded", "finishedAt": AT, "syncResult": {"revision": "9c1f0a7b"}}
    status = {"operationState": state, "summary": {"images": images}}
    return {"application": {"metadata": {"name": name}, "status": status}}


def test_the_version_of_a_sync_is_what_runs() -> None:
    found = event("argo", application(["registry.example:5000/acme/shop:4.1.0"]))
    assert (found.labels["version"], found.labels["commit"], found.environment) == ("4.1.0", "9c1f0a7b", "production")
    two = event("argo", application(["acme/shop:4.1.0", "acme/proxy:2"]))
    assert two.labels["version"] == "9c1f0a7b"
    assert event("argo", application(["registry.example:5000/acme/shop"])).labels["version"] == "9c1f0a7b"


def test_flux_names_the_one_workload_that_it_changed() -> None:
    about = {"kind": "Kustomization", "name": "apps", "namespace": "flux-system"}
    body = {"involvedObject": about, "severity": "info", "reason": "ReconciliationSucceeded", "timestamp": AT}
    one = event("flux", body | {"message": "ConfigMap/shop/basket configured\nDeployment/shop/basket configured"})
    assert (one.labels["deployment"], "\n" in (one.title or "")) == ("basket", False)
    many = event("flux", body | {"message": "Deployment/shop/basket configured\nDeployment/shop/search configured"})
    assert "deployment" not in many.labels


def canary(message: str, phase: str = "Progressing") -> dict[str, Any]:
    metadata = {"eventMessage": message, "eventType": "Warning", "timestamp": "1773144000000"}
    return {"name": "basket", "namespace": "shop", "phase": phase, "metadata": metadata}


def test_a_gate_of_a_canary_is_no_hazard_and_closing_it_is_somebodys_act() -> None:
    gate = canary("Halt basket.shop advancement waiting for promotion approval gate", "WaitingPromotion")
    assert left_out("flagger", gate) == Ignored.NOT_RELEVANT
    held = event("flagger", canary("Rolling back basket.shop manual webhook invoked"))
    assert (held.kind, held.actor) == ("change.held", Actor(kind="human"))
    failed = event("flagger", canary("Rolling back basket.shop failed checks threshold reached 5"))
    assert failed.actor == Actor("flagger", "automation")


def test_a_flag_that_stays_on_got_another_value() -> None:
    feature = {"name": "price_factor", "project": {"name": "shop"}}
    new = {"enabled": True, "feature_state_value": "0.85", "feature": feature}
    data = {"new_state": new, "previous_state": new | {"feature_state_value": "0.15"}, "timestamp": AT}
    found = event("flagsmith", {"event_type": "FLAG_UPDATED", "data": data})
    assert found.title == "flag price_factor set from 0.15 to 0.85"


def test_unleash_says_how_far_a_flag_was_rolled_out_before() -> None:
    entry = {
        "id": 3,
        "type": "feature-strategy-update",
        "createdBy": "ann",
        "createdAt": AT,
        "featureName": "similar",
        "data": {"parameters": {"rollout": "100"}},
        "preData": {"parameters": {"rollout": "10"}},
    }
    found = event("unleash", entry)
    assert found.title == "flag similar rolled out to 100 %, before 10 %"
    assert (found.labels["rollout"], found.labels["previous_rollout"]) == ("100", "10")


def test_numbers_that_stand_in_words() -> None:
    monitor = {"alert_transition": "Triggered", "monitor_id": "1", "date": "1773144000000"}
    query = "avg(last_10m):max:system.mem.pct_used{service:pay} by {host} > 90"
    found = event("datadog", monitor | {"alert_query": query})
    assert (found.limit, found.bound) == (90, "max")
    assert event("datadog", monitor | {"alert_query": 'logs("status:error").index("*")'}).limit is None
    alarm = {
        "AlarmName": "dlq",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (10/03/26 11:55:00)] was greater",
        "StateChangeTime": "2026-03-10T12:00:00.000+0000",
        "Trigger": {"Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold"},
    }
    found = event("aws", alarm)
    assert (found.value, found.limit, found.bound) == (3, 0, "max")
    alert = {"status": "firing", "startsAt": AT, "labels": {"alertname": "Slow"}}
    assert event("grafana", {"alerts": [alert | {"values": {"B": 2.1, "C": 1}}]}).value == 2.1
    assert event("grafana", {"alerts": [alert | {"values": {"A": 4.2, "B": 2.1, "C": 1}}]}).value is None


@pytest.mark.parametrize(
    ("asked", "kind", "title"),
    [
        ({"allocatedStorage": 600}, "change.scaled", "ModifyDBInstance ledger: allocatedStorage 600"),
        ({"engineVersion": "16.4"}, "change.configured", "ModifyDBInstance ledger: engineVersion 16.4"),
        ({"masterUserPassword": "****"}, "change.configured", "ModifyDBInstance ledger"),
    ],
)
def test_a_call_of_aws_says_what_was_asked_for(asked: dict[str, Any], kind: str, title: str) -> None:
    record = {
        "eventID": "e1",
        "eventName": "ModifyDBInstance",
        "eventSource": "rds.amazonaws.com",
        "eventTime": AT,
        "requestParameters": {"dBInstanceIdentifier": "ledger"} | asked,
    }
    found = event("aws", record)
    assert (found.kind, found.title) == (kind, title)


def audited(resource: str, verb: str, name: str, user: str = "ann@shop.example", **said: Any) -> dict[str, Any]:
    about = {"resource": resource, "namespace": "shop", "name": name, **said.pop("about", {})}
    return {
        "auditID": "a1",
        "verb": verb,
        "stage": "ResponseComplete",
        "user": {"username": user},
        "objectRef": about,
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": AT,
        **said,
    }


def test_what_kubectl_did_in_words() -> None:
    scaled = audited(
        "deployments", "patch", "basket", about={"subresource": "scale"}, requestObject={"spec": {"replicas": 0}}
    )
    assert event("kubernetes", scaled).title == "scale Deployment basket to 0"
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": AT}}}
    restarted = audited("deployments", "patch", "basket", requestObject={"spec": {"template": template}})
    assert event("kubernetes", restarted).title == "restart Deployment basket"


def test_a_certificate_that_its_manager_writes_is_a_rotation() -> None:
    manager = "system:serviceaccount:cert-manager:cert-manager"
    assert event("kubernetes", audited("secrets", "update", "shop-tls", manager)).kind == "change.rotated"
    assert event("kubernetes", audited("secrets", "update", "shop-tls")).kind == "change.configured"


def test_a_rule_of_azure_says_what_it_means() -> None:
    essentials = {
        "alertId": "/x/alerts/1",
        "alertRule": "redis-97",
        "description": "writes fail at 100",
        "monitorCondition": "Fired",
        "firedDateTime": AT,
    }
    criterion = {
        "metricName": "usedmemorypercentage",
        "operator": "GreaterThan",
        "threshold": "97",
        "metricValue": 97.1,
    }
    body = {"data": {"essentials": essentials, "alertContext": {"condition": {"allOf": [criterion]}}}}
    found = event("azure", body)
    assert (found.title, found.value, found.unit) == ("redis-97: writes fail at 100", 97.1, "percent")
    assert at(found) == AT


def test_sentry_says_how_many_saw_it() -> None:
    issue = {"id": "1", "title": "ValueError", "level": "error", "firstSeen": AT, "count": "57", "userCount": 31}
    found = event(
        "sentry", {"action": "created", "data": {"issue": issue}, "actor": {"type": "application", "name": "Sentry"}}
    )
    assert (found.labels["times_seen"], found.labels["users_seen"]) == ("57", "31")
