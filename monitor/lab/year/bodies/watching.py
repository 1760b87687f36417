"""Bodies of what watches and calls: Alertmanager, PagerDuty's webhooks and its API for changes, Statuspage.

Shapes as the vendors document them, with the fields that a reader may need and the clutter around them.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from monitor.core.model.events import Instant
from monitor.lab.year.bodies import SentBody, stamp, written
from monitor.lab.year.spelling import SpeltPerson

_OPEN = "0001-01-01T00:00:00Z"


def alertmanager(
    company: str,
    labels: dict[str, str],
    annotations: dict[str, str],
    expression: str,
    began: Instant,
    ended: Instant | None = None,
) -> SentBody:
    """A group of one alert that fires, or has ended."""
    status = "firing" if ended is None else "resolved"
    host = f"http://prometheus.{company}.example:9090"
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": stamp(began),
        "endsAt": _OPEN if ended is None else stamp(ended),
        "generatorURL": f"{host}/graph?g0.expr={expression}&g0.tab=1",
        "fingerprint": fingerprint(labels),
    }
    group = {"alertname": labels["alertname"]}
    return written(
        "alertmanager",
        {
            "version": "4",
            "groupKey": f'{{}}:{{alertname="{labels["alertname"]}"}}',
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "webhooks",
            "groupLabels": group,
            "commonLabels": labels,
            "commonAnnotations": annotations,
            "externalURL": f"http://alertmanager.{company}.example:9093",
            "alerts": [alert],
        },
    )


def pagerduty(
    company: str,
    identity: str,
    event_type: str,
    at: Instant,
    data: dict[str, Any],
    agent: SpeltPerson | None = None,
    machine: str = "events_api_v2_inbound_integration_reference",
) -> SentBody:
    """One webhook of version 3. Without an agent a machine caused it."""
    return written(
        f"pagerduty/{company}",
        {
            "event": {
                "id": identity,
                "event_type": event_type,
                "resource_type": event_type.partition(".")[0],
                "occurred_at": stamp(at),
                "agent": _user(company, agent)
                if agent is not None
                else {"id": "PQINT01", "summary": "Prometheus", "type": machine, "html_url": None, "self": None},
                "client": None,
                "data": data,
            }
        },
    )


def incident(
    company: str, number: int, key: str, title: str, service: str, status: str, urgency: str, at: Instant
) -> dict[str, Any]:
    """The `data` of an incident's webhook."""
    identity = f"Q{number:07X}"
    return {
        "id": identity,
        "type": "incident",
        "self": f"https://api.pagerduty.com/incidents/{identity}",
        "html_url": f"https://{company}.pagerduty.com/incidents/{identity}",
        "number": number,
        "status": status,
        "incident_key": key,
        "created_at": stamp(at),
        "title": title,
        "service": {
            "html_url": f"https://{company}.pagerduty.com/services/PS{sum(service.encode()) % 9973:04}",
            "id": f"PS{sum(service.encode()) % 9973:04}",
            "self": f"https://api.pagerduty.com/services/PS{sum(service.encode()) % 9973:04}",
            "summary": service,
            "type": "service_reference",
        },
        "assignees": [],
        "escalation_policy": {"id": "PEPOL01", "summary": "Default", "type": "escalation_policy_reference"},
        "teams": [],
        "priority": None,
        "urgency": urgency,
        "conference_bridge": None,
        "resolve_reason": None,
    }


def note(incident_data: dict[str, Any], identity: str, text: str) -> dict[str, Any]:
    """The `data` of an annotation or status update."""
    return {
        "id": identity,
        "type": "incident_note",
        "content": text,
        "trimmed": False,
        "incident": {
            **{key: incident_data[key] for key in ("html_url", "id", "self")},
            "summary": incident_data["title"],
        }
        | {"type": "incident_reference"},
    }


def status_update(incident_data: dict[str, Any], identity: str, text: str) -> dict[str, Any]:
    return {**note(incident_data, identity, text), "type": "incident_status_update", "message": text} | {
        "service": incident_data["service"]
    }


def responder(company: str, incident_data: dict[str, Any], who: SpeltPerson, state: str) -> dict[str, Any]:
    return {
        "type": "incident_responder",
        "state": state,
        "message": f"Please help with {incident_data['title']}",
        "user": _user(company, who),
        "escalation_policy": None,
        "requester": None,
        "incident": {"id": incident_data["id"], "summary": incident_data["title"], "type": "incident_reference"},
    }


def setting(company: str, service: str) -> dict[str, Any]:
    """The `data` of an edited service."""
    identity = f"PS{sum(service.encode()) % 9973:04}"
    return {
        "id": identity,
        "type": "service",
        "summary": service,
        "html_url": f"https://{company}.pagerduty.com/services/{identity}",
        "self": f"https://api.pagerduty.com/services/{identity}",
        "alert_creation": "create_alerts_and_incidents",
        "teams": [],
    }


def change_notice(company: str, at: Instant, summary: str, service: str, who: str | None, link: str) -> SentBody:
    """What a script posts to PagerDuty's API for changes, forwarded to us."""
    details = {"service": service, "run": link.rpartition("/")[2]} | ({} if who is None else {"user": who})
    return written(
        f"pagerduty/{company}",
        {
            "routing_key": "0123456789abcdef0123456789abcdef",
            "payload": {
                "summary": summary,
                "timestamp": stamp(at),
                "source": "runner",
                "custom_details": details,
            },
            "links": [{"href": link, "text": "Job"}],
        },
    )


def statuspage(
    company: str,
    number: int,
    name: str,
    status: str,
    impact: str,
    began: Instant,
    at: Instant,
    components: list[str],
    text: str,
) -> SentBody:
    """A post about an incident or about planned work; its newest update is what is news."""
    identity = f"{number:04}stat{company[:4]}"
    update = {
        "id": f"{identity}{at // 1_000_000 % 10_000_000}",
        "incident_id": identity,
        "status": status,
        "body": text,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "display_at": stamp(at),
        "affected_components": [
            {
                "code": f"c{sum(name.encode())}",
                "name": name,
                "old_status": "operational",
                "new_status": "partial_outage",
            }
            for name in components
        ],
    }
    return written(
        "statuspage",
        {
            "meta": {"unsubscribe": "http://status.example/unsubscribe", "documentation": "http://status.example/doc"},
            "page": {"id": f"{company}page", "status_indicator": impact, "status_description": name},
            "incident": {
                "id": identity,
                "name": name,
                "status": status,
                "impact": impact,
                "backfilled": False,
                "created_at": stamp(began),
                "started_at": stamp(began),
                "updated_at": stamp(at),
                "resolved_at": stamp(at) if status in ("resolved", "completed") else None,
                "scheduled_for": stamp(began) if status in ("in_progress", "completed") else None,
                "scheduled_until": None,
                "shortlink": f"http://stspg.example/{identity}",
                "incident_updates": [update],
                "components": [],
            },
        },
    )


def fingerprint(labels: dict[str, str]) -> str:
    """An identity of a set of labels, of the length that Alertmanager's has."""
    return blake2b(repr(sorted(labels.items())).encode(), digest_size=8).hexdigest()


def _user(company: str, who: SpeltPerson) -> dict[str, Any]:
    return {
        "html_url": f"https://{company}.pagerduty.com/users/{who.paging}",
        "id": who.paging,
        "self": f"https://api.pagerduty.com/users/{who.paging}",
        "summary": who.name,
        "type": "user_reference",
    }
