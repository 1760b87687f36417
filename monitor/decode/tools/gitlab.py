"""GitLab's webhooks: deployments, merges, feature flags, releases, comments, GitLab's own alerts and incidents.

The field `object_kind` names the event. GitLab writes times in three forms within one body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from monitor.core.model.events import Event, Kind
from monitor.core.model.reasons import Ignored, Rejected
from monitor.core.model.words import environment_of
from monitor.decode.outcome import NoEvent, Unreadable
from monitor.decode.people import Named, who
from monitor.decode.reading import (
    Delivery,
    day_of,
    first,
    make,
    mapping,
    not_the_shape,
    one_line,
    sequence,
    severity,
    text,
)
from monitor.decode.repository_paths import is_of_many, paths_of, told_by
from monitor.decode.signatures import GITLAB
from monitor.decode.tool import Sample, Tool
from monitor.decode.tool_times import tool_time
from monitor.decode.workflow_names import deploys_to_production, rolls_back, spaced

_DEPLOYED: dict[str, Kind] = {
    "created": "change.started",
    "running": "change.started",
    "success": "change.deployed",
    "failed": "change.failed",
    "canceled": "change.held",
    "blocked": "change.held",
    "rejected": "change.blocked",
}
_QUIET = frozenset({"wiki_page", "job", "build", "subgroup", "emoji", "access_token", "member", "project"})
_QUIET_TOO = frozenset({"vulnerability", "work_item", "milestone", "resource_access_token", "system"})
_REVERTS = re.compile(r"\bThis reverts (?:commit ([0-9a-f]{7,64})|merge request !(\d+))")
_NOWHERE = "0" * 40


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    if text(mapping(body).get("object_kind")) is None and text(mapping(body).get("event_name")) is None:
        raise not_the_shape("a body of a GitLab webhook with object_kind", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    name = first(body, ("object_kind", "event_name")) or ""
    reader = _READERS.get(name)
    if reader is None:
        reason = Ignored.NOT_RELEVANT if name in _QUIET | _QUIET_TOO else Ignored.UNKNOWN_TYPE
        raise NoEvent(reason, f"{name:.60} says nothing about a hazard, an action or impact")
    return [reader(body, delivery)]


def _deployment(body: Mapping[str, Any], delivery: Delivery) -> Event:
    status = text(body.get("status")) or ""
    kind = _DEPLOYED.get(status)
    if kind is None:
        raise NoEvent(Ignored.UNKNOWN_TYPE, f"deployment status {status!r:.40} is none that we know")
    identity, environment = _identity(body, "deployment_id"), text(body.get("environment"))
    actor, said = _user(body)
    return make(
        delivery,
        id=f"deployment/{_path(body)}/{identity}/{status}",
        kind=kind,
        time=tool_time(body.get("status_changed_at"), "status_changed_at"),
        service=_service(body),
        environment=environment,
        subject="/".join(filter(None, ("deployment", _path(body), environment))),
        title=text(body.get("commit_title")) or f"deploy {text(body.get('ref'))} to {environment}",
        actor=actor,
        labels={
            **said,
            "repository": _path(body),
            "version": text(body.get("short_sha")),
            "commit": text(body.get("short_sha")),
            "ref": text(body.get("ref")),
            "deployment": identity,
            "environment_tier": text(body.get("environment_tier")),
            "status": status,
        },
        url=first(body, ("deployable_url", "environment_external_url", "commit_url")),
    )


_FINISHED: dict[str, Kind] = {"success": "change.deployed", "failed": "change.failed", "canceled": "change.held"}


def _pipeline(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """A pipeline with a job that deploys to production: as its deployment would say it, where no such hook is set."""
    pipeline = mapping(body.get("object_attributes"))
    jobs = [job for job in map(mapping, sequence(body.get("builds"))) if _deploys(job)]
    ended = [job for job in jobs if text(job.get("status")) in _FINISHED]
    if text(pipeline.get("status")) not in _FINISHED or not ended:
        raise NoEvent(Ignored.NOT_RELEVANT, "a pipeline of which no job has deployed to production")
    job = next((one for one in ended if text(one.get("status")) == "failed"), ended[-1])
    status = text(job.get("status")) or ""
    environment = text(mapping(job.get("environment")).get("name")) or "production"
    commit = mapping(body.get("commit"))
    pressed = mapping(job.get("user")) or mapping(body.get("user"))
    actor, said = _user({"user": pressed})
    return make(
        delivery,
        id=f"pipeline/{_identity(pipeline, 'id')}/{text(job.get('id'))}/{status}",
        kind="change.rolled_back" if status == "success" and rolls_back(_called(job)) else _FINISHED[status],
        time=tool_time(job.get("finished_at"), "finished_at") or tool_time(pipeline.get("finished_at"), "finished_at"),
        service=_service(body),
        environment=environment,
        subject="/".join(filter(None, ("deployment", _path(body), environment))),
        title=text(commit.get("title")) or f"{_called(job)}: {status}",
        actor=actor,
        labels={
            **said,
            "repository": _path(body),
            "version": (text(pipeline.get("sha")) or "")[:8],
            "commit": (text(pipeline.get("sha")) or "")[:8],
            "ref": text(pipeline.get("ref")),
            "trigger": text(pipeline.get("source")),
            "job": text(job.get("name")),
            "status": status,
        },
        url=text(pipeline.get("url")),
    )


def _called(job: Mapping[str, Any]) -> str:
    return spaced(f"{text(job.get('stage')) or ''} {text(job.get('name')) or ''}")


def _deploys(job: Mapping[str, Any]) -> bool:
    place = mapping(job.get("environment"))
    if text(place.get("name")) is None:
        return deploys_to_production(_called(job))
    to_production = (
        text(place.get("deployment_tier")) or environment_of(text(place.get("name")) or "")
    ) == "production"
    return to_production and (text(place.get("action")) or "start") == "start"


def _merge_request(body: Mapping[str, Any], delivery: Delivery) -> Event:
    merge = _part(body, "object_attributes")
    action, state = text(merge.get("action")), text(merge.get("state"))
    if not (action == "merge" or (action is None and state == "merged")):
        raise NoEvent(Ignored.NOT_RELEVANT, f"merge request {action or state}: nothing was merged")
    message = f"{text(merge.get('description')) or ''}\n{text(mapping(merge.get('last_commit')).get('message')) or ''}"
    undone = _REVERTS.search(message)
    actor, said = _user(body)
    target = text(merge.get("target_branch"))
    return make(
        delivery,
        id=f"merge_request/{_identity(merge, 'id')}/merged",
        kind="change.merged",
        time=tool_time(first(merge, ("merged_at", "updated_at")), "updated_at"),
        service=_service(body),
        subject=f"merge_request/{_path(body)}/{text(merge.get('iid'))}",
        title=text(merge.get("title")),
        actor=actor,
        labels={
            **said,
            "repository": _path(body),
            "version": text(merge.get("merge_commit_sha")),
            "commit": first(merge, ("merge_commit_sha", "squash_commit_sha")),
            "ref": target,
            "branch": text(merge.get("source_branch")),
            "reverts": undone[1] if undone else None,
            "reverts_pull_request": undone[2] if undone else None,
        },
        url=text(merge.get("url")),
    )


def _push(body: Mapping[str, Any], delivery: Delivery) -> Event:
    ref, after = text(body.get("ref")) or "", text(body.get("after"))
    is_tag = ref.startswith("refs/tags/")
    branch = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    default = text(mapping(body.get("project")).get("default_branch"))
    if after in (None, _NOWHERE) or (not is_tag and branch != default):
        raise NoEvent(Ignored.NOT_RELEVANT, f"a push to {ref!r:.80}, which is not the default branch")
    commits = [mapping(item) for item in sequence(body.get("commits"))]
    last = next((item for item in commits if item.get("id") == after), commits[-1] if commits else {})
    undone = _REVERTS.search(text(last.get("message")) or "")
    actor, said = who(body.get("user_username"), body.get("user_name"), body.get("user_email"))
    told = told_by(paths_of(commits))
    return make(
        delivery,
        id=f"push/{_path(body)}/{ref}/{text(body.get('before'))}..{after}",
        kind="change.merged",
        time=None if is_tag else tool_time(last.get("timestamp"), "commits.timestamp"),
        service=_service(body),
        environment=told["environment"],
        subject=f"commit/{_path(body)}/{after}",
        title=first(last, ("title", "message")) or (f"tag {branch}" if is_tag else None),
        actor=actor,
        labels={
            **said,
            "repository": _path(body),
            "version": branch if is_tag else after,
            "commit": text(body.get("checkout_sha")) or after,
            "previous_version": text(body.get("before")),
            "ref": branch,
            "reverts": undone[1] if undone else None,
            "paths": told["paths"],
            "app": told["app"],
        },
    )


def _feature_flag(body: Mapping[str, Any], delivery: Delivery) -> Event:
    flag = _part(body, "object_attributes")
    state = "on" if flag.get("active") is True else "off"
    actor, said = _user(body)
    delivered = delivery.headers.get("x-gitlab-event-uuid") or day_of(delivery)
    return make(
        delivery,
        id=f"feature_flag/{_identity(flag, 'id')}/{state}/{delivered}",
        kind="change.flag_set",
        time=None,
        service=_service(body),
        subject=f"flag/{_path(body)}/{text(flag.get('name'))}",
        title=f"flag {text(flag.get('name'))} turned {state}",
        actor=actor,
        labels={**said, "repository": _path(body), "flag": text(flag.get("name")), "state": state},
    )


def _release(body: Mapping[str, Any], delivery: Delivery) -> Event:
    action = text(body.get("action"))
    if action != "create":
        raise NoEvent(Ignored.NOT_RELEVANT, f"release {action}: nothing new was released")
    tag = text(body.get("tag"))
    return make(
        delivery,
        id=f"release/{_path(body)}/{_identity(body, 'id')}",
        kind="change.merged",
        time=tool_time(first(body, ("released_at", "created_at")), "released_at"),
        service=_service(body),
        subject=f"release/{_path(body)}/{tag}",
        title=text(body.get("name")) or f"release {tag}",
        labels={
            "repository": _path(body),
            "version": tag,
            "commit": text(mapping(body.get("commit")).get("id")),
        },
        url=text(body.get("url")),
    )


def _note(body: Mapping[str, Any], delivery: Delivery) -> Event:
    note = _part(body, "object_attributes")
    if note.get("system") is True or text(note.get("action")) == "update":
        raise NoEvent(Ignored.NOT_RELEVANT, "GitLab's own remark, or an edited comment: nobody saw anything new")
    about = next(
        (mapping(body.get(name)) for name in ("merge_request", "issue", "commit", "snippet") if body.get(name)), {}
    )
    actor, said = _user(body)
    kind_of = text(note.get("noteable_type")) or "thing"
    return make(
        delivery,
        id=f"note/{_identity(note, 'id')}",
        kind="note.added",
        time=tool_time(note.get("created_at"), "created_at"),
        service=_service(body),
        subject=f"{kind_of.lower()}/{_path(body)}/{first(about, ('iid', 'id'))}",
        title=one_line(note.get("note")) or first(about, ("title", "message")),
        actor=actor,
        labels={
            **said,
            "repository": _path(body),
            "text": text(note.get("note")),
            "about": one_line(first(about, ("title", "message"))),
        },
        url=text(note.get("url")),
    )


def _issue(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """Incidents of GitLab are issues of a type of their own; other issues say nothing about what runs."""
    issue = _part(body, "object_attributes")
    if (text(issue.get("type")) or "").lower() != "incident":
        raise NoEvent(Ignored.NOT_RELEVANT, "an issue that is no incident")
    action = text(issue.get("action")) or text(issue.get("state")) or ""
    kind: Kind = "incident.updated"
    if action in ("open", "opened", "reopen"):
        kind = "incident.opened"
    elif action in ("close", "closed"):
        kind = "incident.closed"
    at = first(issue, ("closed_at",) if kind == "incident.closed" else ("updated_at", "created_at"))
    actor, said = _user(body)
    word = text(issue.get("severity"))
    return make(
        delivery,
        id=f"incident/{_identity(issue, 'id')}/{action}/{at}",
        kind=kind,
        time=tool_time(at, "updated_at"),
        service=_service(body),
        subject=f"incident/{_path(body)}/{text(issue.get('iid'))}",
        severity=severity(word),
        title=text(issue.get("title")),
        actor=actor,
        labels={**said, "repository": _path(body), "severity": word, "impact": "unknown"},
        url=text(issue.get("url")),
    )


def _identity(part: Mapping[str, Any], name: str) -> str:
    found = text(part.get(name))
    if found is None:
        raise Unreadable(Rejected.MISSING_FIELD, f"{name} is missing; GitLab sends it with every event of this kind")
    return found


def _part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise not_the_shape(f"an object {name!r} in a body of this event", body)
    return part


def _path(body: Mapping[str, Any]) -> str | None:
    project = mapping(body.get("project"))
    return first(project, ("path_with_namespace", "name")) or text(body.get("project_id"))


def _service(body: Mapping[str, Any]) -> str | None:
    name = text(mapping(body.get("project")).get("name"))
    return None if is_of_many(name) else name


def _user(body: Mapping[str, Any]) -> Named:
    """GitLab's own robots carry `_bot_` in their names."""
    user = mapping(body.get("user"))
    name = first(user, ("username", "name"))
    is_bot = name is not None and re.search(r"(?:^|_)bot(?:_|$)", name) is not None
    return who(name, user.get("name"), user.get("email"), "automation" if is_bot else "human") if name else (None, {})


