"""What workflows and pipelines are called: whether a name says that production is changed, or that someone operates."""

from __future__ import annotations

import re

from monitor.core.model.events import Kind

_TO_PRODUCTION = re.compile(
    r"(?=.*\b(?:deploy\w*|roll-?(?:back|out)|promote)\b)(?=.*\b(?:prod|production|live)\b).*", re.IGNORECASE
)
_PUTS_OUT = re.compile(r"\b(?:deploy\w*|release|roll-?(?:back|out)|promote|ship)\b", re.IGNORECASE)
_ROLLS_BACK = re.compile(r"\broll[ -]?back\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:stag\w*|dev\w*|test\w*|qa|uat|preview|sandbox|demo|pages|docs)\b", re.IGNORECASE)
_JOINTS = re.compile(r"[_/.\s-]+")
_OPERATIONS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"\b(?:restart|reboot|bounce)\b", re.IGNORECASE), "change.restarted"),
    (re.compile(r"\b(?:fail ?over|switch ?over)\b", re.IGNORECASE), "change.failed_over"),
    (re.compile(r"\b(?:scale|resize)\b", re.IGNORECASE), "change.scaled"),
    (re.compile(r"\b(?:rotate|renew)\b", re.IGNORECASE), "change.rotated"),
    (re.compile(r"\brestore\b", re.IGNORECASE), "change.restored"),
    (
        re.compile(r"\b(?:purge|flush|drain|evict|reindex|backfill|replay|requeue|unlock|runbook)\b", re.IGNORECASE),
        "change.ran",
    ),
)


def spaced(name: str) -> str:
    """A name or path with blanks between its words."""
    return _JOINTS.sub(" ", name)


def deploys_to_production(name: str) -> bool:
    """Whether what is called so changes production: it deploys there, or rolls back and names no other place."""
    words = spaced(name)
    return (rolls_back(words) and not is_elsewhere(words)) or _TO_PRODUCTION.fullmatch(words) is not None


def puts_out(name: str) -> bool:
    """Whether the name says that something is put out, wherever."""
    return _PUTS_OUT.search(spaced(name)) is not None


def rolls_back(name: str) -> bool:
    """Whether the name says that something is rolled back."""
    return _ROLLS_BACK.search(name) is not None


def is_elsewhere(name: str) -> bool:
    """Whether the name says a place that is not production."""
    return _ELSEWHERE.search(spaced(name)) is not None


def operation(name: str) -> Kind | None:
    """What a run of this name does to what runs, where its name says so; None for a check, a build, another place."""
    words = spaced(name)
    if is_elsewhere(words):
        return None
    return next((kind for pattern, kind in _OPERATIONS if pattern.search(words)), None)
