"""Rejects phrases that read like a translation, in everything a person reads: pages, rules, help, errors, templates.

`make lint` runs it. Each phrase has what to write instead. Docstrings count where `WITH_DOCSTRINGS` says so;
identifiers and comments in code do not.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[1]

PHRASES: dict[str, str] = {
    r"(is|are|was|were|be|been) told": "is reported, says, knows",
    r"to tell (how|whether|what|if|who) ": "to show, to report",
    r"tells (of|how|what|that|whether|when|its|the|who|which|where)": "says, shows, reports",
    r"told (of|that|alike|apart|by its|by a|by the)": "reported, distinguished",
    r"goes? by": "follows, depends on, uses",
    r"(lies?|lay|lying) (there|in|at|on|open|below|before|beyond|beside|within|outside|behind|above|to)": "is, is in",
    r"whoever": "the process that, anyone who",
    r"left away": "omitted",
    r"somebody": "someone",
    r"carr(y|ies|ied|ying) \w{0,12} ?over": "forward, copy, import, checkpoint",
    r"mend(s|ed|ing)?": "fix, repair",
    r"(is|are|was|were|been|be) taken back": "withdrawn, rolled back",
    r"takes? (it|them|the draft) back": "withdraws, rolls back",
    r"taken back": "withdrawn, rolled back, reverted",
    r"at any rate": "leave it out",
    r"no more than that": "leave it out",
    r"what is kept": "the data, what is stored",
    r"anew": "again",
    r"made-up": "synthetic, invented",
    r"lets? go( of)?": "evict, drop, release",
    r"let go( of)?": "evicted, dropped, released",
    r"for ever": "permanently, indefinitely",
    r"in the midst of": "during",
    r"steps? aside": "leaves the group, stands by",
    r"stands? still": "stops, does not advance",
    r"stood still": "stopped",
    r"put to sleep": "silenced",
    r"puts? to sleep": "silences",
    r"(is|are|was) regretted": "causes trouble",
    r"for want of": "for lack of, without",
    r"whatever (it|they|the|that|comes|its|came)": "any",
    r"as (they|it) lie": "as they are",
    r"come[s]? to light": "is found",
    r"has come into force": "is in force",
    r"not come into force": "not in force",
    r"keeps? to itself": "keeps",
    r"under way": "in progress, running",
    r"roll-outs?": "rollout",
    r"roll-backs?(?![,\]])": "rollback",
    r"hold(s|ing)? (it|them) against": "compare",
    r"held against": "compared with",
    r"pass(es|ed) over": "skipped",
    r"(is|are|be) well\b(?! [a-z]+ed)": "is fine, is healthy",
    r"(all|everything) is well": "everything is fine",
    r"comes? of it": "results",
    r"one after the other": "in sequence",
    r"again and again": "repeatedly",
    r"put before (a|the) (person|people)": "shown to",
    r"not (its|our) business": "not handled here",
    r"turned away": "refused, rejected",
    r"takes? (it|them|this) for": "treats as",
    r"for the sake of": "for",
    r"made up": "synthetic, invented",
    r"thousand million": "billion",
    r"gone by": "passed",
    r"had it not": "if it had not",
    r"had (nobody|somebody|you|the \w+) (not |been |gone |looked |renewed |managed )": "if nobody had",
    r"step under-way": "name the step in words",
    r"as the rule asks": "as the rule requires",
}
"""A pattern, on word borders and in any case, and what to write instead."""

PATTERN = {
    re.compile(rf"(?<![\w-])(?:{phrase})(?![\w-])", re.IGNORECASE): instead for phrase, instead in PHRASES.items()
}

RULE_TEXTS = ("title", "description", "ask")
WITH_DOCSTRINGS = frozenset({"core", "decode", "store"})
"""The packages of `monitor/` whose docstrings are checked; elsewhere those of commands alone, which are their help."""


class Hit(NamedTuple):
    """One phrase and where it stands."""

    file: Path
    line: int
    phrase: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.phrase!r}: write instead: {self.instead}"


def check(words: str) -> Iterator[tuple[int, str, str]]:
    """Each phrase found: its offset, itself, and what to write instead."""
    flat = re.sub(r"[\n\t]", " ", words)
    for pattern, instead in PATTERN.items():
        for found in pattern.finditer(flat):
            yield found.start(), found[0], instead


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file that people read, each with the line on which it starts."""
    source = (ROOT / path).read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from literals(path, ast.parse(source))
    elif path.parts[0] == "rules" and path.suffix == ".yaml":
        yield from rule_texts(source)
    elif path.suffix == ".html":
        yield 1, re.sub(r"\{[{%#].*?[}%#]\}", lambda found: re.sub(r"[^\n]", " ", found[0]), source, flags=re.DOTALL)
    else:
        yield 1, source


def literals(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """String literals, and the docstrings that people read."""
    docstrings = set()
    all_count = path.parts[0] == "monitor" and path.parts[1] in WITH_DOCSTRINGS
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            is_help = path.parts[:2] == ("monitor", "cli") and bool(getattr(node, "decorator_list", ()))
            is_read = all_count or is_help
            for statement in node.body:
                value = getattr(statement, "value", None)
                if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and not is_read:
                    docstrings.add(id(value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def rule_texts(source: str) -> Iterator[tuple[int, str]]:
    rule = yaml.safe_load(source)
    for name in RULE_TEXTS:
        line = next((number for number, text in enumerate(source.splitlines(), 1) if text.startswith(f"{name}:")), 1)
        value = rule.get(name) or ""
        yield line, "\n".join(value) if isinstance(value, list) else str(value)


def files() -> list[Path]:
    """What people read, relative to the root."""
    patterns = (
        "*.md",
        "docs/**/*.md",
        "rules/**/*",
        "deploy/**/*.yml",
        "monitor/**/*.yaml",
        "monitor/**/*.py",
        "monitor/**/*.html",
    )
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(ROOT) for path in found if path.suffix in (".md", ".yaml", ".yml", ".py", ".html"))


def find() -> list[Hit]:
    """Every phrase that should go."""
    hits = []
    for path in files():
        for start, words in texts(path):
            for offset, phrase, instead in check(words):
                hits.append(Hit(path, start + words.count("\n", 0, offset), phrase, instead))
    return sorted(set(hits))


if __name__ == "__main__":
    found = find()
    print(*found, sep="\n", file=sys.stderr)
    sys.exit(1 if found else 0)
