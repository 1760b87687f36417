"""Refusals of a guard in the words of three clouds, and failures that only look like one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.decode.deliveries import event

AT = "2026-03-10T12:00:00Z"

REFUSALS = [
    ("Cannot delete protected DB Instance, please disable deletion protection and try again.", "deletion_protection"),
    ("Resource cannot be deleted as it is currently protected against deletion.", "deletion_protection"),
    ("Stack [shop] cannot be deleted while TerminationProtection is enabled", "deletion_protection"),
    ("The user pool cannot be deleted because deletion protection is activated", "deletion_protection"),
    ("DB instance orders is not in available state.", None),
    ("Cannot delete: a deletion is in progress, and protection of data is being removed", None),
]


@pytest.mark.parametrize(("why", "guard"), REFUSALS)
def test_aws_tells_its_protection_in_the_message_alone(why: str, guard: str | None) -> None:
    call = {"eventName": "DeleteDBInstance", "eventSource": "rds.amazonaws.com", "eventID": "e", "eventTime": AT}
    asked = {"dBInstanceIdentifier": "orders"}
    found = event("aws", {**call, "requestParameters": asked, "errorCode": "InvalidParameter", "errorMessage": why})
    assert (found.kind, found.labels.get("guard")) == ("change.blocked" if guard else "change.failed", guard)


@pytest.mark.parametrize(
    ("code", "why", "guard"),
    [
        (9, "The instance is protected. Please disable the deletion protection and try again.", "deletion_protection"),
        (
            3,
            "Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion.'",
            "deletion_protection",
        ),
        (7, "Permission denied", "permission"),
        (9, "Constraint constraints/sql.restrictDeletion violated for projects/shop.", "policy"),
        (9, "The instance is stopped.", None),
    ],
)
def test_google_cloud_s_protection_is_no_failure(code: int, why: str, guard: str | None) -> None:
    payload = {"methodName": "cloudsql.instances.delete", "resourceName": "instances/orders"}
    body = {"insertId": "i", "timestamp": AT, "protoPayload": {**payload, "status": {"code": code, "message": why}}}
    found = event("gcp", body)
    assert (found.kind, found.labels.get("guard")) == ("change.blocked" if guard else "change.failed", guard)


def deletion(**more: Any) -> dict[str, Any]:
    target = "/subscriptions/1/resourceGroups/shop/providers/Microsoft.Sql/servers/s/databases/orders"
    log = {
        "eventSource": "Administrative",
        "operationName": "Microsoft.Sql/servers/databases/delete",
        "resourceId": target,
        "eventTimestamp": AT,
        "caller": "dev-one@shop.example",
        "correlationId": "c",
        **more,
    }
    return {
        "schemaId": "Microsoft.Insights/activityLogs",
        "data": {"status": "Activated", "context": {"activityLog": log}},
    }


@pytest.mark.parametrize(
    ("code", "guard"),
    [
        ("ScopeLocked", "lock"),
        ("RequestDisallowedByPolicy", "policy"),
        ("AuthorizationFailed", "permission"),
        ("Conflict", None),
    ],
)
def test_azure_s_locks_and_policies_refuse(code: str, guard: str | None) -> None:
    said = {"statusCode": "Conflict", "statusMessage": f'{{"error": {{"code": "{code}", "message": "no"}}}}'}
    found = event("azure", deletion(status="Failed", properties=said))
    assert (found.kind, found.labels.get("guard")) == ("change.blocked" if guard else "change.failed", guard)
    assert found.labels["call"] == "Microsoft.Sql/servers/databases/delete"


def test_an_operation_that_succeeds_was_refused_by_nothing() -> None:
    found = event("azure", deletion(status="Succeeded", properties={"statusMessage": "ScopeLocked"}))
    assert (found.kind, "guard" in found.labels) == ("change.deleted", False)
