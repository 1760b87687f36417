"""HCP Terraform and Terraform Enterprise: runs of workspaces, and what their health checks found."""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import who
from monitor.decode.reading import Delivery, first, make, mapping, not_the_shape, respelt, sequence, text
from monitor.decode.reversals import reverts
from monitor.decode.signatures import TERRAFORM
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time

_RUNS: dict[str, Kind] = {
    "run:created": "change.started",
    "run:applying": "change.started",
    "run:completed": "change.configured",
    "run:errored": "change.failed",
    "assessment:drifted": "alert.fired",
    "assessment:check_failure": "alert.fired",
}
_STATUS: dict[str, Kind | None] = {
    "discarded": "change.held",
    "canceled": "change.held",
    "force_canceled": "change.held",
    "policy_soft_failed": "change.blocked",
    "planned_and_finished": None,
    "planned_and_saved": None,
}
"""States in which a run ends without having changed anything."""
_MADE_BY = ("run_created_by", "run_updated_by")
_QUIET = ("run:", "assessment:", "workspace:", "change_request:", "team:")


def split(body: Any, delivery: Delivery) -> list[Any]:
    """The notifications of a body, each with its run. Raises Unreadable."""
    found = mapping(body)
    if "notifications" not in found and "trigger" not in found:
        found = respelt(found)  # one notification without its envelope, as some relays pass it on
        if text(found.get("action")) in _RUNS:
            found["trigger"] = found["action"]
    if not isinstance(found.get("notifications"), list) and "trigger" not in found:
        raise not_the_shape("a notification with run_id and notifications", body)
    # The second version has one notification a body; what it is about stands under details.
    run = {**mapping(found.get("details")), **found}
    return [(mapping(item), run) for item in sequence(found.get("notifications")) or [found]]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one notification. Raises Unreadable or NoEvent."""
    item, run = piece if isinstance(piece, tuple) else (mapping(piece), mapping(piece))
    trigger, status = first({**run, **item}, ("trigger",)) or "", first(item, ("run_status",)) or ""
    if trigger == "verification":
        raise NoEvent(Ignored.HANDSHAKE, "verification: the notification is tried out")
    kind: Kind | None = _RUNS.get(trigger)
    if status in _STATUS and trigger.startswith("run:"):
        kind = _STATUS[status]
    if kind is None:
        reason = Ignored.NOT_RELEVANT if trigger.startswith(_QUIET) else Ignored.UNKNOWN_TYPE
        raise NoEvent(reason, f"{trigger or 'no trigger'!s:.60} {status:.40} changes nothing")
    identity = first(run, ("run_id", "workspace_id"))
    if identity is None:
        raise Unreadable(Rejected.MISSING_FIELD, "run_id is missing; every run has one")
    # The person who discards or confirms a run decided on it, also if somebody else made it.
    by = ("run_updated_by", "run_created_by") if kind != "change.started" or trigger == "run:applying" else _MADE_BY
    person = first({**run, **item}, by)
    if kind == "change.configured" and reverts(run.get("run_message")):
        kind = "change.rolled_back"
    actor, said = who(person, email=person if person and "@" in person else None)
    result = mapping(run.get("new_assessment_result"))
    is_alert = kind == "alert.fired"
    at = first(result, ("id", "created_at")) if result else first(item, ("run_updated_at",))
    told, created = item.get("run_updated_at"), run.get("run_created_at")
    workspace = text(run.get("workspace_name"))
    return [
        make(
            delivery,
            id="/".join(filter(None, (identity, trigger, status, at if is_alert else None))),
            kind=kind,
            time=tool_time(result.get("created_at"), "created_at")
            if is_alert
            else tool_time(told, "run_updated_at") or tool_time(created, "run_created_at"),
            service=workspace,
            subject="/".join(filter(None, ("workspace", text(run.get("organization_name")), workspace))),
            severity="warning" if is_alert else None,
            title=text(run.get("run_message")) or text(item.get("message")),
            actor=None if is_alert else actor,
            labels={
                **said,
                "run": text(run.get("run_id")),
                "workspace": workspace,
                "organization": text(run.get("organization_name")),
                "trigger": trigger,
                "status": status,
                "guard": "policy" if kind == "change.blocked" else None,
                "created_by": text(run.get("run_created_by")),
                "updated_by": text(item.get("run_updated_by")),
                "service_id": "/".join(filter(None, (text(run.get("organization_name")), workspace))),
            },
            url=text(run.get("run_url")) or first(result, ("url",)),
        )
    ]


_SAMPLE = """{"payload_version": 1, "run_id": "run-Vy7sSoyhizTafW8f", "run_message": "raise the memory of payments",
 "run_created_at": "2026-03-10T11:58:00.000Z", "run_created_by": "dev-one", "workspace_name": "payments-production",
 "organization_name": "acme", "notifications": [{"message": "Run Completed", "trigger": "run:completed",
 "run_status": "applied", "run_updated_at": "2026-03-10T12:00:00.000Z", "run_updated_by": null}]}"""

_SETUP = """
*Workspace → Settings → Notifications → Create a notification → Webhook*, URL
`https://nearmiss.example/ingest/terraform-cloud`, a token (`NEARMISS_SECRETS__TERRAFORM_CLOUD`), all run events, and
*Health events* where health assessments are on. The verification is answered.
"""

TOOL = Tool(
    name="terraform-cloud",
    title="HCP Terraform",
    tells="runs that changed infrastructure, drift and failed checks",
    kinds=(
        "change.started",
        "change.configured",
        "change.rolled_back",
        "change.failed",
        "change.held",
        "change.blocked",
        "alert.fired",
    ),
    sample=Sample(_SAMPLE, ("change.configured",)),
    setup=_SETUP,
    limits=(
        "The service is the workspace's name; the environment is the last word of that name, where it is one.",
        "A run that planned nothing to do is left out.",
    ),
    aliases=("terraform", "hcp-terraform"),
    scheme=TERRAFORM,
    split=split,
    read=read,
)
