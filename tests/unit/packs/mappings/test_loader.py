"""Files of mappings: names over several files, examples and their results, and the mappings that are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.decode.registry import SOURCES, decode, tool_of, use_own
from monitor.packs.mappings.loader import load_mappings, run_examples
from monitor.packs.mappings.shipped_tools import SHIPPED, expect_folder
from tests.unit.packs.mappings.mapped import RECEIVED_AT

EVENTS = "events:\n  - {kind: alert.fired, when: {state: down}, service: app}\n"
EXAMPLES = """examples:
  - name: down
    body: {state: down, app: shop, port: 80}
    expect: [{kind: alert.fired, service: shop, labels: {}, actor: null}]
  - name: down, as a text
    body: |
      {"state": "down", "app": "shop"}
    expect: {kind: alert.fired}
  - name: something else
    body: {state: paused}
    expect: unknown_type
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_examples_pass(tmp_path: Path) -> None:
    loaded = load_mappings(write(tmp_path, "tool", f"mapping: tool\n{EVENTS}{EXAMPLES}"))
    assert loaded.problems == ()
    assert [result.failure for result in run_examples(loaded)] == ["", "", ""]
    assert loaded.tools[0].sample.kinds == ("alert.fired",)


@pytest.mark.parametrize(
    ("expect", "failure"),
    [
        ("[{kind: alert.resolved}]", "kind: expected 'alert.resolved', got 'alert.fired'"),
        ("[{kind: alert.fired, service: cart}]", "service: expected 'cart', got 'shop'"),
        ("[{kind: alert.fired, labels: {a: b}}]", "labels: expected {'a': 'b'}, got {}"),
        ("[{kind: alert.fired}, {kind: note.added}]", "expected 2 event(s), got alert.fired"),
        ("unknown_type", "expected no event for unknown_type, got 1 event(s)"),
    ],
)
def test_an_example_that_fails_says_what_came(tmp_path: Path, expect: str, failure: str) -> None:
    examples = f"examples: [{{name: a, body: {{state: down, app: shop}}, expect: {expect}}}]"
    (result,) = run_examples(load_mappings(write(tmp_path, "tool", f"mapping: tool\n{EVENTS}{examples}")))
    assert result.failure == failure
    assert result.came[0].startswith('{"id":')


def test_an_example_whose_body_is_refused_says_so(tmp_path: Path) -> None:
    examples = "examples: [{name: a, body: 'no json', expect: [{kind: alert.fired}]}]"
    (result,) = run_examples(load_mappings(write(tmp_path, "tool", f"mapping: tool\n{EVENTS}{examples}")))
    assert result.failure == "expected 1 event(s), got not_json"


def test_names_are_unique_over_all_files_and_aliases(tmp_path: Path) -> None:
    write(tmp_path, "a", f"mapping: one\naliases: [uno]\n{EVENTS}{EXAMPLES}")
    write(tmp_path, "b", f"mapping: uno\n{EVENTS}{EXAMPLES}")
    loaded = load_mappings(tmp_path)
    assert [tool.name for tool in loaded.tools] == ["one"]
    (problem,) = loaded.errors
    assert "'uno' is defined twice" in problem.message
    assert problem.file.endswith("b.yaml")


def test_a_mapping_without_an_example_is_a_warning(tmp_path: Path) -> None:
    loaded = load_mappings(write(tmp_path, "tool", f"mapping: tool\n{EVENTS}"))
    assert [(problem.severity, problem.message) for problem in loaded.problems] == [("warning", "no example")]


def test_an_own_mapping_comes_before_a_shipped_one_and_goes_again(tmp_path: Path) -> None:
    shipped = tool_of("pingdom")
    own = load_mappings(write(tmp_path, "pingdom", f"mapping: pingdom\naliases: [my-probe]\n{EVENTS}{EXAMPLES}")).tools
    try:
        use_own(own)
        assert tool_of("pingdom") is own[0]
        assert decode("my-probe/x", b'{"state": "down"}', {}, RECEIVED_AT).events
        use_own(own)
    finally:
        use_own(())
    assert tool_of("pingdom") is shipped
    assert "my-probe" not in SOURCES


def test_nothing_takes_the_place_of_our_own_format(tmp_path: Path) -> None:
    before = tool_of("events")
    try:
        use_own(load_mappings(write(tmp_path, "events", f"mapping: events\n{EVENTS}{EXAMPLES}")).tools)
        assert tool_of("events") is before
    finally:
        use_own(())


def test_a_folder_makes_its_names_known_before_anything_is_read(tmp_path: Path) -> None:
    write(tmp_path, "a", f"# A comment.\nmapping: early-tool\naliases: [early, bird]  # both\n{EVENTS}")
    write(tmp_path, "b", "mapping: early-broken\nevents: 7\n")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe mapping: x")
    try:
        expect_folder(tmp_path)
        assert {"early-tool", "early", "bird", "early-broken"} <= SOURCES
        found = tool_of("bird/x")
        assert found is not None
        assert found.name == "early-tool"
        outcome = decode("early-broken", b"{}", {}, RECEIVED_AT)
        assert "b.yaml cannot be used" in outcome.detail
        assert outcome.unread == b"{}"
    finally:
        use_own(())
    assert not {"early-tool", "early_tool", "early", "bird", "early-broken"} & SOURCES


def test_a_path_that_is_not_there_makes_nothing_known(tmp_path: Path) -> None:
    before = set(SOURCES)
    expect_folder(tmp_path / "absent")
    assert set(SOURCES) == before


SHIPPED_MAPPINGS = load_mappings(SHIPPED)


def test_the_shipped_mappings_have_no_problem() -> None:
    assert [str(problem) for problem in SHIPPED_MAPPINGS.problems] == []
    assert {Path(place.file).stem for place in SHIPPED_MAPPINGS.places.values()} == {
        tool.name for tool in SHIPPED_MAPPINGS.tools
    }


@pytest.mark.parametrize("result", [pytest.param(each, id=f"{each.mapping}: {each.example.name}")
                                    for each in run_examples(SHIPPED_MAPPINGS)])  # fmt: skip
def test_the_examples_of_shipped_mappings_pass(result: object) -> None:
    assert getattr(result, "failure", "?") == "", getattr(result, "came", "")


def test_each_shipped_mapping_has_an_example_of_a_beginning_and_of_what_ends_or_follows_it() -> None:
    assert [tool.name for tool in SHIPPED_MAPPINGS.tools if len(SHIPPED_MAPPINGS.examples[tool.name]) < 2] == []