_READERS: dict[str, Callable[[Mapping[str, Any], Delivery], Event]] = {
    "deployment": _deployment,
    "pipeline": _pipeline,
    "merge_request": _merge_request,
    "push": _push,
    "tag_push": _push,
    "feature_flag": _feature_flag,
    "release": _release,
    "note": _note,
    "issue": _issue,
    "incident": _issue,
}

_SAMPLE = """{"object_kind": "deployment", "status": "success", "status_changed_at": "2026-03-10 13:00:00 +0100",
 "deployment_id": 15, "environment": "production", "environment_tier": "production", "short_sha": "279484c0",
 "ref": "main", "commit_title": "Retry the provider twice", "project": {"name": "payments",
 "path_with_namespace": "acme/payments"}, "user": {"name": "Dev One", "username": "dev-one"}}"""

_SETUP = """
*Settings → Webhooks → Add new webhook* of the group or project, URL `https://nearmiss.example/ingest/gitlab`, a secret
token (set it as `NEARMISS_SECRETS__GITLAB`), and the triggers *Push*, *Tag push*, *Comments*, *Issues*, *Merge
request*, *Deployment*, *Feature flag*, *Releases*.
"""

TOOL = Tool(
    name="gitlab",
    title="GitLab",
    tells="deployments, merges, feature flags, releases, incidents",
    kinds=tuple(
        sorted(
            {*_DEPLOYED.values(), "change.merged", "change.flag_set", "note.added"}
            | {"incident.opened", "incident.updated", "incident.closed"}
        )
    ),
    sample=Sample(_SAMPLE, ("change.deployed",), {"x-gitlab-event": "Deployment Hook"}),
    setup=_SETUP,
    limits=(
        "The service is the project's name.",
        "A feature flag tells no time: that of receipt stands in.",
        "A pipeline counts where a job of it deploys to production. Tick *Deployment* or *Pipeline*, not both.",
        "Jobs by themselves are left out: what they deploy is a deployment.",
    ),
    scheme=GITLAB,
    split=split,
    read=read,
)
