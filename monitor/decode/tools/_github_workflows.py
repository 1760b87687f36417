"""Runs of GitHub's workflows: which of them deploys to production, by what it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.core.model.events import Actor, Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import Delivery, first, make, moment, text
from monitor.decode.tools._github_parts import actor_of, common_labels, number_of, part_of, repository_of, service_of
from monitor.decode.workflow_names import deploys_to_production, is_elsewhere, operation, puts_out, rolls_back

_CONCLUDED: dict[str, Kind] = {
    "success": "change.deployed",
    "failure": "change.failed",
    "timed_out": "change.failed",
    "cancelled": "change.held",
}
_REVERTS = re.compile(r"\brevert\b", re.IGNORECASE)


def workflow_run(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """A run of a workflow that is called a deployment to production: the one sign where no deployments are kept.

    Any other may build, test or publish; whether it deploys is for its deployment to say. What a person starts by hand
    and calls an operation, such as a restart, is one.
    """
    run, state = part_of(body, "workflow_run"), text(body.get("action"))
    called = [name for name in (first(run, ("name",)), text(run.get("path"))) if name]
    name = next(filter(deploys_to_production, called), None)
    kind = _CONCLUDED.get(text(run.get("conclusion")) or "")
    if state == "completed" and kind == "change.held":
        return _held(body, run, name, called, delivery)
    pressed = actor_of(run.get("triggering_actor")) or actor_of(run.get("actor")) or actor_of(body.get("sender"))
    by_hand = text(run.get("event")) == "workflow_dispatch" and pressed is not None and pressed.kind == "human"
    if state == "completed" and kind == "change.deployed" and name is None and by_hand:
        for one in called:
            if (done := operation(one)) is not None:
                return _run(body, run, delivery, done, one, None, pressed)
    if state != "completed" or kind is None or name is None:
        raise NoEvent(Ignored.NOT_RELEVANT, "workflow_run is no deployment to production, or changed nothing")
    told = " ".join((name, text(run.get("display_title")) or ""))
    if kind == "change.deployed" and (rolls_back(told) or _REVERTS.search(told)):
        kind = "change.rolled_back"
    return _run(body, run, delivery, kind, name, "production", pressed)


def _held(
    body: Mapping[str, Any], run: Mapping[str, Any], name: str | None, called: list[str], delivery: Delivery
) -> Event:
    """A run that puts something out was cancelled, such as one that waits for approval. Its sender did it."""
    place = None if name is None else "production"
    if name is None and not any(map(is_elsewhere, called)):
        name = next(filter(puts_out, called), None)
    if name is None:
        raise NoEvent(Ignored.NOT_RELEVANT, "a workflow_run that puts nothing out was cancelled")
    return _run(body, run, delivery, "change.held", name, place, actor_of(body.get("sender")))


def _run(
    body: Mapping[str, Any],
    run: Mapping[str, Any],
    delivery: Delivery,
    kind: Kind,
    name: str,
    environment: str | None,
    actor: Actor | None,
) -> Event:
    began = moment(run.get("run_started_at"), "workflow_run.run_started_at")
    return make(
        delivery,
        id=f"workflow_run/{number_of(run)}/{text(run.get('run_attempt')) or 1}",
        kind=kind,
        time=moment(run.get("updated_at"), "workflow_run.updated_at"),
        began_at=None if began is None else began[0],
        service=service_of(body),
        environment=environment,
        subject="/".join(filter(None, ("deployment", repository_of(body), environment))),
        title=first(run, ("display_title",)) or name,
        actor=actor,
        labels={
            **common_labels(body),
            "version": text(run.get("head_sha")),
            "commit": text(run.get("head_sha")),
            "ref": text(run.get("head_branch")),
            "trigger": text(run.get("event")),
            "workflow": name,
        },
        url=text(run.get("html_url")),
    )
