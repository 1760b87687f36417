"""The four tools of a shop as they send: Alertmanager, PagerDuty, GitHub, and a Prometheus that is asked.

Each spells the services and the people in its own way. Bodies have the shape and the clutter of real deliveries.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitor.core.model.events import MINUTE, SECOND, Event, Instant, to_instant, to_text
from monitor.feeds.queries import PulledFeed

MONDAY = to_instant(datetime(2026, 6, 1, tzinfo=UTC))
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CATALOGUE = """
services:
  storefront:
    user_facing: true
    depends_on: [payments, search, orders]
    aliases:
      repositories: [fernweh/web-shop]
      workloads: [web]
      sources: {pagerduty: [Web Shop (prod)]}
  payments:
    owner: money
    depends_on: [ledger-db]
    aliases:
      repositories: [fernweh/pay]
      workloads: [pay-api]
      sources: {pagerduty: ["Payments & Invoicing"]}
  search:
    owner: discovery
    aliases:
      repositories: [fernweh/finder]
      workloads: [finder]
      sources: {pagerduty: [PSRCH01]}
  orders:
    owner: money
    depends_on: [ledger-db]
    aliases:
      repositories: [fernweh/order-pipeline]
      workloads: [order-worker]
      namespaces: [fulfilment]
      sources: {pagerduty: [Order Pipeline]}
  ledger-db:
    owner: money
    aliases:
      hosts: ["pg-ledger-*.fernweh.example"]
      sources: {pagerduty: [Databases]}
production: [production]
environments: {production: [live]}
severities: {critical: [wake-up], warning: [office-hours]}
people:
  mirela: {pagerduty: PMIRELA, github: mirela-k, any: [mirela@fernweh.example, Mirela Kovac]}
  tomasz: {pagerduty: PTOMASZ, github: tzw, any: [tomasz@fernweh.example, Tomasz Wrona]}
  ines: {pagerduty: PINES01, github: ines-almeida, any: [ines@fernweh.example, Ines Almeida]}
automation: [renovate]
feeds:
  - {service: storefront, source: blackbox, evidence: synthetic, freshness: 15m}
