"""What every tool sends, as its bodies show it: the page of the vocabulary, and the file that `rules check` reads.

Bodies are the tools' samples, the examples of mappings, and `tests/support/bodies`. Called by `scripts/reference.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from monitor.core.model.events import KINDS, Event
from monitor.decode.registry import decode, tool_of, tools
from monitor.packs.advice.sent_by_mappings import RECEIVED_AT, sends_of
from monitor.packs.advice.vocabulary import CLOSED, OPEN, Sends, Vocabulary, said_by
from monitor.packs.mappings.loader import load_mappings
from monitor.packs.mappings.shipped_tools import SHIPPED
from monitor.review.reports import Report, report_events

BODIES = Path(__file__).resolve().parents[1] / "tests" / "support" / "bodies"
PASSES_LABELS_ON = frozenset(
    {"alertmanager", "alertmanager-api", "alertmanager-events", "grafana", "prometheus", "gcp", "grafana-oncall"}
)
"""Tools whose labels an organisation chooses: what a body of ours shows are those of widespread alerts."""
REVIEW = "nearmiss"
"""The review pages, through which people report."""


class Body(msgspec.Struct, frozen=True):
    source: str
    body: object
    headers: dict[str, str] = {}

    @property
    def bytes(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else msgspec.json.encode(self.body)


def bodies() -> Iterator[Body]:
    """Every body that shows what a tool sends."""
    for tool in tools():
        yield Body(tool.name, tool.sample.body, dict(tool.sample.headers))
    for name, examples in load_mappings(SHIPPED).examples.items():
        for example in examples:
            yield Body(name, example.body.decode(), dict(example.headers))
    for file in sorted(BODIES.glob("*.jsonl")):
        for line in file.read_bytes().splitlines():
            yield msgspec.json.decode(line, type=Body)


def vocabulary() -> Vocabulary:
    """What the bodies of every tool give. Raises ValueError for a body that its decoder refuses."""
    events: dict[str, list[Event]] = {tool.name: [] for tool in tools() if tool.name not in OPEN}
    for body in bodies():
        tool = tool_of(body.source)
        if tool is None or tool.name in OPEN:
            continue
        outcome = decode(body.source, body.bytes, body.headers, RECEIVED_AT)
        if outcome.refusals:
            raise ValueError(f"a body of {tool.name} is refused: {outcome.refusals[0].detail}")
        events[tool.name] += outcome.events
    found = {
        tool.name: sends_of(tool, events[tool.name], passes_labels_on=tool.name in PASSES_LABELS_ON)
        for tool in tools()
        if tool.name in events
    }
    told = [event for kind in ("near_miss", "noticed_not_acted") for event in _reported(kind)]
    shown = said_by(told)
    return Vocabulary(dict(sorted({**found, REVIEW: Sends(tuple(shown), shown)}.items())))


def _reported(kind: str) -> tuple[Event, ...]:
    story = "the queue stood still and nobody was told"
    return report_events(Report("12345678", kind, "cart", story, RECEIVED_AT, "yes", "production"), "sre", RECEIVED_AT)


def as_json(found: Vocabulary) -> str:
    """One line a tool and kind, so that a change reads as a change."""
    lines = []
    for name, tool in found.tools.items():
        shown = ",\n   ".join(
            f"{_json(kind)}: {{{', '.join(f'{_json(field)}: {_json(words)}' for field, words in said.items())}}}"
            for kind, said in tool.shown.items()
        )
        opened = ', "open": true' if tool.open else ""
        lines.append(f' {_json(name)}: {{"kinds": {_json(tool.kinds)}{opened}, "shown": {{\n   {shown}}}}}')
    return '{"tools": {\n' + ",\n".join(lines) + "\n}}\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def page() -> str:
    """A section for each kind: which tools send it, its fields and labels, and who sends each."""
    found = vocabulary()
    return "\n\n".join(_section(found, kind) for kind in sorted(KINDS))


def _section(found: Vocabulary, kind: str) -> str:
    senders = [name for name, tool in found.tools.items() if kind in tool.kinds]
    if not senders:
        return f"## {kind}\n\nNo tool sends it; [your own senders](events.md) may."
    shown = [name for name in senders if kind in found.tools[name].shown]
    quiet = [name for name in senders if name not in shown]
    unseen = f" Declared, and no body here shows it: {', '.join(quiet)}." if quiet else ""
    by_field: dict[str, list[str]] = {}
    for name in shown:
        for field in found.tools[name].shown[kind]:
            by_field.setdefault(field, []).append(name)
    rows = ["| field | sent by |", "|---|---|"]
    rows += [
        f"| `{field}`{_words(found, kind, field)} | {_names(by_field[field], shown)} |"
        for field in sorted(by_field, key=lambda field: (field.startswith("labels."), field))
        if len(by_field[field]) > 1 or not field.startswith("labels.")
    ]
    alone: dict[str, list[str]] = {}
    for field, names in sorted(by_field.items()):
        if len(names) == 1 and field.startswith("labels."):
            alone.setdefault(names[0], []).append(f"`{field.removeprefix('labels.')}`")
    only = ["", "| tool | labels that only it sends |", "|---|---|"] if alone else []
    only += [f"| {name} | {', '.join(labels)} |" for name, labels in sorted(alone.items())]
    listed = f"Sent by {', '.join(shown)}.{unseen}" if shown else unseen.strip()
    return "\n".join([f"## {kind}", "", listed, "", *(rows if len(rows) > 2 else []), *only]).rstrip()


def _names(names: list[str], shown: list[str]) -> str:
    if len(names) == len(shown) and len(names) > 1:
        return "all of them"
    missing = [name for name in shown if name not in names]
    return f"all but {', '.join(missing)}" if len(missing) <= 2 < len(names) else ", ".join(names)


def _words(found: Vocabulary, kind: str, field: str) -> str:
    if field not in CLOSED:
        return ""
    words = {word for tool in found.tools.values() for word in tool.shown.get(kind, {}).get(field, [])}
    return f" ({', '.join(sorted(words))})"
