"""GitHub's webhooks: deployments, merges, releases, reviews of deployments, comments and leaked secrets.

The header `X-GitHub-Event` names the event; where it is missing the shape of the body does. Identities are GitHub's
own numbers, so that the same event from a hook of the organisation and one of the repository is one event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from monitor.core.model.events import SECOND, Actor, Event, Kind
from monitor.core.model.reasons import Ignored
from monitor.decode.outcome import NoEvent
from monitor.decode.reading import Delivery, Moment, first, make, mapping, moment, not_the_shape, one_line, text
from monitor.decode.repository_paths import paths_of, told_by
from monitor.decode.signatures import GITHUB
from monitor.decode.tool import Sample, Tool
from monitor.decode.tools._github_parts import actor_of, common_labels, number_of, part_of, repository_of, service_of
from monitor.decode.tools._github_workflows import workflow_run

_DEPLOYED: dict[str, Kind] = {
    "success": "change.deployed",
    "failure": "change.failed",
    "error": "change.failed",
    "in_progress": "change.started",
    "queued": "change.started",
    "pending": "change.started",
}
_SECRET: dict[str, Kind] = {
    "created": "alert.fired",
    "publicly_leaked": "alert.fired",
    "reopened": "alert.fired",
    "revoked": "alert.resolved",
    "resolved": "alert.cancelled",
}
_MORE_KINDS: tuple[Kind, ...] = ("change.blocked", "change.merged", "change.rolled_back", "note.added")
_REVERTS = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
_REVERT_BUTTON = re.compile(r"\bReverts (?:[\w.-]+/[\w.-]+)?#(\d+)\b|\bfrom \S{1,200}/revert-(\d+)-")
"""What GitHub's button writes into the request, and what a merge of its branch says."""
_CLOCKS_DIFFER = 600 * SECOND
"""A commit's time is that of its author's clock."""
_QUIET = frozenset(
    {"check_run", "check_suite", "create", "delete", "deployment_protection_rule", "fork", "issues", "label", "member"}
    | {"merge_group", "milestone", "page_build", "pull_request_review", "pull_request_review_comment", "star", "status"}
    | {
        "pull_request_review_thread",
        "repository_dispatch",
        "watch",
        "workflow_dispatch",
        "workflow_job",
    }
)
"""Known, and no word about a running system."""


def split(body: Any, delivery: Delivery) -> list[Any]:
    """One body is one event. Raises Unreadable."""
    if not isinstance(body, dict):
        raise not_the_shape("the object that a GitHub webhook sends", body)
    return [body]


def read(piece: Any, delivery: Delivery) -> list[Event]:
    """The event of one body. Raises Unreadable or NoEvent."""
    body = mapping(piece)
    name = delivery.headers.get("x-github-event") or shape_of(body)
    if name is None and any(isinstance(body.get(part), dict) for part in _PARTS):
        raise NoEvent(Ignored.UNKNOWN_TYPE, "a body of GitHub without its header, of none of the events that we use")
    if name is None:
        raise not_the_shape("a header X-GitHub-Event, or a body that is plainly of one event", body)
    if name == "ping":
        raise NoEvent(Ignored.HANDSHAKE, "ping: GitHub tries the webhook out")
    reader = _READERS.get(name)
    if reader is None:
        reason = Ignored.NOT_RELEVANT if name in _QUIET else Ignored.UNKNOWN_TYPE
        raise NoEvent(reason, f"{name:.80} says nothing about a hazard, an action or impact")
    return [reader(body, delivery)]


def shape_of(body: Mapping[str, Any]) -> str | None:
    """The event that a body without its header belongs to."""
    if "secret_type" in mapping(body.get("alert")) and "location" not in body:
        return "secret_scanning_alert"
    if "commit_id" in mapping(body.get("comment")) and body.get("pull_request") is None:
        return "commit_comment"
    for name, needed in _SHAPES:
        if all(body.get(key) is not None for key in needed):
            return name
    return None


_PARTS = ("sender", "repository", "organization", "installation", "enterprise", "security_advisory")
"""One of these is in every body of GitHub."""
_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ping", ("zen", "hook")),
    ("deployment_status", ("deployment_status", "deployment")),
    ("deployment_review", ("workflow_run", "reviewers")),
    ("deployment_review", ("workflow_run", "approver")),
    ("deployment_protection_rule", ("deployment", "deployment_callback_url")),
    ("workflow_job", ("workflow_job",)),
    ("deployment", ("deployment",)),
    ("workflow_run", ("workflow_run",)),
    ("check_run", ("check_run",)),
    ("check_suite", ("check_suite",)),
    ("pull_request_review", ("pull_request", "review")),
    ("pull_request_review_comment", ("pull_request", "comment")),
    ("pull_request", ("pull_request",)),
    ("issue_comment", ("issue", "comment")),
    ("issues", ("issue",)),
    ("release", ("release",)),
    ("push", ("ref", "before", "after")),
)


