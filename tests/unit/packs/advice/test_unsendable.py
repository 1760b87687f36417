"""Demands that nobody can meet are told where they stand; what somebody may meet never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.packs.advice.sent_by_mappings import sends_of_mappings
from monitor.packs.advice.unsendable import find_unsendable
from monitor.packs.advice.vocabulary import Sends, Vocabulary, shipped_vocabulary
from monitor.packs.mappings.loader import load_mappings
from monitor.packs.rules.shipped import shipped_rules

TWO_TOOLS = Vocabulary(
    {
        "alarms": Sends(
            ("alert.fired", "alert.resolved"),
            {"alert.fired": {"value": [], "limit": [], "bound": ["max"], "labels.host": []}},
        ),
        "hands": Sends(
            ("change.ran", "note.added"),
            {"change.ran": {"actor.id": [], "labels.command": [], "subject": []}, "note.added": {"labels.text": []}},
        ),
    }
)


def told(tmp_path: Path, hazard: str = "", intervention: str = "", rest: str = "", custom: tuple[str, ...] = ()) -> str:
    text = (
        "rule: one\ntitle: one\nfamily: margin\n"
        f"hazard:\n  kind: alert.fired\n  where: {{{hazard or 'severity: high'}}}\n"
        f"intervention:\n  kind: change.ran\n  where: {{{intervention or 'subject: a'}}}\n  within: 1h\n{rest}"
    )
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    found = find_unsendable(tmp_path, TWO_TOOLS, custom)
    return "\n".join(f"{problem.line}: {problem.message}" for problem in found)


@pytest.mark.parametrize(
    "hazard",
    [
        "labels.host: {present: true}",
        "labels.rack: {present: false}",
        "not: {labels.rack: r1}",
        "service: shop, environment: production, severity: critical",
        "bound: max, derived.share: {at_least: 0.9}",
        "any: [{labels.host: a}, {labels.burn: fast}]",
        "all: [{labels.host: a}]",
    ],
)
def test_what_a_tool_sends_is_not_told(tmp_path: Path, hazard: str) -> None:
    assert told(tmp_path, hazard) == ""


@pytest.mark.parametrize(
    ("hazard", "said"),
    [
        ("labels.rack: r1", "with any kind of event: labels.rack equals 'r1'"),
        ("labels.command: {present: true}", "together with what else is asked here: labels.command is present"),
        ("bound: min", "bound equals 'min'"),
        ("derived.time_left: {below: 1d}", "derived.time_left below 1d"),
        ("derived.actor: human", "derived.actor equals 'human'"),
        ("labels.host: {same_as: labels.rack}", "labels.host same as 'labels.rack'"),
        ("all: [{labels.host: a}, {labels.rack: r1}]", "labels.rack equals 'r1'"),
        ("any: [{labels.host: a}, {labels.rack: r1}]", "labels.rack equals 'r1'"),
    ],
)
def test_what_no_tool_sends_is_told_where_it_stands(tmp_path: Path, hazard: str, said: str) -> None:
    assert said in told(tmp_path, hazard)
    assert told(tmp_path, hazard).startswith("6: no known tool sends this ")


def test_a_label_of_the_format_is_one_way_and_never_the_only_one(tmp_path: Path) -> None:
    assert told(tmp_path, "any: [{labels.host: a}, {labels.burn: fast}]") == ""
    assert told(tmp_path, "any: [{labels.burn: fast}, {labels.slo: x}]").count("no known tool") == 2
    assert "labels.burn" in told(tmp_path, "labels.burn: fast")


def test_no_one_tool_has_to_be_two(tmp_path: Path) -> None:
    both = Vocabulary(
        {
            "one": Sends(("alert.fired",), {"alert.fired": {"labels.a": []}}),
            "other": Sends(("alert.fired",), {"alert.fired": {"labels.b": []}}),
        }
    )
    told(tmp_path, "labels.a: x, labels.b: y")
    assert [problem.line for problem in find_unsendable(tmp_path, both)][:1] == [6]


def test_labels_of_your_own_are_allowed_by_name(tmp_path: Path) -> None:
    assert told(tmp_path, "labels.rack: r1", custom=("rack",)) == ""
    assert "labels.row" in told(tmp_path, "labels.rack: r1, labels.row: r2", custom=("rack",))


def test_kinds_pairs_and_needed_steps(tmp_path: Path) -> None:
    step = "steps:\n  paged: {kind: responder.paged, since: hazard, until: intervention}\n"
    assert "12: no known tool sends such an event" in told(tmp_path, rest=step)
    assert told(tmp_path, rest=step.replace("until: intervention", "until: intervention, optional: true")) == ""
    assert told(tmp_path, rest=step.replace("steps:", "absent:")) == ""
    assert "sends labels.rack with such a hazard" in told(
        tmp_path, "labels.host: a", rest="  same: {labels.command: labels.rack}\n"
    )


def test_a_kind_that_no_body_shows_may_say_whatever_its_tool_says() -> None:
    assert TWO_TOOLS.tools["alarms"].sends("alert.resolved") == {
        "value": [],
        "limit": [],
        "bound": ["max"],
        "labels.host": [],
    }
    assert TWO_TOOLS.tools["alarms"].sends("change.ran") is None


def test_no_shipped_rule_demands_what_no_tool_sends() -> None:
    assert [str(problem) for problem in find_unsendable(shipped_rules(), shipped_vocabulary())] == []


def test_a_mapping_of_your_own_says_what_it_sends(tmp_path: Path) -> None:
    (tmp_path / "door.yaml").write_text(
        "mapping: door\nfields: {id: id, labels: {lock: lock, wing: wing}}\n"
        "events:\n  - {kind: change.blocked}\n"
        "examples:\n  - {name: shut, body: {id: a, lock: shut}, expect: [{kind: change.blocked}]}\n",
        encoding="utf-8",
    )
    loaded = load_mappings(tmp_path)
    assert loaded.errors == ()
    sends = sends_of_mappings(loaded)
    assert sends["door"].kinds == ("change.blocked",)
    assert set(sends["door"].shown["change.blocked"]) == {"labels.lock", "labels.wing"}