"""
SERVICES = {
    "Web Shop (prod)": "PWEB001",
    "Payments & Invoicing": "PPAY001",
    "Search EU": "PSRCH01",
    "Order Pipeline": "PORD001",
    "Databases": "PDATA01",
}
NAMES = {"PMIRELA": "Mirela Kovac", "PTOMASZ": "Tomasz Wrona", "PINES01": "Ines Almeida"}


def when(said: str) -> Instant:
    """`tue 14:05`, in the week of the script."""
    day, clock = said.split()
    hours, minutes = clock.split(":")
    return Instant(MONDAY + (DAYS.index(day) * 1440 + int(hours) * 60 + int(minutes)) * MINUTE)


class Delivery(msgspec.Struct, frozen=True):
    """One request to the door. `at`: when it arrives."""

    at: Instant
    path: str
    body: bytes
    headers: dict[str, str] = {}


class Tools:
    """Everything that the tools send, in the order in which it is told; `hurt` is when the probe of the shop failed."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self.hurt: list[tuple[Instant, Instant]] = []
        self._began: dict[str, Instant] = {}
        self._number = 1000

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, said: str, path: str, body: Any, later: int = SECOND, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.sent.append(Delivery(Instant(when(said) + later), f"/ingest/{path}", json.dumps(body).encode(), named))

    # -- Alertmanager --------------------------------------------------------------------------------------------

    def fires(self, said: str, name: str, summary: str, severity: str = "wake-up", **labels: str) -> None:
        self._began[name] = when(said)
        self._alert(said, name, summary, severity, labels, ended=False)

    def clears(self, said: str, name: str, summary: str = "", severity: str = "wake-up", **labels: str) -> None:
        self._alert(said, name, summary, severity, labels, ended=True)

    def _labels(self, name: str, severity: str, more: dict[str, str]) -> dict[str, str]:
        place = {"cluster": "live-eu1", "env": "live", "prometheus": "monitoring/k8s"}
        return {"alertname": name, **place, **more, "severity": severity}

    def _alert(self, said: str, name: str, summary: str, severity: str, more: dict[str, str], *, ended: bool) -> None:
        value = more.pop("value", None)
        labels = self._labels(name, severity, more)
        notes = {"summary": summary or name} | ({"value": value} if value else {})
        status, at = ("resolved" if ended else "firing"), to_text(when(said))
        alert = {
            "status": status,
            "labels": labels,
            "annotations": notes,
            "startsAt": to_text(self._began[name]),
            "endsAt": at if ended else "0001-01-01T00:00:00Z",
            "generatorURL": f"http://prometheus.fernweh.example/graph?g0.expr={name}&g0.tab=1",
            "fingerprint": fingerprint(labels),
        }
        body = {
            "version": "4",
            "groupKey": f'{{}}:{{alertname="{name}"}}',
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "nearmiss",
            "groupLabels": {"alertname": name},
            "commonLabels": labels,
            "commonAnnotations": notes,
            "externalURL": "http://alertmanager.fernweh.example",
            "alerts": [alert],
        }
        self._send(said, "alertmanager", body, 20 * SECOND)

    def silences(self, said: str, until: str, name: str, text: str, who: str, comment: str, **labels: str) -> None:
        """What the Alertmanager answers who asks for its alerts and its silences, a minute after one was made."""
        at = to_text(when(said))
        known = self._labels(name, "office-hours", labels)
        silence = {
            "id": hashlib.sha256(f"{said}{name}".encode()).hexdigest()[:36],
            "status": {"state": "active"},
            "startsAt": at,
            "endsAt": to_text(when(until)),
            "updatedAt": at,
            "createdBy": who,
            "comment": comment,
            "matchers": [
                {"name": key, "value": value, "isRegex": False, "isEqual": True}
                for key, value in known.items()
                if key in ("alertname", "deployment")
            ],
        }
        alert = {
            "annotations": {"summary": text},
            "startsAt": to_text(self._began[name]),
            "endsAt": to_text(Instant(when(said) + 5 * MINUTE)),
            "updatedAt": to_text(Instant(when(said) + MINUTE)),
            "fingerprint": fingerprint(known),
            "receivers": [{"name": "nearmiss"}],
            "status": {"state": "suppressed", "silencedBy": [silence["id"]], "inhibitedBy": [], "mutedBy": []},
            "labels": known,
            "generatorURL": "http://prometheus.fernweh.example/graph",
        }
        body = {"alerts": [alert], "silences": [silence], "since": to_text(Instant(when(said) - MINUTE))}
        self._send(said, "alertmanager-api", body, MINUTE)

    # -- PagerDuty -----------------------------------------------------------------------------------------------

    def pages(
        self, said: str, what: str, title: str, service: str, who: str | None = None, urgency: str = "high", **data: Any
    ) -> None:
        """A webhook of version 3. `what`: its type without `incident.`; `who`: id of the agent, None for a machine."""
        identity = SERVICES[service]
        key = hashlib.sha256(f"{title}{service}".encode()).hexdigest()
        incident = {
            "id": f"Q{key[:12].upper()}",
            "type": "incident",
            "html_url": f"https://fernweh.pagerduty.example/incidents/Q{key[:12].upper()}",
            "number": int(key[:4], 16),
            "status": {"triggered": "triggered", "resolved": "resolved"}.get(what, "acknowledged"),
            "incident_key": key[:16],
            "created_at": to_text(when(said)),
            "title": title,
            "service": {"id": identity, "summary": service, "type": "service_reference"},
            "assignees": [],
            "escalation_policy": {"id": "PEPOL01", "summary": "Default", "type": "escalation_policy_reference"},
            "teams": [],
            "priority": None,
            "urgency": urgency,
            "resolve_reason": None,
        }
        reference = {"id": incident["id"], "summary": title, "type": "incident_reference"}
        machine = {"id": "PINTEG1", "summary": "Alertmanager", "type": "events_api_v2_inbound_integration_reference"}
        event = {
            "id": f"01{self._next():010}",
            "event_type": f"incident.{what}",
            "resource_type": "incident",
            "occurred_at": to_text(when(said)),
            "agent": {"id": who, "summary": NAMES[who], "type": "user_reference"} if who else machine,
            "client": None,
            "data": {**data, "incident": reference} if data else incident,
        }
        self._send(said, "pagerduty", {"event": event}, 3 * SECOND)

    def notes(self, said: str, text: str, title: str, service: str, who: str) -> None:
        identity = f"N{self._next()}"
        self.pages(
            said, "annotated", title, service, who, id=identity, type="incident_note", content=text, trimmed=False
        )

    def tells_customers(self, said: str, text: str, title: str, service: str, who: str) -> None:
        identity = f"U{self._next()}"
        self.pages(
            said, "status_update_published", title, service, who, id=identity, type="incident_status_update",
            message=text, trimmed=False,
        )  # fmt: skip

    def runs(self, said: str, action: str, title: str, service: str, who: str | None) -> None:
        """An automation action of the incident has ended; `who` pressed it, None: an orchestration did."""
        self.pages(
            said, "action_invocation.terminated", title, service, who, id=f"I{self._next()}",
            type="incident_action_invocation", action={"id": "PACT01", "summary": action, "type": "action_reference"},
            state="completed",
        )  # fmt: skip

    # -- GitHub --------------------------------------------------------------------------------------------------

    def _github(self, said: str, event: str, repo: str, sender: dict[str, Any], content: dict[str, Any]) -> None:
        body = content | {
            "repository": {
                "id": sum(repo.encode()), "name": repo, "full_name": f"fernweh/{repo}", "private": True,
                "owner": {"login": "fernweh", "type": "Organization"}, "default_branch": "main",
                "pushed_at": to_text(when(said)),
            },
            "organization": {"login": "fernweh"},
            "sender": sender,
        }  # fmt: skip
        self._send(said, "github", body, 2 * SECOND, X_GitHub_Event=event)

    def deploys(
        self, said: str, repo: str, sha: str, who: str | None = None, state: str = "success",
        environment: str = "production", pressed: str | None = None, description: str | None = None,
    ) -> None:  # fmt: skip
        """The state of a deployment. `who`: a login, None for the workflow's bot; `pressed`: who started that."""
        number, at = self._next(), to_text(when(said))
        creator = account(who) if who else account("github-actions[bot]", "Bot")
        deployment = {
            "id": number, "sha": sha * 10, "ref": "main", "task": "deploy", "payload": {}, "environment": environment,
            "original_environment": environment, "description": description, "creator": creator, "created_at": at,
            "updated_at": at, "transient_environment": False, "production_environment": environment == "production",
        }  # fmt: skip
        status = {
            "id": number * 3, "state": state, "creator": creator, "description": "", "environment": environment,
            "target_url": "", "created_at": at, "updated_at": at,
        }  # fmt: skip
        content: dict[str, Any] = {"action": "created", "deployment_status": status, "deployment": deployment}
        if pressed:
            content["workflow_run"] = {
                "id": number * 7, "name": "ship", "head_sha": sha * 10, "head_branch": "main", "event": "push",
                "status": "in_progress", "run_attempt": 1, "actor": account(pressed),
                "triggering_actor": account(pressed),
            }  # fmt: skip
        self._github(said, "deployment_status", repo, creator, content)

    def refuses(self, said: str, repo: str, sha: str, who: str, comment: str) -> None:
        """A reviewer rejects the deployment to production."""
        number = self._next()
        run = {
            "id": number, "name": "ship", "display_title": "ship main", "head_sha": sha * 10, "head_branch": "main",
            "event": "push", "status": "completed", "conclusion": "failure", "run_attempt": 1,
            "updated_at": to_text(when(said)), "html_url": f"https://github.example/fernweh/{repo}/actions/runs/{number}",
        }  # fmt: skip
        content = {
            "action": "rejected", "workflow_run": run, "approver": account(who), "comment": comment,
            "environment": "production", "since": to_text(when(said)),
            "workflow_job_runs": [{"id": number + 1, "name": "production", "environment": "production"}],
        }  # fmt: skip
        self._github(said, "deployment_review", repo, account(who), content)

    def merges(
        self, said: str, repo: str, number: int, title: str, sha: str, who: str, undoes: int | None = None
    ) -> None:
        branch = f"change-{number}" if undoes is None else f"revert-{undoes}-change-{undoes}"
        pull = {
            "id": number * 1009, "number": number, "state": "closed", "title": title, "merged": True,
            "body": "Small change." if undoes is None else f"Reverts fernweh/{repo}#{undoes}", "user": account(who),
            "merged_at": to_text(when(said)), "closed_at": to_text(when(said)), "merged_by": account(who),
            "merge_commit_sha": sha * 10, "head": {"ref": branch, "sha": "0" * 40},
            "base": {"ref": "main", "sha": "0" * 40},
            "html_url": f"https://github.example/fernweh/{repo}/pull/{number}",
        }  # fmt: skip
        content = {"action": "closed", "number": number, "pull_request": pull}
        self._github(said, "pull_request", repo, account(who), content)

    def finds_secret(self, said: str, repo: str, action: str, began: str, who: str | None = None) -> None:
        is_over = action == "resolved"
        alert = {
            "number": 4, "created_at": to_text(when(began)), "updated_at": to_text(when(said)),
            "state": "resolved" if is_over else "open", "resolution": "revoked" if is_over else None,
            "resolved_by": account(who) if who else None, "resolved_at": to_text(when(said)) if is_over else None,
            "secret_type": "psp_live_key", "secret_type_display_name": "PSP Live Key",
        }  # fmt: skip
        sender = account(who) if who else account("github", "Organization")
        self._github(said, "secret_scanning_alert", repo, sender, {"action": action, "alert": alert})


class Probe:
    """Prometheus' answers about the probe of the shop: well, but for the times when it was hurt."""

    def __init__(self, hurt: list[tuple[Instant, Instant]]) -> None:
        self._hurt = hurt

    async def steps(self, feed: PulledFeed, after: int, until: int) -> list[dict[str, float]]:
        return [self._at(at) for at in range(after + feed.step, until + 1, feed.step)]

    def _at(self, at: int) -> dict[str, float]:
        up = 0.0 if any(began <= at <= ended for began, ended in self._hurt) else 1.0
        return {"lowest": up, "newest": up, "samples": 10.0, "age": 5.0}


def account(login: str, kind: str = "User") -> dict[str, Any]:
    return {"login": login, "id": sum(login.encode()), "type": kind, "site_admin": False}


def fingerprint(labels: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def said_of(event: Event) -> str:
    """For messages: when, what, of which service, by whom."""
    actor = event.actor.id if event.actor else "-"
    return f"{to_text(event.time)} {event.kind} {event.service} {event.title!r} by {actor}"