def _deployment(body: Mapping[str, Any], delivery: Delivery) -> Event:
    deployment = part_of(body, "deployment")
    return _of_deployment(
        body,
        delivery,
        id=f"deployment/{number_of(deployment)}",
        kind="change.started",
        at=deployment.get("created_at"),
        more={},
    )


def _deployment_status(body: Mapping[str, Any], delivery: Delivery) -> Event:
    status, deployment = part_of(body, "deployment_status"), part_of(body, "deployment")
    state = text(status.get("state")) or ""
    kind = _DEPLOYED.get(state)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"deployment state {state!r:.40} changes nothing")
    if kind == "change.deployed" and (text(deployment.get("task")) or "").lower() in ("rollback", "deploy:rollback"):
        kind = "change.rolled_back"
    return _of_deployment(
        body,
        delivery,
        id=f"deployment_status/{number_of(status)}",
        kind=kind,
        at=status.get("created_at"),
        more={"state": state, "log_url": status.get("log_url"), "status_text": text(status.get("description"))},
    )


def _of_deployment(
    body: Mapping[str, Any], delivery: Delivery, *, id: str, kind: Kind, at: Any, more: Mapping[str, Any]
) -> Event:
    """What a deployment and its states share. The subject is the place deployed to, which a rollback shares too."""
    deployment = part_of(body, "deployment")
    environment = text(deployment.get("environment"))
    ref = text(deployment.get("ref"))
    return make(
        delivery,
        id=id,
        kind=kind,
        time=moment(at, "created_at"),
        service=service_of(body),
        environment=environment,
        subject="/".join(filter(None, ("deployment", repository_of(body), environment))),
        title=text(deployment.get("description")) or _deployment_title(body, ref, environment),
        actor=_who_deployed(body, deployment),
        labels={
            **common_labels(body),
            "version": text(deployment.get("sha")),
            "commit": text(deployment.get("sha")),
            "trigger": text(mapping(body.get("workflow_run")).get("event")),
            "ref": ref,
            "deployment": text(deployment.get("id")),
            "task": text(deployment.get("task")),
            "production_environment": deployment.get("production_environment"),
            "transient_environment": deployment.get("transient_environment"),
            "workflow": text(mapping(body.get("workflow")).get("name")),
            **more,
        },
        url=first(mapping(body.get("deployment_status")), ("target_url", "environment_url")),
    )


def _deployment_title(body: Mapping[str, Any], ref: str | None, environment: str | None) -> str:
    """`deploy main to production: checkout 5.14.0`, with what its state or its workflow's run says that it is."""
    run = mapping(body.get("workflow_run"))
    where = " ".join(filter(None, ("deploy", ref, "to" if environment else None, environment)))
    said = text(mapping(body.get("deployment_status")).get("description")) or text(run.get("display_title"))
    return where if said is None or said == text(run.get("name")) else f"{where}: {said}"


def _who_deployed(body: Mapping[str, Any], deployment: Mapping[str, Any]) -> Actor | None:
    """The person who pressed the button, where a workflow deploys in a bot's name; nobody presses a schedule.

    `dynamic` are GitHub's own workflows, such as that of its pages.
    """
    named = actor_of(deployment.get("creator")) or actor_of(body.get("sender"))
    run = mapping(body.get("workflow_run"))
    if (named is not None and named.kind == "human") or text(run.get("event")) in ("schedule", "dynamic"):
        return named
    pressed = actor_of(run.get("triggering_actor")) or actor_of(run.get("actor"))
    return pressed if pressed is not None and pressed.kind == "human" else named


def _deployment_review(body: Mapping[str, Any], delivery: Delivery) -> Event:
    run, action = part_of(body, "workflow_run"), text(body.get("action")) or "requested"
    environment = text(body.get("environment")) or text(mapping(body.get("workflow_job_run")).get("environment"))
    person = actor_of(body.get("approver")) or actor_of(body.get("requestor")) or actor_of(body.get("sender"))
    return make(
        delivery,
        id="/".join(
            filter(None, ("deployment_review", number_of(run), text(run.get("run_attempt")), environment, action))
        ),
        kind="change.blocked" if action == "rejected" else "note.added",
        time=moment(body.get("since"), "since") or moment(run.get("updated_at"), "workflow_run.updated_at"),
        service=service_of(body),
        environment=environment,
        subject=f"workflow_run/{number_of(run)}",
        title=f"review of a deployment {action}: {first(run, ('display_title', 'name')) or number_of(run)}",
        actor=person,
        labels={
            **common_labels(body),
            "version": text(run.get("head_sha")),
            "ref": text(run.get("head_branch")),
            "comment": text(body.get("comment")),
        },
        url=text(run.get("html_url")),
    )


