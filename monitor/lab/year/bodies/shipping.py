"""Bodies of what changes the system: GitHub's webhooks, CDEvents of pipelines, Kubernetes events, our own format.

Our own format stands for the tools that an organisation joins by a few lines: consoles, flags, chat, probes.
"""

from __future__ import annotations

from typing import Any

from monitor.core.model.events import Instant
from monitor.lab.year.bodies import SentBody, stamp, written
from monitor.lab.year.spelling import SpeltPerson


def account(login: str, kind: str = "User") -> dict[str, Any]:
    return {
        "login": login,
        "id": sum(login.encode()) * 7919,
        "node_id": f"MDQ6VXNlcj{sum(login.encode())}",
        "avatar_url": f"https://avatars.example/{login}",
        "url": f"https://api.github.com/users/{login}",
        "html_url": f"https://github.com/{login}",
        "type": kind,
        "site_admin": False,
    }


def repository(company: str, name: str, at: Instant) -> dict[str, Any]:
    return {
        "id": sum(name.encode()) * 104_729,
        "name": name,
        "full_name": f"{company}/{name}",
        "private": True,
        "owner": account(company, "Organization"),
        "html_url": f"https://github.com/{company}/{name}",
        "default_branch": "main",
        "pushed_at": stamp(at),
    }


def github(
    event: str, company: str, repo: str, at: Instant, sender: dict[str, Any], content: dict[str, Any]
) -> SentBody:
    """A webhook: what it is about, then the repository and who caused it."""
    body = {
        **content,
        "repository": repository(company, repo, at),
        "organization": {"login": company},
        "sender": sender,
    }
    return written(f"github/{company}", body, X_GitHub_Event=event, User_Agent="GitHub-Hookshot/044aadd")


def deployment_status(
    company: str,
    repo: str,
    number: int,
    state: str,
    environment: str,
    sha: str,
    at: Instant,
    creator: dict[str, Any],
    pressed: dict[str, Any] | None,
    description: str | None,
) -> SentBody:
    """A state of a deployment. Where a bot created it the run says who had it start."""
    deployment = {
        "url": f"https://api.github.com/repos/{company}/{repo}/deployments/{number}",
        "id": number,
        "sha": sha,
        "ref": "main",
        "task": "deploy",
        "payload": {},
        "original_environment": environment,
        "environment": environment,
        "description": description,
        "creator": creator,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "transient_environment": False,
        "production_environment": environment not in ("staging", "dev"),
    }
    status = {
        "url": f"https://api.github.com/repos/{company}/{repo}/deployments/{number}/statuses/{number * 3 + 1}",
        "id": number * 3 + {"in_progress": 0, "success": 1, "failure": 2}[state],
        "state": state,
        "creator": creator,
        "description": "",
        "environment": environment,
        "target_url": "",
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }
    content: dict[str, Any] = {"action": "created", "deployment_status": status, "deployment": deployment}
    if pressed is not None:
        content["workflow_run"] = {
            "id": number * 11,
            "name": "deploy",
            "head_sha": sha,
            "head_branch": "main",
            "event": "workflow_dispatch" if pressed["type"] == "User" else "push",
            "status": "in_progress",
            "run_attempt": 1,
            "actor": pressed,
            "triggering_actor": pressed,
        }
    return github("deployment_status", company, repo, at, creator, content)


def merged(
    company: str,
    repo: str,
    number: int,
    title: str,
    sha: str,
    at: Instant,
    author: SpeltPerson,
    by: SpeltPerson,
    branch: str,
    text: str,
) -> SentBody:
    return github(
        "pull_request",
        company,
        repo,
        at,
        account(by.login),
        {
            "action": "closed",
            "number": number,
            "pull_request": {
                "id": number * 1_009 + sum(repo.encode()) * 1_000_003,
                "number": number,
                "state": "closed",
                "title": title,
                "body": text,
                "user": account(author.login),
                "merged": True,
                "merged_at": stamp(at),
                "closed_at": stamp(at),
                "merged_by": account(by.login),
                "merge_commit_sha": sha,
                "head": {"ref": branch, "sha": sha[::-1]},
                "base": {"ref": "main", "sha": sha[::-1]},
                "html_url": f"https://github.com/{company}/{repo}/pull/{number}",
            },
        },
    )


def comment(company: str, repo: str, number: int, title: str, text: str, at: Instant, who: SpeltPerson) -> SentBody:
    return github(
        "issue_comment",
        company,
        repo,
        at,
        account(who.login),
        {
            "action": "created",
            "issue": {"id": number * 13, "number": number, "title": title, "state": "open", "user": account(who.login)},
            "comment": {
                "id": number * 17,
                "body": text,
                "created_at": stamp(at),
                "user": account(who.login),
                "html_url": f"https://github.com/{company}/{repo}/issues/{number}",
            },
        },
    )


def leaked_secret(company: str, repo: str, number: int, action: str, began: Instant, at: Instant, by: str) -> SentBody:
    return github(
        "secret_scanning_alert",
        company,
        repo,
        at,
        account(by),
        {
            "action": action,
            "alert": {
                "number": number,
                "created_at": stamp(began),
                "updated_at": stamp(at),
                "state": "open" if action == "created" else "resolved",
                "resolution": None if action == "created" else "revoked",
                "resolved_by": None if action == "created" else account(by),
                "resolved_at": None if action == "created" else stamp(at),
                "secret_type": "cloud_access_key",
                "secret_type_display_name": "Cloud Access Key",
            },
        },
    )


def cdevent(company: str, kind: str, identity: str, at: Instant, subject: str, content: dict[str, Any]) -> SentBody:
    return written(
        "cdevents",
        {
            "context": {
                "version": "0.4.1",
                "id": identity,
                "source": f"/{company}/pipelines",
                "type": f"dev.cdevents.{kind}.0.2.0",
                "timestamp": stamp(at),
            },
            "subject": {"id": subject, "source": f"/{company}/pipelines", "content": content},
        },
    )


def kubernetes(
    uid: str,
    namespace: str,
    kind: str,
    name: str,
    reason: str,
    message: str,
    at: Instant,
    *,
    warning: bool = False,
    component: str = "kubelet",
    count: int = 1,
    node: str | None = None,
) -> SentBody:
    """A `v1` Event as an exporter of events forwards it."""
    return written(
        "kubernetes/main",
        {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": f"{name}.{uid[:12]}", "namespace": namespace, "uid": uid},
            "involvedObject": {"kind": kind, "namespace": namespace, "name": name, "apiVersion": "v1"},
            "reason": reason,
            "message": message,
            "source": {"component": component} | ({"host": node} if node else {}),
            "firstTimestamp": stamp(at),
            "lastTimestamp": stamp(at),
            "count": count,
            "type": "Warning" if warning else "Normal",
            "reportingComponent": component,
        },
    )


def own(source: str, identity: str, kind: str, at: Instant, **fields: Any) -> SentBody:
    """Canonical format, as a team's script sends it."""
    said = {name: value for name, value in fields.items() if value is not None}
    return written("events", {"id": identity, "source": source, "kind": kind, "time": stamp(at), **said})
