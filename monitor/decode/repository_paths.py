"""What a change of a repository touches, by the paths of its files: GitOps repositories name their applications so.

A repository that holds one service only says nothing more by its paths; there the repository is the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.core.model.words import names_environment
from monitor.decode.reading import mapping, sequence, text

_CONTAINERS = frozenset(
    {"apps", "applications", "services", "releases", "workloads", "deployments", "charts", "helm", "components"}
    | {"clusters", "environments", "envs", "overlays", "stages", "projects", "tenants", "packages", "modules", "teams"}
)
"""Directories that hold an application, or an environment, each."""
_GENERIC = frozenset(
    {"base", "bases", "overlays", "values", "release", "kustomization", "deployment", "config", "common", "shared"}
    | {"templates", "manifests", "chart", "main", "default", "defaults", "infrastructure", "infra", "k8s", "image"}
)
_CHANGED = ("added", "modified", "removed")
_FILE = re.compile(r"(?P<stem>[^/.]+)(?:[.-][^/]*)?\.(?:ya?ml|json|toml|tf|tfvars|hcl)")
_OF_MANY = re.compile(
    r"(?:.*[-_.])?gitops(?:[-_.].*)?|fleet-infra|(?:.*[-_.])?(?:k8s|kube|kubernetes|deployment|cluster)[-_.](?:manifests|config)"
    r"|manifests|(?:.*[-_.])?helm-?charts|(?:argo-?cd|flux)[-_.](?:apps|config|manifests)",
    re.IGNORECASE,
)
_LONGEST_NAME = 200
MOST_PATHS, MOST_COMMITS = 300, 50


def is_of_many(repository: str | None) -> bool:
    """Whether a repository is called as those that hold what all services are deployed by: it is no service itself."""
    return repository is not None and len(repository) <= _LONGEST_NAME and _OF_MANY.fullmatch(repository) is not None


def paths_of(commits: Any) -> list[str]:
    """The files of a push, as GitHub and GitLab list them by commit; each once, in order."""
    found = {
        path: None
        for commit in map(mapping, sequence(commits)[:MOST_COMMITS])
        for how in _CHANGED
        for one in sequence(commit.get(how))[:MOST_PATHS]
        if (path := text(one)) is not None
    }
    return list(found)[:MOST_PATHS]


def told_by(paths: Iterable[str]) -> Mapping[str, str | None]:
    """Labels `paths`, and `app` and `environment` where all the files say the same one."""
    listed = list(paths)
    places = [_place(path) for path in listed]
    apps, environments = {app for app, _ in places}, {environment for _, environment in places}
    return {
        "paths": ",".join(listed)[:1000] or None,
        "app": apps.pop() if len(apps) == 1 else None,
        "environment": environments.pop() if len(environments) == 1 else None,
    }


def _place(path: str) -> tuple[str | None, str | None]:
    """`clusters/staging/basket/release.yaml` is of basket, in staging."""
    *directories, file = path.split("/")
    stem = _FILE.fullmatch(file)
    app = environment = None
    inside = False
    for part in [*directories, *([stem["stem"]] if stem else [])]:
        if part.casefold() in _CONTAINERS:
            inside = True
        elif not inside or part.casefold() in _GENERIC:
            continue
        elif names_environment(part):
            environment = environment or part
        elif app is None:
            app = part
    return app, environment
