"""Reads case files: YAML on the disk → `monitor.lab.cases.Case`, each problem with its file, line and column.

Knows nothing of how a case is judged.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec

from monitor.core.model.catalogue import Catalogue
from monitor.lab.cases import BadCase, Case, Confidence, Label, PathInData, read_case, unknown_keys
from monitor.located.checks import Check
from monitor.located.nodes import Listing, Mapping, Node, Plain, Scalar, plain, read_located
from monitor.located.problems import Place, Problem, Problems, listed, meant
from monitor.packs.catalogue.loader import read_catalogue
from monitor.packs.examples.slips import find_slips

_WORDS: dict[str, tuple[str, ...]] = {"label": get_args(Label), "confidence": get_args(Confidence)}
CASE_SAMPLE = "`id: …`, `label: near_miss` and `events: [{id: e1, time: 2026-01-31T12:00:00Z, …}]`"


class CaseFile(msgspec.Struct, frozen=True):
    """What became of one file: its case, or None and the errors among `problems`."""

    path: Path
    case: Case | None
    problems: tuple[Problem, ...]


def find_case_files(directory: Path) -> list[Path]:
    """Every YAML file directly in the directory, by name."""
    found = (path for path in directory.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
    return sorted(found, key=lambda path: (path.stem, path.suffix))


def load_case(path: Path) -> CaseFile:
    """The case of a file. Never raises for what the file holds."""
    problems = Problems()
    node = read_located(path, problems)
    if node is None:
        return CaseFile(path, None, tuple(problems))
    data = _as_written(node)
    for flaw in unknown_keys(data):
        hint = meant(str(flaw.path[-1]), flaw.known, "removing it")
        problems.warning(Check.CASE_SLIP, _place(node, flaw.path), flaw.message, f"one of {listed(flaw.known)}", hint)
    events = node.get("events") if isinstance(node, Mapping) else None
    for event in events.items if isinstance(events, Listing) else []:
        if isinstance(event, Mapping):
            find_slips(event, problems)
    catalogue = _long_catalogue(node, problems)
    case = None
    try:
        case = read_case(data, catalogue)
    except BadCase as bad:
        for flaw in bad.flaws:
            if (found := _word(node, flaw.path)) is not None:
                (word, place), words = found, _WORDS[str(flaw.path[0])]
                problems.error(place, f"{flaw.path[0]} is {word!r}", listed(words), meant(word, words, repr(words[0])))
                continue
            hint = "the `id:` of one of its `events:`" if flaw.path[:1] == ("expect",) else CASE_SAMPLE
            problems.error(_place(node, flaw.path), str(flaw), "a case file", hint)
    return CaseFile(path, None if problems.errors else case, tuple(problems))


def _word(node: Node, path: PathInData) -> tuple[str, Place] | None:
    """What stands where one of a few words has to, and where; None for any other place."""
    value = node.get(str(path[0])) if len(path) == 1 and path[0] in _WORDS and isinstance(node, Mapping) else None
    return (value.text, value.place) if isinstance(value, Scalar) else None


def _long_catalogue(node: Node, problems: Problems) -> Catalogue | None:
    """The catalogue where it is in the form that operators keep; None where it is in the short form of cases."""
    written = node.get("catalogue") if isinstance(node, Mapping) else None
    if not isinstance(written, Mapping) or "services" not in written.entries:
        return None
    return read_catalogue(written, problems)


def _as_written(node: Node) -> Plain:
    """Plain data in which identities and labels are texts exactly as written: a version 1.10 is not the number 1.1."""
    data = plain(node)
    if not (isinstance(node, Mapping) and isinstance(data, dict)):
        return data
    for key in ("id", "title"):
        if isinstance(value := node.get(key), Scalar):
            data[key] = value.text
    events, written = node.get("events"), data.get("events")
    if isinstance(events, Listing) and isinstance(written, list):
        for item, event in zip(events.items, written, strict=True):
            labels = item.get("labels") if isinstance(item, Mapping) else None
            if isinstance(event, dict) and isinstance(labels, Mapping):
                event["labels"] = _texts(labels)
    expect = node.get("expect")
    if isinstance(expect, Mapping) and isinstance(kept := data.get("expect"), dict):
        for part in ("hazard", "intervention"):
            if isinstance(ids := expect.get(part), Listing):
                kept[part] = [one.text if isinstance(one, Scalar) else plain(one) for one in ids.items]
    return data


def _texts(labels: Mapping) -> dict[str, Plain]:
    return {
        key: value.text if isinstance(value, Scalar) else plain(value) for key, (_, value) in labels.entries.items()
    }


def _place(node: Node, path: PathInData) -> Place:
    """Where the path leads, or as near to it as there is something."""
    place = node.place
    for step in path:
        following: Node | None = None
        if isinstance(node, Mapping):
            following = node.get(str(step))
        elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
            following = node.items[step]
        if following is None:
            return place
        node, place = following, following.place
    return place
