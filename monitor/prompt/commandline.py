"""PURE: what a command that a person ran does, by its words, and the same words without what is secret in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from monitor.core.model.events import Kind

LONGEST = 500
HIDDEN = "***"

_BEFORE = frozenset({"sudo", "doas", "env", "time", "nohup", "command", "exec"})
"""Programs that run the one behind them."""
_KUBERNETES: Mapping[str, Kind] = {
    "rollout undo": "change.rolled_back",
    "rollout restart": "change.restarted",
    "rollout pause": "change.held",
    "set image": "change.deployed",
    "scale": "change.scaled",
    "autoscale": "change.scaled",
    "delete": "change.deleted",
    "apply": "change.configured",
    "create": "change.configured",
    "edit": "change.configured",
    "patch": "change.configured",
    "replace": "change.configured",
    "set": "change.configured",
}
_VERBS: Mapping[str, Mapping[str, Kind]] = {
    "kubectl": _KUBERNETES,
    "oc": _KUBERNETES,
    "helm": {
        "rollback": "change.rolled_back",
        "upgrade": "change.deployed",
        "install": "change.deployed",
        "uninstall": "change.deleted",
    },
    "argocd": {"app rollback": "change.rolled_back", "app sync": "change.deployed", "app delete": "change.deleted"},
    "systemctl": {"restart": "change.restarted", "try-restart": "change.restarted"},
    "docker": {"restart": "change.restarted", "service rollback": "change.rolled_back"},
    "terraform": {"apply": "change.configured", "destroy": "change.deleted"},
    "tofu": {"apply": "change.configured", "destroy": "change.deleted"},
}
_HUSHED = r"[\w.-]*(?:pass|secret|token|key|auth|credential|cookie)[\w.-]*"
_FLAG = re.compile(rf"--?{_HUSHED}", re.IGNORECASE)
_ASSIGNED = re.compile(rf"((?:--?)?{_HUSHED}[=:])\s*\S.*", re.IGNORECASE | re.DOTALL)
_USER = re.compile(r"(://)[^/@\s]+@")


def kind_of(words: Sequence[str], exit_code: int) -> Kind:
    """The kind of change; `change.ran` where the words do not tell, `change.failed` where it failed."""
    if exit_code:
        return "change.failed"
    verbs = _VERBS.get(program(words))
    if verbs:
        said = [word.lower() for word in words if not word.startswith("-")]
        for place, word in enumerate(said):
            pair = " ".join(said[place : place + 2])
            if (found := verbs.get(pair) or verbs.get(word)) is not None:
                return found
    return "change.ran"


def program(words: Sequence[str]) -> str:
    """The name of the program that does the work: behind `sudo`, `env A=b` and the like."""
    for word in words:
        name = PurePath(word).name
        if name not in _BEFORE and not word.startswith("-") and "=" not in word:
            return name
    return PurePath(words[0]).name if words else ""


def shown(words: Sequence[str]) -> str:
    """The command in one line, passwords, tokens, keys and the like replaced by `***`."""
    found: list[str] = []
    hide_next = False
    for word in words:
        if hide_next and not word.startswith("-"):
            found.append(HIDDEN)
            hide_next = False
            continue
        hide_next = _FLAG.fullmatch(word) is not None
        plain = _USER.sub(rf"\1{HIDDEN}@", _ASSIGNED.sub(rf"\1{HIDDEN}", word))
        found.append(" ".join(plain.split()))
    line = " ".join(found)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