def _pull_request(body: Mapping[str, Any], delivery: Delivery) -> Event:
    pull, action = part_of(body, "pull_request"), text(body.get("action"))
    if action != "closed" or pull.get("merged") is not True:
        why = "closed without a merge" if action == "closed" else f"pull request {action}"
        raise NoEvent(Ignored.NOT_RELEVANT, f"{why}: nothing was merged")
    head = text(mapping(pull.get("head")).get("ref"))
    undone = undone_request(f"from x/{head}") or undone_request(pull.get("body"))
    return make(
        delivery,
        id=f"pull_request/{number_of(pull)}/merged",
        kind="change.merged",
        time=moment(pull.get("merged_at"), "pull_request.merged_at"),
        service=service_of(body),
        subject=f"pull_request/{repository_of(body)}/{text(pull.get('number'))}",
        title=text(pull.get("title")),
        actor=actor_of(pull.get("merged_by")) or actor_of(body.get("sender")),
        labels={
            **common_labels(body),
            "version": text(pull.get("merge_commit_sha")),
            "commit": text(pull.get("merge_commit_sha")),
            "ref": text(mapping(pull.get("base")).get("ref")),
            "branch": head,
            "author": text(mapping(pull.get("user")).get("login")),
            "reverts": reverted(pull.get("body")) or undone,
            "reverts_pull_request": undone,
        },
        url=text(pull.get("html_url")),
    )


