"""Proposals from sample bodies: always a mapping without errors whose example passes, with the right guesses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.located.nodes import parse_located
from monitor.located.problems import Problems
from monitor.packs.mappings.loader import read_mapping
from monitor.packs.mappings.propose import propose, with_expectation
from tests.unit.packs.mappings.mapped import event

VENDOR = {
    "eventId": "e-1",
    "checkName": "Shop",
    "state": "DOWN",
    "priority": "P1",
    "created_at": "2026-03-01T10:00:00Z",
    "details": {"summary": "HTTP 500", "link": "https://example.com/1", "odd name": "x"},
}


def proposal_of(body: Any) -> str:
    return with_expectation(propose("my-tool", body), "unknown_type")


def test_the_fields_of_a_body_are_found() -> None:
    found = event(proposal_of(VENDOR), VENDOR)
    assert (found.kind, found.service, found.severity) == ("alert.fired", "Shop", "critical")
    assert (found.id, found.title) == ("e-1/DOWN/2026-03-01T10:00:00Z/alert.fired", "HTTP 500")
    assert (found.marks, found.url) == ((), "https://example.com/1")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"status": "resolved"}, "- {kind: alert.resolved, when: {status: resolved}}"),
        ({"event": "deployment_succeeded"}, "- {kind: change.deployed, when: {event: deployment_succeeded}}"),
        ({"action": "purple"}, "- {kind: alert.fired, when: {action: purple}}  # TODO the kind"),
        ({"x": 1}, "- kind: alert.fired  # TODO one entry for each kind of event"),
        ({"alerts": [{"status": "firing"}]}, "each: alerts"),
        ({"date": "2026-03-01 10:00:00"}, "time: {path: date, zone: UTC}  # TODO the zone"),
        ({"level": "purple"}, "severity: {path: level, words: {purple: warning}}  # TODO the tool's words"),
        ({"my data": {"status": "firing"}}, "when: {'\"my data\".status': firing}"),
        ({"ts": 1772359200}, "time: ts"),
    ],
)
def test_guesses(body: Any, line: str) -> None:
    assert line in proposal_of(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["status", "id", "time", "alerts", "a.b", "x y", '"']) | st.text(), inner, max_size=5
            )
        ),
        max_leaves=20,
    )
)
def test_every_proposal_is_a_mapping_without_errors(body: Any) -> None:
    if not isinstance(body, dict | list):
        return
    body = msgspec.json.decode(msgspec.json.encode(body))
    problems = Problems()
    node = parse_located(proposal_of(body).encode(), "my-tool.yaml", problems)
    assert node is not None, [str(problem) for problem in problems]
    assert read_mapping(node, problems) is not None, [str(problem) for problem in problems]
