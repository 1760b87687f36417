"""The decoders against a folder of bodies that the tools' vendors and users published.

The folder is not part of this project: NEARMISS_PAYLOADS names it. It holds `<tool>/<name>.json` and `INDEX.jsonl`,
whose rows tell what a careful reader expects of each body. The rows are a reading, not the law: where the body says
otherwise, the difference stands here with its reason.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from monitor.core.model.events import SECOND, Event, Instant, to_text
from monitor.core.model.reasons import Mark
from monitor.decode.canonical import decode_line, encode
from monitor.decode.registry import SOURCES, decode, tool_of
from monitor.decode.times import read_time

VARIABLE = "NEARMISS_PAYLOADS"
FOLDER = os.environ.get(VARIABLE, "")
if not FOLDER:
    pytest.skip(f"{VARIABLE} is not set: the decoders were not tried on bodies of vendors", allow_module_level=True)
RECEIVED_AT = Instant(1_900_000_000 * SECOND)

DIFFERENT_KINDS = {
    "pagerduty/service.updated.json": ("ignored", "a setting of the paging tool changes nothing that runs"),
    "terraform-cloud/run-created.json": (
        "change.started",
        "a run was created: its plan may never be applied, and a run that was says run:completed",
    ),
    "zendesk/ticket.created-prismatic.json": (
        "note.added",
        "one customer's ticket, of no type and no priority: a help desk has hundreds a day, and its words are read",
    ),
    "jira/jsm-incident-created-superplane.json": (
        "note.added",
        "one customer's request for help, of a priority that is not the highest: its words are read",
    ),
    "intercom/ticket.created.json": (
        "note.added",
        "one customer's ticket, that is no tracker of what many report: its words are read",
    ),
}
NO_TIME = {
    "aws/asg-launch-successful.json": "1970 stands for no time in this sample of the documentation",
    "aws/asg-terminate-successful.json": "1970 stands for no time in this sample of the documentation",
}
DIFFERENT_TIME = {
    "github/push.new-branch-master.json": (
        "2019-05-15T15:20:57Z",
        "what is merged is merged when it is pushed: the row names the time of the commit first, which is older",
    ),
    "vmware/vrealize-alert.json": (
        "2013-05-28T16:09:06.267000Z",
        "startDate tells it in milliseconds; the row says that the body tells no time",
    ),
}
DIFFERENT_SERVICE = {
    "honeycomb/trigger-triggered-production-superplane.json": "Honeycomb calls a dataset as the service that sends it",
    "cdevents/approval_closed.json": "only a link to a person's page holds the name; a path of a link is no field",
}
DIFFERENT_ENVIRONMENT = {
    "terraform-cloud/run-created.json": "the workspace is called service-tfbuddy-dev: the last word of it says where",
    "terraform-cloud/run-errored.json": "the workspace is called service-tfbuddy-dev: the last word of it says where",
    "grafana/unified-mixed-firing-resolved.json": "one of its three alerts names no environment",
    "cdevents/approval_closed.json": "only a link to a person's page holds the name; a path of a link is no field",
}
DIFFERENT_ACTOR = {
    "cdevents/incident_reported.json": "customData.reportedBy names who reported it",
}


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\S*(?:Z|[+-]\d\d:?\d\d)", re.ASCII)


def rows() -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (Path(FOLDER) / "INDEX.jsonl").read_text("utf-8").splitlines() if line]
    return [row for row in found if row["file"].partition("/")[0] in SOURCES]


ROWS = [pytest.param(row, id=row["file"]) for row in rows()]


def events_of(row: dict[str, Any], received_at: Instant = RECEIVED_AT) -> tuple[Event, ...]:
    body = (Path(FOLDER) / row["file"]).read_bytes()
    outcome = decode(row["file"].partition("/")[0], body, {}, received_at)
    assert outcome.refusals == ()
    assert bool(outcome.events) != bool(outcome.skipped)
    return outcome.events


def stated(row: dict[str, Any], field: str) -> str | None:
    """What a row says before its remarks: `checkout (labels.service)` → checkout; None where it says "absent"."""
    text = re.split(r" \(", row[field], maxsplit=1)[0].strip()
    return None if text in ("absent", "unknown") else text


@pytest.mark.parametrize("row", ROWS)
def test_kinds(row: dict[str, Any]) -> None:
    kinds = {str(event.kind) for event in events_of(row)}
    expected = {DIFFERENT_KINDS[row["file"]][0]} if row["file"] in DIFFERENT_KINDS else set(row["expect"])
    assert (kinds or {"ignored"}) == expected
    tool = tool_of(row["file"])
    assert tool is not None
    assert kinds <= set(tool.kinds), "the tool's declaration names every kind that it gives"


@pytest.mark.parametrize("row", ROWS)
def test_service_and_environment(row: dict[str, Any]) -> None:
    for event in events_of(row):
        if row["file"] not in DIFFERENT_SERVICE:
            assert event.service in (stated(row, "service"), row["service"])
        if row["file"] not in DIFFERENT_ENVIRONMENT:
            assert event.environment == stated(row, "environment")


@pytest.mark.parametrize("row", ROWS)
def test_the_actor(row: dict[str, Any]) -> None:
    """A row names people by name, id or both; one who is absent is never made up."""
    named = stated(row, "actor")
    for event in events_of(row):
        actor = event.actor
        identity = actor.id if actor else None
        if named is None:
            assert identity is None or row["file"] in DIFFERENT_ACTOR
        elif identity is not None:
            assert identity in named or event.labels.get("actor_name") in named.split(" / ")
        who = row["who"].partition(" ")[0]
        if who in ("human", "automation") and identity is not None and " or " not in row["who"]:
            assert actor is not None
            assert actor.kind == who


@pytest.mark.parametrize("row", ROWS)
def test_the_time(row: dict[str, Any]) -> None:
    for event in events_of(row):
        if row["file"] in DIFFERENT_TIME:
            assert to_text(event.time) == DIFFERENT_TIME[row["file"]][0]
        elif stated(row, "time") is None or row["file"] in NO_TIME:
            assert event.marks == (Mark.TIME_FROM_RECEIPT,)
        elif " / " not in row["time"] and " and " not in row["time"] and (match := _TIME.match(row["time"])):
            assert event.time == read_time(match[0], "time")[0]


@pytest.mark.parametrize("row", ROWS)
def test_a_retry_is_the_same_event_and_every_event_survives_the_wire(row: dict[str, Any]) -> None:
    first, again = events_of(row), events_of(row, Instant(RECEIVED_AT + 3600 * SECOND))
    assert [event.event_id for event in first] == [event.event_id for event in again]
    assert len({event.event_id for event in first}) == len(first)
    assert all(decode_line(encode(event)) == event for event in first)
