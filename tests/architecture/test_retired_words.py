"""Words of our own that the field's words replaced do not come back: in names, log events, metrics, pages and titles.

`docs/glossary.md` has the words that stay; `scripts/prose.py` keeps turns of phrase out of sentences.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.app.metrics import Metrics
from tests.architecture.files import python, text, tracked

RETIRED = {
    "told": "derived facts",
    "plays": "matched steps",
    "room": "pending hazards",
    "over": "cleared alerts",
    "noted": "outcome so far",
    "shelf": "event series",
    "keeping": "retention policy",
    "kept": "retention policy, TTL",
    "terms": "TTL",
    "tenure": "lease",
    "crew": "worker pool",
    "seat": "membership",
    "lane": "partition buffer, destination",
    "turns": "process lock",
    "hinting_store": "offset committer",
    "pace": "clock-skew guard",
}
"""No class is called one of these, and what to call it instead."""
RETIRED_ANYWHERE = {
    "bear_out": "confirm",
    "borne_out": "confirmed",
    "at_home": "home shard",
    "travelling": "broadcast",
    "roaming": "cross-service",
    "begin_anew": "rebuild_indexes",
    "lineage": "last-known values",
    "displaced": "evicted",
    "let_go": "evict",
    "sweep": "evict, expire",
    "swept": "evicted",
    "insist_on": "retry",
    "carry_over": "checkpoint, import, forward",
    "carried_over": "forwarded",
    "shelf": "event series",
    "tenure": "lease",
    "crew": "worker pool",
    "hinting": "offset committer",
}
"""No name, log event, metric, page or title has one of these, whole or between underscores."""


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")


def retired(words: str) -> list[str]:
    """The retired words in a text or a name, however its parts are joined."""
    flat = re.sub(r"[\s-]+", "_", words.lower())
    return [word for word in RETIRED_ANYWHERE if re.search(rf"(?<![a-z]){word}(?![a-z])", flat)]


def names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def events(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The constant names of log events."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first, of = node.args[0], node.func.value
            is_log = isinstance(of, ast.Name) and of.id in ("_log", "log")
            if is_log and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, node.lineno


@pytest.mark.parametrize("path", python("monitor"), ids=str)
def test_no_module_has_a_retired_name(path: Path) -> None:
    tree = ast.parse(text(path) or "")
    classes = [
        (node.name, node.lineno, RETIRED[snake(node.name)])
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and snake(node.name) in RETIRED
    ]
    others = [(name, line, word) for name, line in names(tree) for word in retired(snake(name))]
    logged = [(event, line, word) for event, line in events(tree) for word in retired(event)]
    assert classes + others + logged == []
    assert retired(path.stem) == []


def test_no_metric_has_a_retired_word() -> None:
    said = {family.name: retired(f"{family.name} {family.documentation}") for family in Metrics().registry.collect()}
    assert {name: words for name, words in said.items() if words} == {}


PAGES = [path for path in tracked() if path.suffix == ".md"]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_page_or_decision_has_a_retired_word(page: Path) -> None:
    assert retired(text(page) or "") == []
    assert retired(page.stem) == []


@pytest.mark.parametrize("name", ["let go", "Carried over", "_begin_anew", "HintingStore", "kafka_displaced_total"])
def test_a_retired_word_is_found_however_it_is_written(name: str) -> None:
    assert retired(snake(name) if name.isidentifier() else name)
