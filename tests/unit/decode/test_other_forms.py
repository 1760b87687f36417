"""Bodies as relays and older versions pass them on: without an envelope, other spellings, words of the past."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.model.events import Actor
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.reading import respelt, text
from tests.unit.decode.deliveries import at, event, left_out, refused

AT = "2026-03-10T12:00:00Z"
SECONDS = 1773144000


def test_a_dotted_name_is_a_part_of_its_whole() -> None:
    found = respelt({"INCIDENT.PHASE": 1, "INCIDENT.NAME": 2, "alert.id": 3, "alert": "own", ".x": 4, "y.": 5})
    assert found["INCIDENT"] == {"PHASE": 1, "NAME": 2}
    assert found["alert"] == "own"


def test_one_alert_alone_at_the_alertmanager_s_address() -> None:
    alert = {"labels": {"alertname": "Full", "service": "queue"}, "startsAt": AT, "status": "firing"}
    assert (event("alertmanager", alert).service, at(event("alertmanager", alert))) == ("queue", AT)
    assert refused("alertmanager", {"labels": {"alertname": "Full"}}) is Rejected.NOT_AN_EVENT


def test_google_cloud_s_incident_without_its_envelope() -> None:
    body = {"incidentId": "0.1", "state": "open", "summary": "CPU", "startedAt": SECONDS, "observedValue": "0.9"}
    found = event("gcp", {**body, "thresholdValue": "0.8", "url": "https://cloud.example/1"})
    assert (found.kind, found.subject, at(found), found.url) == ("alert.fired", "0.1", AT, "https://cloud.example/1")
    assert (found.value, found.limit) == (0.9, 0.8)


def test_azure_s_image_was_pushed_by_someone() -> None:
    data = {"target": {"repository": "payments", "tag": "v1"}, "actor": {"name": "builder"}}
    body = {"id": "1", "eventType": "Microsoft.ContainerRegistry.ImagePushed", "eventTime": AT, "data": data}
    assert event("azure", body).actor == Actor("builder", "unknown")


def test_incident_io_s_incident_under_its_plain_name() -> None:
    incident = {"id": "01F", "name": "Slow", "created_at": AT}
    found = event("incident-io", {"event_type": "public_incident.incident_created_v2", "incident": incident})
    assert (found.kind, found.subject, at(found)) == ("incident.opened", "01F", AT)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("created", "alert.fired"), ("acknowledged", "alert.acknowledged"), ("Closed", "alert.resolved")],
)
def test_an_alert_s_action_in_the_past_tense(action: str, kind: str) -> None:
    body = {"action": action, "alert": {"alertId": "a", "message": "x"}}
    assert event("opsgenie", body).kind == event("jira", body).kind == kind


def test_who_is_no_longer_called_is_no_note() -> None:
    body = {"action": "RemoveRecipient", "alert": {"alertId": "a", "message": "x"}}
    assert left_out("opsgenie", body) is Ignored.NOT_RELEVANT


def test_a_comment_that_an_older_jira_sends_with_the_issue() -> None:
    body: dict[str, Any] = {
        "webhookEvent": "jira:issue_updated",
        "issue": {"key": "OPS-1", "fields": {"summary": "Slow"}},
        "comment": {"id": "9", "body": "odd", "author": {"name": "dev-one"}, "created": AT},
    }
    assert event("jira", body).kind == "note.added"
    assert left_out("jira", {**body, "issue_event_type_name": "issue_comment_edited"}) is Ignored.NOT_RELEVANT
    assert left_out("jira", {**body, "changelog": {"items": [{"field": "priority"}]}}) is Ignored.NOT_RELEVANT


def test_launchdarkly_s_entry_without_an_id() -> None:
    accesses = [{"action": "updateOn", "resource": "proj/default:env/test:flag/fast-pay"}]
    body = {"kind": "flag", "date": SECONDS * 1000, "titleVerb": "turned off the flag", "accesses": accesses}
    one, other = event("launchdarkly", body), event("launchdarkly", {**body, "date": SECONDS * 1000 + 1})
    assert (one.labels["state"], at(one)) == ("off", AT)
    assert one.id != other.id
    assert refused("launchdarkly", {"kind": "flag", "date": 1}) is Rejected.MISSING_FIELD


def test_terraform_s_run_without_its_envelope() -> None:
    body = {"action": "run:completed", "runId": "run-1", "runStatus": "applied", "workspaceName": "payments-prod"}
    found = event("terraform-cloud", {**body, "runCreatedBy": "dev-one"})
    assert (found.kind, found.service) == ("change.configured", "payments-prod")
    assert found.actor == Actor("dev-one", "human")
    assert refused("terraform-cloud", {"action": "opened"}) is Rejected.NOT_AN_EVENT


def test_dash0_s_labels_with_numbers_before_them() -> None:
    labels = [["0", {"key": "service.name", "value": {"stringValue": "payments"}}], ["1", "odd"], []]
    issue = {"id": "i", "issueIdentifier": "7", "start": AT, "status": "critical", "labels": labels}
    assert event("dash0", {"type": "alert.ongoing", "data": {"issue": issue}}).service == "payments"


def rootly(name: str, **data: Any) -> dict[str, Any]:
    return {"event": {"id": "e", "type": name, "issued_at": "2026-03-10T12:00:05Z"}, "data": {"id": "i", **data}}


def test_who_opened_an_incident_of_rootly_did_not_end_it() -> None:
    about = {"title": "Slow", "user": {"name": "Dev One"}, "resolved_at": AT}
    assert event("rootly", rootly("incident.created", **about)).actor == Actor("Dev One", "human")
    assert event("rootly", rootly("incident.resolved", **about)).actor is None
    ended = event("rootly", rootly("incident.resolved", **about, resolved_by={"name": "Dev Two"}))
    assert ended.actor == Actor("Dev Two", "human")


def test_who_mitigated_an_incident_of_rootly_is_nobody_before() -> None:
    assert event("rootly", rootly("incident.updated", started_at=AT, mitigated_by={"name": "dev-one"})).actor is None
    found = event("rootly", rootly("incident.mitigated", started_at=AT, mitigated_by={"name": "dev-one"}))
    assert found.actor == Actor(id="dev-one", kind="human")


def test_a_line_of_rootly_s_timeline_belongs_to_its_incident() -> None:
    incident = {"id": "inc-1", "services": [{"name": "payments"}]}
    line = {"event": "odd", "incident": incident, "occurred_at": AT, "user_display_name": "Dev One", "kind": "event"}
    found = event("rootly", rootly("incident_event.created", **line))
    assert (found.kind, found.subject, found.service, at(found)) == ("note.added", "inc-1", "payments", AT)
    assert found.actor == Actor("Dev One", "human")
    trail = {**line, "kind": "trail"}
    assert left_out("rootly", rootly("incident_event.created", **trail)) is Ignored.NOT_RELEVANT


def test_cloudflare_s_tunnel_with_its_state_at_the_top() -> None:
    body = {"alert_type": "tunnel_health_event", "tunnel_name": "eu-1", "ts": SECONDS, "alert_correlation_id": "c"}
    down, up = (
        event("cloudflare", {**body, "new_status": f"TUNNEL_STATUS_TYPE_{word}"}) for word in ("DOWN", "HEALTHY")
    )
    assert (down.kind, down.service, up.kind) == ("alert.fired", "eu-1", "alert.resolved")


def test_a_time_as_go_writes_it_into_a_template() -> None:
    alert = {"labels": {"alertname": "Errors"}, "status": "firing", "endsAt": "0001-01-01 00:00:00 +0000 UTC"}
    for written in (
        "2026-03-10 12:00:00 +0000 UTC",
        "2026-03-10 13:00:00.000000001 +0100 CET",
        "2026-03-10 12:00:00 +0000 UTC m=+8560.28",
    ):
        assert at(event("grafana", {"alerts": [{**alert, "startsAt": written}]})) == AT
    assert refused("grafana", {"alerts": [{**alert, "startsAt": "2026-03-10 12:00:00 CET"}]}) is Rejected.BAD_TIME


def test_an_event_that_sentry_made_up() -> None:
    inner = {"event_id": "e1", "title": "example", "datetime": AT, "tags": [["sample_event", "yes"]]}
    assert left_out("sentry", {"action": "triggered", "data": {"event": inner}}) is Ignored.TEST_DELIVERY
    assert left_out("sentry", {"id": "7", "project": "payments", "event": inner}) is Ignored.TEST_DELIVERY


def test_a_comment_of_jira_without_its_issue() -> None:
    comment = {"id": "9", "self": "https://jira.example/rest/api/2/issue/10000/comment/9", "body": "odd", "created": AT}
    found = event("jira", {"webhookEvent": "comment_created", "comment": comment})
    assert (found.kind, found.subject, found.title) == ("note.added", "10000", "odd")
    assert refused("jira", {"webhookEvent": "comment_created", "comment": {"id": "9"}}) is Rejected.NOT_AN_EVENT


def test_a_note_on_a_ticket_of_intercom_names_its_ticket() -> None:
    part = {"id": "2", "body": "odd", "author": {"type": "admin", "name": "Dev One"}}
    item = {"type": "ticket_ticket_part", "ticket": {"ticket_id": "66"}, "ticket_part": part}
    found = event("intercom", {"topic": "ticket.note.created", "created_at": SECONDS, "data": {"item": item}})
    assert (found.kind, found.subject, found.title) == ("note.added", "66", "odd")
    assert found.actor == Actor("Dev One", "human")


def test_a_step_of_a_workflow_of_jira_that_calls_by_itself() -> None:
    step = {"transitionName": "Resolve", "from_status": "Open", "to_status": "Resolved"}
    issue = {"key": "OPS-1", "fields": {"summary": "Slow", "issuetype": {"name": "Incident"}}}
    body = {"transition": step, "issue": issue, "user": {"name": "dev-one"}, "timestamp": SECONDS * 1000}
    found = event("jira", body)
    assert (found.kind, found.labels["previous_status"], at(found)) == ("incident.closed", "Open", AT)


def test_new_relic_s_issue_is_named_in_its_link() -> None:
    body = {
        "state": "CREATED",
        "issueUrl": "https://nr.example/accounts/1/issues/0ea2?notifier=X",
        "updatedAt": SECONDS,
    }
    assert event("newrelic", body).subject == "0ea2"


def test_an_alert_that_rootly_relays_keeps_its_labels() -> None:
    labels = [
        {"key": name, "value": value} for name, value in (("service", "cart"), ("env", "prod"), ("severity", "high"))
    ]
    found = event("rootly", rootly("alert.created", summary="Errors", labels=labels, started_at=AT))
    assert (found.service, found.environment, found.severity) == ("cart", "prod", "high")


@pytest.mark.parametrize("reason", [[], {}, None, 5])
def test_a_pause_of_a_rollout_without_a_word_for_its_reason(reason: Any) -> None:
    status = {"phase": "Paused", "pauseConditions": [{"reason": reason, "startTime": AT}]}
    body = {"kind": "Rollout", "metadata": {"name": "payments"}, "status": status}
    assert event("argo", body).kind == "change.held"


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("linear", {"action": "create", "type": "Issue", "data": {"id": "i", "labels": [{"name": "Incident"}]}}),
        ("firehydrant", {"event": {"operation": "CREATED", "resource_type": "incident"}, "data": {"incident": {}}}),
        ("jira", {"webhookEvent": "jira:issue_created", "issue": {"key": "A-1", "fields": {}}}),
    ],
)
@pytest.mark.parametrize(("title", "label"), [("[Drill] Slow", "title"), ("Slow", None)])
def test_an_exercise_is_one_whichever_tool_keeps_its_record(
    source: str, body: dict[str, Any], title: str, label: str | None
) -> None:
    own = {"id": "i", "name": title, "title": title, "summary": title, "issuetype": {"name": "Incident"}}
    data, issue = dict(body.get("data", {})), dict(body.get("issue", {}))
    data = {"incident": own} if "incident" in data else {**data, **own}
    found = event(source, {**body, "data": data, "issue": {**issue, "fields": own}, "timestamp": SECONDS * 1000})
    assert (found.kind, found.labels.get("drill")) == ("incident.opened", label)


@pytest.mark.parametrize(("mode", "label"), [("test", "true"), ("tutorial", "true"), ("standard", None)])
def test_incident_io_s_practice_is_a_drill(mode: str, label: str | None) -> None:
    own = {"id": "01F", "name": "Slow", "created_at": AT, "mode": mode, "incident_status": {"category": "live"}}
    name = "public_incident.incident_created_v2"
    assert event("incident-io", {"event_type": name, name: own}).labels.get("drill") == label


def zabbix(tags: Any) -> dict[str, Any]:
    return {"event_id": "1", "trigger_id": "2", "event_value": "1", "event_name": "Full", "event_tags": tags}


@pytest.mark.parametrize(
    "tags",
    [
        '[{"tag":"service","value":"cart"},{"tag":"env","value":"prod"}]',
        ' {"service": "cart", "env": "prod"}',
        "service:cart, env:prod",
    ],
)
def test_labels_that_a_template_could_only_write_as_a_text(tags: str) -> None:
    found = event("zabbix", zabbix(tags))
    assert (found.service, found.environment) == ("cart", "prod")


@pytest.mark.parametrize(
    "tags", ["[", "{]", "[" * 100_000, "[" * 1000 + "]" * 1000, '["\ud800"]', "[5]", '{"a": "\\u0000"}']
)
def test_a_text_that_only_begins_like_json_costs_no_event(tags: str) -> None:
    found = event("zabbix", zabbix(tags))
    assert (found.kind, found.service) == ("alert.fired", None)


def azure_health(**context: Any) -> dict[str, Any]:
    essentials = {
        "monitoringService": "ServiceHealth",
        "monitorCondition": "Fired",
        "alertId": "/subscriptions/1/providers/Microsoft.AlertsManagement/alerts/b9",
        "alertTargetIDs": ["/subscriptions/1"],
        "firedDateTime": AT,
    }
    said = {"operationName": "Microsoft.ServiceHealth/incident/action", "status": "Active", **context}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": essentials, "alertContext": said},
    }


@pytest.mark.parametrize(("stage", "kind"), [("Active", "alert.fired"), ("Resolved", "alert.resolved")])
@pytest.mark.parametrize("source", [2, "2", "ServiceHealth", None])
def test_azure_numbers_where_its_health_comes_from(source: Any, stage: str, kind: str) -> None:
    told = {"title": "Virtual Machines", "service": "Virtual Machines", "incidentType": "Incident", "stage": stage}
    found = event("azure", azure_health(eventSource=source, level=2, properties=told))
    assert (found.kind, found.service, found.title) == (kind, "Virtual Machines", "Virtual Machines")
    assert found.severity == ("high" if kind == "alert.fired" else None)


LD = {"_id": "a", "date": SECONDS * 1000, "kind": "flag", "name": "Promo", "verb": "turned off the flag"}


@pytest.mark.parametrize(
    "named",
    [
        {"accesses": [{"action": "updateOn", "resource": "proj/shop:env/test:flag/promo"}]},
        {"target": {"resources": ["proj/shop:env/test:flag/promo;tag"]}},
    ],
)
def test_launchdarkly_names_flag_and_environment_in_a_resource_alone(named: dict[str, Any]) -> None:
    found = event("launchdarkly", LD | named)
    assert (found.environment, found.subject) == ("test", "flag/promo")
    assert [found.labels[name] for name in ("flag", "project", "state")] == ["promo", "shop", "off"]


@pytest.mark.parametrize("name", ["feature-stale-on", "feature-metadata-updated", "feature-completed"])
def test_unleash_marks_a_flag_that_serves_as_before(name: str) -> None:
    assert left_out("unleash", {"id": 1, "type": name, "featureName": "promo", "createdAt": AT}) == "not_relevant"


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        ({"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}, "ec2/i-1"),
        ({"roleName": "ops", "policyArn": "arn:p"}, "ec2/arn:p"),
        ({"userName": "dev-one"}, "ec2/dev-one"),
        ({"force": True, "filterSet": {"items": [None, {}]}}, "ec2"),
    ],
)
def test_cloudtrail_s_request_names_what_it_is_about_in_a_set(asked: dict[str, Any], subject: str) -> None:
    call = {"eventName": "TerminateInstances", "eventSource": "ec2.amazonaws.com", "eventID": "e", "eventTime": AT}
    assert event("aws", {**call, "requestParameters": asked}).subject == subject


def test_an_attack_that_vercel_reports_is_in_no_preview() -> None:
    body = {"id": "e", "type": "firewall.attack", "createdAt": SECONDS * 1000, "payload": {"projectName": "shop"}}
    assert (event("vercel", body).service, event("vercel", body).environment) == ("shop", None)


@pytest.mark.parametrize(
    "unfilled",
    [
        "${latestEvent.id}",
        "${SERVICE}",
        "$SERVICE",
        "{{name}}",
        "##HOST##",
        "##system.hostname##",
        "%lastvalue",
        "{HOST.NAME}",
    ],
)
def test_a_variable_that_no_tool_filled_in_says_nothing(unfilled: str) -> None:
    assert text(unfilled) is None


@pytest.mark.parametrize("said", ["$5 are missing", "97 %", "%", "## Disk ##", "#payments", "% of users", "5% lost"])
def test_words_with_such_signs_are_words(said: str) -> None:
    assert text(said) == said


@pytest.mark.parametrize("tool", ["slack", "mattermost", "prtg", "statuscake"])
@pytest.mark.parametrize("body", [b"text=odd%00&Name=shop&Status=Down&status=Down", b"text=odd&Status=Down&a%00b=1"])
def test_a_form_with_a_nul_is_refused_as_json_with_one_is(tool: str, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert refused(tool, body, headers) is Rejected.NUL_BYTE
