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

_CONCLUDED: dict[str, Kind] = {
    "success": "change.deployed",
    "failure": "change.failed",
    "timed_out": "change.failed",
    "cancelled": "change.held",
}
_TO_PRODUCTION = re.compile(
    r"(?=.*\b(?:deploy\w*|roll-?(?:back|out)|promote)\b)(?=.*\b(?:prod|production|live)\b).*", re.IGNORECASE
)
_PUTS_OUT = re.compile(r"\b(?:deploy\w*|release|roll-?(?:back|out)|promote|ship)\b", re.IGNORECASE)
_ROLLS_BACK = re.compile(r"\broll[ -]?back\b", re.IGNORECASE)
_REVERTS = re.compile(r"\brevert\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:stag\w*|dev\w*|test\w*|qa|uat|preview|sandbox|demo|pages|docs)\b", re.IGNORECASE)
_JOINTS = re.compile(r"[_/.\s-]+")


def _deploys(name: str) -> bool:
    """Whether a workflow of this name changes production: it deploys there, or rolls back and names no other place."""
    back = _ROLLS_BACK.search(name) is not None and _ELSEWHERE.search(name) is None
    return back or _TO_PRODUCTION.fullmatch(name) is not None


def workflow_run(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """A run of a workflow that is called a deployment to production: the one sign where no deployments are kept.

    Any other may build, test or publish; whether it deploys is for its deployment to say.
    """
    run, state = part_of(body, "workflow_run"), text(body.get("action"))
    called = [name for name in (first(run, ("name",)), text(run.get("path"))) if name]
    name = next((name for name in called if _deploys(_JOINTS.sub(" ", name))), None)
    kind = _CONCLUDED.get(text(run.get("conclusion")) or "")
    if state == "completed" and kind == "change.held":
        return _held(body, run, name, called, delivery)
    if state != "completed" or kind is None or name is None:
        raise NoEvent(Ignored.NOT_RELEVANT, "workflow_run is no deployment to production, or changed nothing")
    told = " ".join((name, text(run.get("display_title")) or ""))
    if kind == "change.deployed" and (_ROLLS_BACK.search(told) or _REVERTS.search(told)):
        kind = "change.rolled_back"
    pressed = actor_of(run.get("triggering_actor")) or actor_of(run.get("actor")) or actor_of(body.get("sender"))
    return _run(body, run, delivery, kind, name, "production", pressed)


def _held(
    body: Mapping[str, Any], run: Mapping[str, Any], name: str | None, called: list[str], delivery: Delivery
) -> Event:
    """A run that puts something out was cancelled, such as one that waits for approval. Its sender did it."""
    place = None if name is None else "production"
    spelt = {one: _JOINTS.sub(" ", one) for one in called}
    if name is None and not any(_ELSEWHERE.search(one) for one in spelt.values()):
        name = next((one for one, words in spelt.items() if _PUTS_OUT.search(words)), None)
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
