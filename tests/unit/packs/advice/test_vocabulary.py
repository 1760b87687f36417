"""The vocabulary holds what bodies show, and the labels of the format are those of its page."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.core.model.events import KINDS, Actor, Event, Instant
from monitor.packs.advice.vocabulary import said_by, shipped_vocabulary
from monitor.packs.language.schema import SENDERS_LABELS
from scripts.vocabulary import bodies, page

ROOT = Path(__file__).resolve().parents[4]


def test_fields_labels_and_closed_words_are_taken_by_kind() -> None:
    fired = Event(id="1", source="a", time=Instant(1), kind="alert.fired", value=0.0, bound="max", labels={"host": "x"})
    ran = Event(id="2", source="a", time=Instant(1), kind="change.ran", actor=Actor(id="p", kind="human", on_call=True))
    assert said_by([ran, fired, fired]) == {
        "alert.fired": {"bound": ["max"], "labels.host": [], "value": []},
        "change.ran": {"actor.id": [], "actor.kind": ["human"], "actor.on_call": ["true"]},
    }


def test_real_tools_are_known_by_what_they_send() -> None:
    known = shipped_vocabulary()
    assert "alertmanager" in known.senders("alert.fired", "labels.mountpoint")
    assert known.senders("note.added", "labels.report") == ("nearmiss",)
    assert known.senders("change.blocked", "labels.guard") == ("aws", "gcp", "kubernetes", "terraform-cloud")
    assert known.kinds() >= KINDS - {"impact.clear", "maintenance.ended"}
    assert not known.tools.keys() & {"events", "cloudevents"}, "our own formats prove nothing about tools"


def test_every_tool_has_a_body_and_every_kind_a_section() -> None:
    sources = {body.source.partition("/")[0] for body in bodies()}
    assert shipped_vocabulary().tools.keys() - sources == {"nearmiss"}
    assert set(re.findall(r"^## (\S+)$", page(), re.MULTILINE)) == KINDS


def test_the_labels_of_the_format_are_those_of_its_page() -> None:
    text = (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8").partition("## Labels with")[2]
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == SENDERS_LABELS