def _push(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """A push to the default branch. When it happened is the push time: a commit may be days older than its push."""
    repository = mapping(body.get("repository"))
    ref, after = text(body.get("ref")), text(body.get("after"))
    if ref is None:
        raise not_the_shape("ref, before and after in a push", body)
    branch = ref.removeprefix("refs/heads/")
    default = first(repository, ("default_branch", "master_branch"))
    if body.get("deleted") is True or after is None or not ref.startswith("refs/heads/") or branch != default:
        raise NoEvent(Ignored.NOT_RELEVANT, f"a push to {ref!r:.80}, which is not the default branch")
    commit = mapping(body.get("head_commit"))
    sender = actor_of(body.get("sender"))
    pusher = first(mapping(body.get("pusher")), ("name",))
    undone = undone_request(commit.get("message"))
    told = told_by(paths_of(body.get("commits")))
    return make(
        delivery,
        id=f"push/{repository_of(body)}/{ref}/{text(body.get('before'))}..{after}",
        kind="change.merged",
        time=_pushed_at(repository, commit),
        service=service_of(body),
        environment=told["environment"],
        subject=f"commit/{repository_of(body)}/{after}",
        title=(text(commit.get("message")) or "").partition("\n")[0] or None,
        actor=Actor(id=pusher, kind=sender.kind if sender else "unknown") if pusher else sender,
        labels={
            **common_labels(body),
            "version": after,
            "commit": after,
            "previous_version": text(body.get("before")),
            "reverts": reverted(commit.get("message")) or undone,
            "reverts_pull_request": undone,
            "ref": branch,
            "forced": body.get("forced") or None,
            "paths": told["paths"],
            "app": told["app"],
        },
        url=text(body.get("compare")),
    )


def _pushed_at(repository: Mapping[str, Any], commit: Mapping[str, Any]) -> Moment | None:
    """When it was pushed; where the repository says a time before the newest commit was made, it means another push."""
    pushed = moment(repository.get("pushed_at"), "repository.pushed_at")
    made = moment(commit.get("timestamp"), "head_commit.timestamp")
    if pushed is None or made is None:
        return pushed or made
    return pushed if pushed[0] >= made[0] - _CLOCKS_DIFFER else made


def _release(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """`published` and `released` are both sent for one release: they are one event."""
    release, action = part_of(body, "release"), text(body.get("action"))
    if action not in ("published", "released", "prereleased"):
        raise NoEvent(Ignored.NOT_RELEVANT, f"release {action}: nothing new was released")
    tag = text(release.get("tag_name"))
    is_early = release.get("prerelease") is True
    return make(
        delivery,
        id=f"release/{number_of(release)}" + ("/prerelease" if is_early else ""),
        kind="change.merged",
        time=moment(release.get("published_at"), "release.published_at"),
        service=service_of(body),
        subject=f"release/{repository_of(body)}/{tag}",
        title=text(release.get("name")) or f"release {tag}",
        actor=actor_of(release.get("author")) or actor_of(body.get("sender")),
        labels={
            **common_labels(body),
            "version": tag,
            "ref": text(release.get("target_commitish")),
            "prerelease": "true" if is_early else None,
        },
        url=text(release.get("html_url")),
    )


def _issue_comment(body: Mapping[str, Any], delivery: Delivery) -> Event:
    comment, issue = part_of(body, "comment"), mapping(body.get("issue"))
    action = text(body.get("action"))
    if action != "created":
        raise NoEvent(Ignored.NOT_RELEVANT, f"a comment was {action}: nobody saw anything new")
    return make(
        delivery,
        id=f"{'issue' if issue else 'commit'}_comment/{number_of(comment)}",
        kind="note.added",
        time=moment(comment.get("created_at"), "comment.created_at"),
        service=service_of(body),
        subject=f"issue/{repository_of(body)}/{text(issue.get('number'))}"
        if issue
        else f"commit/{repository_of(body)}/{text(comment.get('commit_id'))}",
        title=one_line(comment.get("body")) or text(issue.get("title")),
        actor=actor_of(comment.get("user")) or actor_of(body.get("sender")),
        labels={**common_labels(body), "text": text(comment.get("body")), "about": text(issue.get("title"))},
        url=text(comment.get("html_url")),
    )


def _secret(body: Mapping[str, Any], delivery: Delivery) -> Event:
    """A credential was found in the repository. Only a revocation ends the exposure; the secret itself is not kept."""
    alert, action = part_of(body, "alert"), text(body.get("action")) or ""
    resolution = text(alert.get("resolution"))
    kind = _SECRET.get("revoked" if action == "resolved" and resolution == "revoked" else action)
    if kind is None:
        raise NoEvent(Ignored.NOT_RELEVANT, f"secret scanning alert {action:.40}: the exposure is as it was")
    at = first(alert, ("resolved_at", "updated_at")) if action != "created" else alert.get("created_at")
    secret_type = first(alert, ("secret_type_display_name", "secret_type"))
    return make(
        delivery,
        id=f"secret_scanning_alert/{repository_of(body)}/{text(alert.get('number'))}/{action}/{at}",
        kind=kind,
        time=moment(at, "alert.created_at"),
        service=service_of(body),
        subject=f"secret_scanning_alert/{repository_of(body)}/{text(alert.get('number'))}",
        severity="high" if kind == "alert.fired" else None,
        title=f"secret found in the repository: {secret_type or 'of unknown type'}",
        actor=actor_of(alert.get("resolved_by")),
        labels={**common_labels(body), "secret_type": secret_type, "resolution": resolution},
        url=text(alert.get("html_url")),
    )


_READERS: dict[str, Callable[[Mapping[str, Any], Delivery], Event]] = {
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "deployment_review": _deployment_review,
    "workflow_run": workflow_run,
    "pull_request": _pull_request,
    "push": _push,
    "release": _release,
    "issue_comment": _issue_comment,
    "commit_comment": _issue_comment,
    "secret_scanning_alert": _secret,
}


def reverted(message: Any) -> str | None:
    """The commit that a message says it reverts, in the words that git itself writes."""
    found = _REVERTS.search(text(message) or "")
    return found[1] if found else None


def undone_request(message: Any) -> str | None:
    """The number of the pull request that the button Revert undoes."""
    found = _REVERT_BUTTON.search(text(message) or "")
    return (found[1] or found[2]) if found else None


_SAMPLE = """{"action": "created", "deployment_status": {"id": 12, "state": "success",
 "created_at": "2026-03-10T12:00:00Z", "creator": {"login": "dev-one", "type": "User"}}, "deployment": {"id": 11,
 "sha": "d6a7c1e0b2f34958", "ref": "main", "task": "deploy", "environment": "production", "creator": null},
 "repository": {"name": "payments", "full_name": "acme/payments"}, "sender": {"login": "dev-one", "type": "User"}}"""

_SETUP = """
*Settings → Webhooks → Add webhook* of the organisation or repository, address `https://nearmiss.example/ingest/github`,
content type `application/json`, a secret, and these events: *Deployments*, *Deployment statuses*, *Deployment reviews*,
*Pull requests*, *Pushes*, *Releases*, *Issue comments*, *Secret scanning alerts*; where workflows deploy without
GitHub's deployments, *Workflow runs* too.
"""

TOOL = Tool(
    name="github",
    title="GitHub",
    tells="deployments, merges, leaked secrets",
    kinds=tuple(sorted({*_DEPLOYED.values(), *_SECRET.values(), *_MORE_KINDS})),
    sample=Sample(_SAMPLE, ("change.deployed",), {"x-github-event": "deployment_status"}),
    setup=_SETUP,
    limits=(
        "Only deployments, and workflows named after a deployment to production, say that production changed.",
        "The service is the repository's name.",
    ),
    scheme=GITHUB,
    split=split,
    read=read,
)
